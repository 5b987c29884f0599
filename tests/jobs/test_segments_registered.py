"""What the Glue Data Catalog says of a run that Spark wrote: other engines read it by that, and answer questions."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlglot

from jobs import report, segments
from jobs.registering import leaving
from jobs.storage.s3 import S3Folder
from tests.fakes.environment import CATALOGUE
from tests.fakes.glue.data_catalogue import DataCatalogue
from tests.fakes.page import real_report
from tests.jobs.published import FIRST, Runs
from tests.jobs.registering.catalogued import Lake
from transforms.figure_schemas import FIGURES
from transforms.schemas import TABLES

pytestmark = pytest.mark.usefixtures("spark")

PAGE = Path(__file__).parents[2] / "docs" / "catalogue.md"
PHYSICAL = {
    "string": ("BYTE_ARRAY", pa.string()),
    "int": ("INT32", pa.int32()),
    "bigint": ("INT64", pa.int64()),
    "double": ("DOUBLE", pa.float64()),
    "timestamp": ("INT96", pa.timestamp("ns")),
    "date": ("INT32", pa.date32()),
    "decimal(18,4)": ("FIXED_LEN_BYTE_ARRAY", pa.decimal128(18, 4)),
}
"""The types of a Parquet column, as it is stored and as it is read, by the type that the catalogue states."""


@pytest.fixture
def lake(published: Path, tmp_path: Path, bucket: str, data_catalogue: DataCatalogue) -> Lake:
    """The shop's run with its figures in S3, registered."""
    output = Path(shutil.copytree(published, tmp_path / "output"))
    with real_report():
        assert report.main(["--output", str(output)]) == 0
    folder = S3Folder(bucket, "out")
    folder.copy_in(output)
    lake = Lake(folder, data_catalogue)
    assert lake.register() == 0
    return lake


@pytest.fixture
def athena(lake: Lake, s3: Any, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with every table of the catalogue, read as the catalogue says: places, types, formats and partitions."""
    with duckdb.connect() as connection:
        for name, table in lake.tables().items():
            partitions = [
                (each["Values"][0], each["StorageDescriptor"])
                for each in lake.service.moto.get_partitions(DatabaseName=CATALOGUE, TableName=name)["Partitions"]
            ]
            selects = [
                f"select *, '{run_id}' as run_id from {read(storage, s3, tmp_path / f'{name}-{run_id}')}"
                for run_id, storage in partitions
            ] or [f"from {read(place_of(table), s3, tmp_path / name)}"]
            connection.execute(f"create view {name} as {' union all '.join(selects)}")
        yield connection


def place_of(table: dict[str, Any]) -> dict[str, Any]:
    """The place of a table without partitions: its own or, if it should have some, one where nothing is."""
    storage: dict[str, Any] = table["StorageDescriptor"]
    return {**storage, "Location": f"{storage['Location']}nothing/"} if table["PartitionKeys"] else storage


def fetched(location: str, s3: Any, folder: Path) -> list[Path]:
    """The data files at a place in S3, on disk."""
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    folder.mkdir()
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    for key in keys:
        # As Athena passes over them.
        if not Path(key).name.startswith(("_", ".")):
            s3.download_file(bucket, key, str(folder / Path(key).name))
    return sorted(folder.iterdir())


def read(storage: dict[str, Any], s3: Any, folder: Path) -> str:
    """The table function of DuckDB that reads a place, with the catalogue's types."""
    types = {each["Name"]: each["Type"].replace("string", "varchar") for each in storage["Columns"]}
    files = [str(path) for path in fetched(storage["Location"], s3, folder)]
    if not files:
        return f"(select {', '.join(f'null::{of} as {name}' for name, of in types.items())} where false)"
    if "Json" in storage["SerdeInfo"]["SerializationLibrary"]:
        return f"read_json({files}, format = 'newline_delimited', auto_detect = false, columns = {types})"
    columns = ", ".join(f"{name}::{of} as {name}" for name, of in types.items())
    return f"(select {columns} from read_parquet({files}))"


def test_each_type_is_that_of_the_parquet_file_and_each_file_is_found(lake: Lake, s3: Any, tmp_path: Path) -> None:
    seen = set()
    for name in TABLES:
        storage = lake.table(f"{name}_current")["StorageDescriptor"]
        columns = [(each["Name"], *PHYSICAL[each["Type"]]) for each in storage["Columns"]]
        for path in fetched(storage["Location"], s3, tmp_path / name):
            file = pq.ParquetFile(path)
            stored = [column.physical_type for column in file.schema]
            assert [(of.name, how, of.type) for of, how in zip(file.schema_arrow, stored, strict=True)] == columns
            seen.add(name)
    # A first run has no changes.
    assert seen == TABLES.keys() - {"segment_changes"}


def test_another_engine_reads_the_run_and_its_figures_by_the_catalogue(athena: duckdb.DuckDBPyConnection) -> None:
    assert athena.sql("select count(*) from rfm_current").fetchall() == [(90,)]
    assert athena.sql("select distinct run_id from customer_segments").fetchall() == [(FIRST,)]
    [(of_figures, of_rows)] = athena.sql(
        "select (select sum(revenue) from cluster_figures_current), (select sum(total_value) from rfm_current)"
    ).fetchall()
    assert of_figures == of_rows
    empty = [name for name in (*TABLES, *FIGURES) if not athena.sql(f"from {name} limit 1").fetchall()]
    # It is a first run, and no rule failed.
    assert empty == ["segment_changes", "rule_figures"]


def queries() -> list[str]:
    """The queries of the page."""
    return re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_queries_of_the_page_are_athenas_and_have_answers(athena: duckdb.DuckDBPyConnection) -> None:
    assert len(queries()) == 3
    for query in queries():
        [statement] = sqlglot.parse(query.replace("EARLIER_RUN_ID", FIRST).replace("RUN_ID", FIRST), dialect="athena")
        assert statement is not None
        assert athena.sql(statement.sql(dialect="duckdb")).fetchall(), query


def test_segments_are_registered_when_they_are_current(
    runs: Runs, data_catalogue: DataCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "is_in_s3", lambda _: True)
    runs.add("--score-with", FIRST, "--catalogue", CATALOGUE)
    run_id = runs.pointer["run_id"]
    assert run_id != FIRST
    tables = {table["Name"]: table for table in data_catalogue.moto.get_tables(DatabaseName=CATALOGUE)["TableList"]}
    places = {name: tables[f"{name}_current"]["StorageDescriptor"]["Location"] for name in TABLES}
    # The tables that were taken over are in the folder of the run that wrote them. A first run has no changes.
    own = ("customer_segments", "segment_changes")
    assert places == {name: f"{runs.output}/runs/{run_id if name in own else FIRST}/{name}/" for name in TABLES}


def test_segments_that_could_not_be_registered_end_with_4(
    runs: Runs, data_catalogue: DataCatalogue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(leaving, "is_in_s3", lambda _: True)
    data_catalogue.faults.deny("GetTables")
    assert segments.main(["--output", str(runs.output), "--score-with", FIRST, "--catalogue", CATALOGUE]) == 4
    assert runs.pointer["run_id"] != FIRST
    assert f"--run {runs.pointer['run_id']} --catalogue {CATALOGUE}" in capsys.readouterr().err.splitlines()[-1]
