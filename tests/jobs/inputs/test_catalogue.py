"""Tables of the catalogue: their names, and what of them is read."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.errors import ConfigurationError, DataError
from jobs.inputs.catalogue import CatalogueTable, table_name
from tests.frames import at, frame


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("table:ledger", "ledger"),
        ("table:bank.transactions", "bank.transactions"),
        ("TABLE:glue_catalog.bank.my-transactions", "glue_catalog.bank.my-transactions"),
        ("table:`a b`.`c:d`", "`a b`.`c:d`"),
        ("table:a.b.c.d", "a.b.c.d"),
        ("ledger.csv", None),
        ("s3://bucket/table:x", None),
        ("tables:x", None),
        ("./table:x", None),
    ],
)
def test_what_begins_with_table_names_one_and_anything_else_names_files(uri: str, name: str | None) -> None:
    assert table_name(uri) == name


@pytest.mark.parametrize(
    "name", ["", " ", "a.", ".a", "a..b", "a b", "a;b", "`a", "a.b.c.d.e", "/data", "a\nb", "x" * 129]
)
def test_a_name_that_no_table_has_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        table_name(f"table:{name}")
    assert str(error.value) == (
        f"--input table:{name}: expected the name of a table as Spark's catalogue has it, such as "
        "table:bank.transactions or table:glue_catalog.bank.transactions"
    )


FIRST = date(2018, 10, 16)
DAYS: list[tuple[str, list[Any], list[Any]]] = [
    # Of a string, both ways in which days are written.
    ("string", ["2018-10-15", "2018-10-16", "2018-10-17", None], ["2018-10-16", "2018-10-17", None]),
    ("string", ["20171231", "20181016", "20190101", "unknown"], ["20181016", "20190101", "unknown"]),
    ("int", [20181015, 20181016, 20190101, None], [20181016, 20190101, None]),
    (
        "date",
        [date(2018, 10, 15), date(2018, 10, 16), date(2019, 1, 1), None],
        [date(2018, 10, 16), date(2019, 1, 1), None],
    ),
    (
        "timestamp",
        [at("2018-10-15 23:59:59"), at("2018-10-16 00:00:00"), None],
        [at("2018-10-16 00:00:00"), None],
    ),
    (
        "timestamp_ntz",
        [at("2018-10-15 23:59:59"), at("2018-10-16 00:00:00"), None],
        [at("2018-10-16 00:00:00"), None],
    ),
    ("bigint", [20181015, 20181016, None], [20181016, None]),
]


def test_partitions_of_days_before_the_first_are_not_read_and_those_without_a_day_are(spark: SparkSession) -> None:
    for kind, days, read in DAYS:
        rows = frame(spark, f"`the day` {kind}, amount int", *[(day, 1) for day in days])
        rows.createOrReplaceTempView("ledger_by_day")
        table = CatalogueTable("ledger_by_day", partition="the day", first_day=FIRST)
        assert {row[0] for row in table.read(spark).collect()} == {*read}
    everything = CatalogueTable("ledger_by_day", partition="the day")
    assert everything.read(spark).count() == 3


def test_the_days_of_a_whole_year_written_as_text_are_read_from_the_first_on(spark: SparkSession) -> None:
    days = [date.fromordinal(number) for number in range(date(2018, 1, 1).toordinal(), date(2019, 3, 1).toordinal())]
    frame(spark, "day string", *[(str(day),) for day in days]).createOrReplaceTempView("year_by_day")
    read = CatalogueTable("year_by_day", partition="day", first_day=FIRST).read(spark).collect()
    assert {row[0] for row in read} == {str(day) for day in days if day >= FIRST}


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamp_ntz", "string", "int"])
def test_the_day_is_compared_as_the_column_has_it_so_that_files_can_be_passed_over(
    spark: SparkSession, tmp_path: Path, kind: str
) -> None:
    spark.sql(f"select cast(null as {kind}) day, 1 amount").write.parquet(str(tmp_path / "ledger"))
    spark.read.parquet(str(tmp_path / "ledger")).createOrReplaceTempView("pushed_by_day")
    read = CatalogueTable("pushed_by_day", partition="day", first_day=FIRST).read(spark)
    plan = read._jdf.queryExecution().executedPlan().toString()
    # A cast of the column would keep the condition from the reader.
    assert "PushedFilters: [Or(IsNull(day),GreaterThanOrEqual(day," in plan
    assert "cast(day" not in plan


@pytest.mark.parametrize("kind", ["double", "boolean", "decimal(8,0)", "binary", "array<date>"])
def test_a_partition_of_a_type_that_holds_no_days_is_refused(spark: SparkSession, kind: str) -> None:
    spark.sql(f"select cast(null as {kind}) day, 1 amount").createOrReplaceTempView("ledger_by_something")
    with pytest.raises(DataError) as error:
        CatalogueTable("ledger_by_something", partition="day", first_day=FIRST).read(spark)
    assert str(error.value) == f"table ledger_by_something: day is {kind}, expected a day for partitioned_by"
    # Without a window everything is read, whatever the column holds.
    assert CatalogueTable("ledger_by_something", partition="day").read(spark).count() == 1


def test_a_table_without_the_column_of_the_partition_is_told_by_its_columns(spark: SparkSession) -> None:
    frame(spark, "who string, amount decimal(4,2)", ("ann", Decimal(1))).createOrReplaceTempView("ledger_of_no_day")
    with pytest.raises(DataError) as error:
        CatalogueTable("ledger_of_no_day", partition="day", first_day=FIRST).read(spark)
    assert str(error.value) == (
        "table ledger_of_no_day: no column day (found: who, amount), expected that of partitioned_by in the mapping"
    )


def test_a_table_that_the_catalogue_does_not_have_is_named(spark: SparkSession) -> None:
    with pytest.raises(ConfigurationError) as error:
        CatalogueTable("no_such.ledger").pinned(spark)
    assert str(error.value) == (
        "--input table:no_such.ledger: Spark's catalogue has no such table (TABLE_OR_VIEW_NOT_FOUND). Check its name "
        "and the settings of the catalogue (docs/ledger.md)"
    )


def test_a_table_without_snapshots_is_read_as_it_is(spark: SparkSession) -> None:
    frame(spark, "who string", ("ann",)).createOrReplaceTempView("plain_ledger")
    table = CatalogueTable("plain_ledger")
    assert table.pinned(spark) == table
    assert table.as_json() == {"name": "plain_ledger", "snapshot": None}
    assert CatalogueTable("a.b", snapshot=2**63 - 1).as_json() == {"name": "a.b", "snapshot": "9223372036854775807"}
