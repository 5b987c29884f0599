"""The views of docs/warehouse.md, one for each segment: its statements run, and the views follow each load."""

import re
from pathlib import Path
from typing import Any

import duckdb

from jobs import publish
from tests.fakes.redshift.translation import translate
from tests.jobs.warehouse.conftest import RedshiftPublication
from tests.jobs.warehouse.small_runs import FEBRUARY_ONLY, FEBRUARY_RUN, JUNE, JUNE_RUN, write_run

DOCS = (Path(__file__).parents[3] / "docs" / "warehouse.md").read_text(encoding="utf-8")
[SECTION] = re.findall(r"^## A view for each segment\n(.*?)^## ", DOCS, re.MULTILINE | re.DOTALL)
IN_DUCKDB, ALL_IN_DUCKDB, IN_REDSHIFT, ALL_IN_REDSHIFT = re.findall(
    r"^```sql\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL
)
CUSTOMERS = "select customer_unique_id, segment_code from by_segment."


def test_in_duckdb_the_views_have_the_customers_of_the_last_load(tmp_path: Path) -> None:
    output, file = tmp_path / "output", tmp_path / "warehouse.duckdb"
    write_run(output, FEBRUARY_RUN, FEBRUARY_ONLY)
    write_run(output, JUNE_RUN, JUNE)

    def load(run: str) -> None:
        assert publish.main(["--output", str(output), "--warehouse", f"duckdb:{file}", "--run", run]) == 0

    def query(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(file) as connection:
            return connection.execute(sql).fetchall()

    load(JUNE_RUN)
    query(IN_DUCKDB)
    assert query(f"{CUSTOMERS}rm01") == [("ann", "RM01")]
    for (statement,) in query(ALL_IN_DUCKDB):
        query(statement)
    assert query(f"{CUSTOMERS}rm09") == [("bob", "RM09")]
    query("alter table rfm add column note text")
    assert query(f"{CUSTOMERS}rm09") == [("bob", "RM09")]
    load(FEBRUARY_RUN)
    assert query(f"{CUSTOMERS}rm01") == query(f"{CUSTOMERS}rm09") == []
    load(JUNE_RUN)
    assert query(f"{CUSTOMERS}rm01 union {CUSTOMERS}rm09 order by 1") == [("ann", "RM01"), ("bob", "RM09")]


def test_in_redshift_the_views_have_the_customers_of_the_last_load(warehouse: RedshiftPublication) -> None:
    def load(run: str) -> None:
        assert warehouse.publish("--run", run, to="redshift://segments/dev/segments") == 0

    load(JUNE_RUN)
    for statement in IN_REDSHIFT.split(";\n")[:-1]:
        warehouse.execute(translate(statement).sql)
    assert warehouse.query(f"{CUSTOMERS}rm01") == [("ann", "RM01")]
    for (statement,) in warehouse.query(translate(ALL_IN_REDSHIFT.rstrip(";\n")).sql):
        warehouse.execute(translate(statement.rstrip(";")).sql)
    assert warehouse.query(f"{CUSTOMERS}rm09") == [("bob", "RM09")]
    load(FEBRUARY_RUN)
    assert warehouse.query(f"{CUSTOMERS}rm01") == warehouse.query(f"{CUSTOMERS}rm09") == []
