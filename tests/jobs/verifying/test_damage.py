"""Each change to a run's files is found, and the row is named."""

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jobs.storage.store import RunStore
from jobs.verifying.checks import Result
from jobs.verifying.verification import verify_run
from tests.jobs.verifying.conftest import SECOND
from tests.jobs.verifying.damaged_runs import DamagedRun, named

DERIVED = ("transactions", "purchases", "rfm", "customer_segments", "segment_history", "segment_changes")
TABLES = ("customers", "orders", "payments", *DERIVED)
KEYS = {
    "customers": "customer_id",
    "orders": "order_id",
    "payments": "order_id, payment_sequential",
    "transactions": "order_id, payment_sequential",
    "purchases": "customer_unique_id, order_purchase_time",
}
OTHER_VALUES = {
    "VARCHAR": "{0} || 'x'",
    "INTEGER": "{0} + 1",
    "BIGINT": "{0} + 1",
    "DOUBLE": "{0} + 0.001",
    "DECIMAL(18,4)": "{0} + 0.0001",
    "TIMESTAMP": "{0} + interval 1 second",
    "DATE": "{0} + 1",
}
NULLS = {"VARCHAR": "'x'", "INTEGER": "1", "BIGINT": "1", "DECIMAL(18,4)": "1", "DATE": "date '2018-01-01'"}


def test_both_runs_pass_and_everything_is_checked(two_runs: Path) -> None:
    store = RunStore(str(two_runs))
    first, second = store.run_ids()
    before, now = (verify_run(store, store.manifest(run_id)) for run_id in (first, second))
    assert [check for check in (*before.checks, *now.checks) if check.result is Result.FAILED] == []
    assert [check.name for check in before.having(Result.NOT_CHECKED)] == ["segment_changes"]
    assert now.having(Result.NOT_CHECKED) == []
    # The changes are not a table without rows, in which nothing could be off.
    assert named(now.checks, "segment_changes: steps").rows > 10


@pytest.mark.parametrize("table", TABLES)
def test_an_altered_byte_is_found_wherever_it_is(damaged: DamagedRun, table: str) -> None:
    [file, *_] = damaged.files(table)
    content = bytearray(file.read_bytes())
    place = random.Random(table).randrange(len(content))
    content[place] ^= 1 << random.Random(table).randrange(8)
    file.write_bytes(content)
    check = named(damaged.verify().checks, "files: tables")
    assert check.result is Result.FAILED
    assert check.faults[0].where == {"table": table, "file": file.name}


def test_a_file_that_is_missing_and_one_that_is_new_are_found(damaged: DamagedRun) -> None:
    [file, *_] = damaged.files("purchases")
    file.rename(file.with_name("part-other.parquet"))
    check = named(damaged.verify().checks, "files: tables")
    assert {(fault.where["file"], fault.actual is None, fault.expected is None) for fault in check.faults} == {
        (file.name, True, False),
        ("part-other.parquet", False, True),
    }


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ("select * from rows order by all offset 1", -1),
        ("select * from rows union all (select * from rows order by all limit 1)", 1),
    ],
    ids=["dropped", "doubled"],
)
def test_a_dropped_and_a_doubled_row_are_found_though_the_manifest_fits_them(
    damaged: DamagedRun, table: str, change: str, rows: int
) -> None:
    damaged.rewrite(table, change)
    damaged.fit_totals(table, rows)
    failed = [check for check in damaged.verify().having(Result.FAILED) if check.faults and check.faults[0].where]
    assert any(check.name.endswith((": rows", ": key")) for check in failed)


@pytest.mark.parametrize("table", DERIVED)
def test_two_rows_whose_keys_are_swapped_are_found_and_named(damaged: DamagedRun, table: str) -> None:
    """Every total, every key and every sum stays as it was."""
    key = KEYS.get(table, "customer_unique_id").split(", ")[0]
    damaged.rewrite(
        table,
        f"""
        with two as (select min({key}) as one, max({key}) as other from rows)
        select rows.* replace (case {key} when one then other when other then one else {key} end as {key})
        from rows, two
        """,
    )
    named_keys = {fault.where.get(key) for check in damaged.verify().having(Result.FAILED) for fault in check.faults}
    with duckdb.connect() as connection:
        ends = connection.execute(f"select min({key}), max({key}) from '{damaged.files(table)[0]}'").fetchall()[0]
    assert set(ends) <= named_keys


def columns_of_derived_tables() -> list[tuple[str, str]]:
    """Every column of the tables that are derived, as the data dictionary has them."""
    text = (Path(__file__).parents[3] / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    columns = []
    for table in DERIVED:
        section = text.split(f"\n## {table}\n")[1].split("\n## ")[0]
        columns += [(table, line.split(" | ")[0].removeprefix("| ")) for line in section.splitlines() if "| " in line][
            2:
        ]
    return [(table, column) for table, column in columns if column not in ("column", "|---|---|---|---|---|")]


@pytest.mark.long
@pytest.mark.parametrize(("table", "column"), columns_of_derived_tables(), ids=str)
def test_one_value_of_any_column_is_found_and_named(damaged: DamagedRun, table: str, column: str) -> None:
    key = KEYS.get(table, "customer_unique_id")
    path = damaged.files(table)[0]
    with duckdb.connect() as connection:
        [kind] = [row[1] for row in connection.execute(f"describe from '{path}'").fetchall() if row[0] == column]
    other = OTHER_VALUES[kind].format(column)
    value = f"coalesce({other}, {NULLS[kind]})" if kind in NULLS else other
    damaged.rewrite(
        table,
        f"""
        with numbered as (select *, row_number() over (order by {key}) as place from rows)
        select * exclude (place) replace (case place when 3 then {value} else {column} end as {column}) from numbered
        """,
    )
    faults = [fault for check in damaged.verify().having(Result.FAILED) for fault in check.faults]
    is_key = column in key
    assert [fault for fault in faults if fault.where.keys() and (is_key or fault.what == column)] != []


def test_a_changed_row_is_named_with_what_was_expected_also_if_the_checksums_do_not_fit(damaged: DamagedRun) -> None:
    damaged.rewrite("rfm", "select * replace ('RM99' as segment_code) from rows", checksums=False)
    checks = damaged.verify().checks
    check = named(checks, "rfm: segment")
    assert named(checks, "files: tables").result is Result.FAILED
    assert (check.result, check.off, len(check.faults)) == (Result.FAILED, check.rows, 5)
    assert {(fault.what, fault.actual) for fault in check.faults} == {("segment_code", "RM99")}
    assert all(str(fault.expected).startswith("RM0") for fault in check.faults)


def test_a_wrong_card_is_found_though_its_hash_fits(damaged: DamagedRun) -> None:
    damaged.edit_card(lambda card: card["scores"]["r"]["cut_points"].__setitem__(0, 60))
    failed = damaged.failed()
    assert {"score card: cut points", "rfm: scores", "rfm: bands in words"} <= set(failed)


def test_a_card_that_was_edited_has_another_hash(damaged: DamagedRun) -> None:
    path = damaged.folder / "score_card.json"
    path.write_text(path.read_text().replace('"min"', '"min" ', 1))  # as it was, to JSON
    assert damaged.failed() == []
    path.write_text(path.read_text().replace('"customers": 90', '"customers": 91'))
    assert damaged.failed() == ["files: score card", "score card: bounds"]


def test_a_wrong_name_of_a_segment_is_found_in_the_card_the_manifest_and_the_table(damaged: DamagedRun) -> None:
    damaged.edit_card(lambda card: card["segment_map"]["segments"][0].update(name="Anybody"))
    assert {"rfm: segment", "score card: segment map", "manifest: segments"} <= set(damaged.failed())


def numbers_in(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of each figure: a number, or money as text."""
    if isinstance(content, dict | list):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        for step, value in items:
            yield from numbers_in(value, (*path, step))
    elif (isinstance(content, int | float) and not isinstance(content, bool)) or (
        isinstance(content, str) and content.replace(".", "").replace("-", "").isdigit() and "." in content
    ):
        yield path


UNRELATED = {"seconds", "k", "k_asked", "drift", "smallest_cell", "max_quarantined", "engine_label", "spark_jobs"}
"""Figures that do not tell of rows, or that are compared where the clusters are matched."""

PARTS = (
    "sufficiency",
    "totals",
    "reconciliation",
    "segments",
    "kmeans",
    "changes",
    "outputs",
    "configuration",
    "score_card",
)


@pytest.mark.long
def test_a_changed_figure_of_the_manifest_is_found(damaged: DamagedRun) -> None:
    original = damaged.manifest
    places = [place for part in PARTS for place in numbers_in(original[part], (part,)) if not UNRELATED & set(place)]
    assert len(places) > 300
    missed = []
    for place in random.Random(19).sample(places, 40):
        changed = json.loads(json.dumps(original))
        part = changed
        for step in place[:-1]:
            part = part[step]
        value = part[place[-1]]
        part[place[-1]] = f"{float(value) + 1:.4f}" if isinstance(value, str) else value + 1
        (damaged.folder / "manifest.json").write_text(json.dumps(changed))
        if not damaged.failed():
            missed.append(place)
    assert missed == []


def test_a_table_that_the_manifest_no_longer_names_is_missed(damaged: DamagedRun) -> None:
    damaged.edit_manifest(lambda manifest: manifest["tables"].pop("segment_history"))
    assert "manifest: totals of tables" in damaged.failed()


def test_the_run_before_may_be_gone(damaged: DamagedRun) -> None:
    since = damaged.manifest["changes"]["since"]["run_id"]
    shutil.rmtree(damaged.output / "runs" / since)
    verification = damaged.verify()
    assert verification.passed
    notes = {check.name: check.note for check in verification.having(Result.NOT_CHECKED)}
    assert notes.keys() == {"segment_history", "segment_changes"}
    assert f"run {since}" in notes["segment_changes"]


def test_a_changed_run_before_is_found(damaged: DamagedRun) -> None:
    since = DamagedRun(damaged.output, damaged.manifest["changes"]["since"]["run_id"])
    since.rewrite("segment_history", "select * replace (runs_in_segment + 5 as runs_in_segment) from rows")
    assert damaged.failed() == ["segment_history: since when"]
    since.rewrite("segment_history", "select * from rows limit 3", checksums=False)
    assert "files: tables of the run before" in damaged.failed()


def test_a_run_before_that_is_not_the_one_of_the_manifest_is_found(damaged: DamagedRun) -> None:
    damaged.edit_manifest(lambda manifest: manifest["changes"].update(since=None))
    assert "segment_changes" in damaged.failed()
    assert damaged.run_id == SECOND


def test_what_nobody_wrote_as_this_program_does_is_told_and_stops_nothing(damaged: DamagedRun) -> None:
    damaged.edit_manifest(lambda manifest: manifest.update(reconciliation=[{"whole": 5}]))
    damaged.rewrite("purchases", "select customer_unique_id from rows")
    [file, *_] = damaged.files("customer_segments")
    file.write_text("no Parquet")
    (damaged.folder / "score_card.json").unlink()
    verification = damaged.verify()
    assert {
        *("files: tables", "files: tables can be read", "files: score card", "manifest: reconciliation"),
        *("purchases", "rfm: measures"),
    } <= {check.name for check in verification.having(Result.FAILED)}
    assert named(verification.checks, "transactions: rows").result is Result.PASSED
