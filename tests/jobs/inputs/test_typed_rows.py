"""Typed rows, of Parquet or of a table: their values as the text that the rules of files read."""

from datetime import UTC, date
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession

from expectations.contracts.ledger import ledger_contract
from expectations.validation.rows import accepted, quarantined, validate_rows
from jobs.errors import ConfigurationError, DataError
from jobs.inputs.catalogue import CatalogueTable
from jobs.inputs.input_files import RawInput
from jobs.inputs.ledger_files import find_ledger
from jobs.inputs.typed_rows import read_typed
from tests.frames import at, frame, money
from transforms.sources.mapping import CsvForm, LedgerMapping

NAMES = {"customer_id_col": "who", "datetime_col": "at", "monetary_value_col": "amount", "currency": "EUR"}
NOON = at("2018-10-17 12:00:00")


def mapping(**changes: Any) -> LedgerMapping:
    return LedgerMapping(**{**NAMES, **changes})


def parquet(folder: Path, of: LedgerMapping, **columns: Any) -> RawInput:
    """A ledger in a Parquet file; a column is a list, or an array of a type."""
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), folder / "ledger.parquet")
    return find_ledger(str(folder / "ledger.parquet"), ledger_contract(of, None), of, None)


def texts(spark: SparkSession, raw: RawInput, *columns: str) -> list[Any]:
    """The rows as text, in the order of the file."""
    rows = read_typed(spark, raw).select(*columns).collect()
    return [row[0] if len(columns) == 1 else tuple(row) for row in rows]


def test_columns_may_have_any_name(spark: SparkSession, tmp_path: Path) -> None:
    names = ["a.b", "a`b", "a b", "a:b", "größe", "order_id", "Channel"]
    of = mapping(
        transaction_id_col="a.b",
        customer_id_col="a`b",
        datetime_col="a b",
        monetary_value_col=("a:b", "größe"),
        status_col="order_id",
        channel_col="Channel",
    )
    columns = [["t1"], ["ann"], [NOON], [2], [Decimal("1.50")], ["booked"], ["web"]]
    raw = parquet(tmp_path, of, **dict(zip(names, columns, strict=True)))
    [row] = texts(spark, raw, *of.columns)
    assert row == ("t1", "ann", "2018-10-17 12:00:00", "2", "1.50", "booked", "web")


AMOUNTS: list[tuple[pa.Array, list[str | None]]] = [
    (pa.array([Decimal("12.500"), Decimal("-0.001"), None]), ["12.500", "-0.001", None]),
    (pa.array([12.5, 0.1, 100000000.25, float("nan"), -0.0]), ["12.5", "0.1", None, None, "-0.0"]),
    (pa.array([1, -7, 10**12]), ["1", "-7", "1000000000000"]),
    (pa.array([1.25], pa.float32()), ["1.25"]),
]
EXACT = "100000000.25000000000000000"


def test_numbers_are_written_out_exactly_with_the_decimal_sign_that_the_rules_read(
    spark: SparkSession, tmp_path: Path
) -> None:
    for sign in (".", ","):
        of = mapping(csv=CsvForm(decimal=sign))  # type: ignore[arg-type]
        for number, (array, plain) in enumerate(AMOUNTS):
            folder = tmp_path / f"{ord(sign)} {number}"
            folder.mkdir()
            raw = parquet(folder, of, who=["ann"] * len(array), at=[NOON] * len(array), amount=array)
            expected = [text and text.replace(".", sign) for text in plain]
            actual = texts(spark, raw, "payment_value")
            if number == 1:
                # Java writes it with an exponent; it is written out, and stands for the same amount.
                assert actual.pop(2) == EXACT.replace(".", sign)
                expected.pop(2)
            assert actual == expected


def test_an_amount_is_the_same_whatever_decimal_sign_the_mapping_has_for_csv(
    spark: SparkSession, tmp_path: Path
) -> None:
    # With a decimal comma, the text 12.500 would be twelve thousand five hundred.
    of = mapping(csv=CsvForm(decimal=","))
    raw = parquet(tmp_path, of, who=["ann"], at=[NOON], amount=[Decimal("12.500")])
    rows = read_typed(spark, raw)
    validated = validate_rows(raw=rows, contract=raw.contract, references={})
    assert [row["payment_value"] for row in accepted(validated=validated, contract=raw.contract).collect()] == [
        money("12.5")
    ]


TYPED: list[tuple[pa.Array, list[Decimal | None]]] = [
    (pa.array([Decimal("12.50"), None]), [money("12.5"), None]),
    (pa.array([Decimal("-99999999999999.9999")]), [money("-99999999999999.9999")]),
    (pa.array([-128, 127, None], pa.int8()), [money("-128"), money("127"), None]),
    (pa.array([-32768], pa.int16()), [money("-32768")]),
    (pa.array([2147483647], pa.int32()), [money("2147483647")]),
]
PARSED: list[pa.Array] = [
    # Of fifteen digits before the point, or of five after it.
    pa.array([Decimal(1)], pa.decimal128(15, 0)),
    pa.array([Decimal(1)], pa.decimal128(18, 3)),
    pa.array([Decimal(1)], pa.decimal128(18, 5)),
    pa.array([1], pa.int64()),
    pa.array([1], pa.uint32()),
    pa.array([1.0]),
    pa.array(["1"]),
]
VALUE, TIME_VALUE = "payment_value as decimal(18,4)", "order_purchase_time as timestamp"


@pytest.mark.parametrize("sign", [".", ","])
def test_a_number_that_its_type_holds_is_taken_as_it_is_and_any_other_is_parsed(
    spark: SparkSession, tmp_path: Path, sign: Any
) -> None:
    of = mapping(csv=CsvForm(decimal=sign))
    for array, values in TYPED:
        raw = parquet(tmp_path, of, who=["ann"] * len(array), at=[NOON] * len(array), amount=array)
        assert [row[0] for row in read_typed(spark, raw).select(f"`{VALUE}`").collect()] == values
    files = [
        parquet(tmp_path / f"{number}", of, who=["ann"], at=["2018-10-17 12:00:00"], amount=array)
        for number, array in enumerate(PARSED)
    ]
    frames = [read_typed(spark, raw) for raw in files]
    assert all({VALUE, TIME_VALUE}.isdisjoint(rows.columns) for rows in frames)
    cells = files[0].contract.cells
    parsed = reduce(DataFrame.unionByName, frames).select(
        cells.value("order_purchase_time"), cells.value("payment_value")
    )
    assert [tuple(row) for row in parsed.collect()] == [(NOON, money("1"))] * len(PARSED)


def test_a_time_is_taken_as_it_is_with_a_zone_and_without(spark: SparkSession, tmp_path: Path) -> None:
    exact = at("2018-10-17 12:00:00.000001")
    for array in (
        pa.array([exact, None], pa.timestamp("us")),
        pa.array([exact.replace(tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
    ):
        # A format is one of texts.
        of = mapping(datetime_format="dd.MM.yyyy")
        rows = read_typed(spark, parquet(tmp_path, of, who=["ann", "bob"], at=array, amount=[1, 1]))
        assert [tuple(row) for row in rows.select(f"`{TIME_VALUE}`", "forms").collect()] == [
            (exact, None),
            (None, None),
        ]


DAY_IN_MICROSECONDS = 86_400 * 10**6
FIRST, BEYOND = -719_162, 2_932_897
"""The days of 0001-01-01 and of 10000-01-01, from 1970 on."""


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_time_of_a_year_that_no_reader_knows_quarantines_its_row_and_stops_nothing(
    spark: SparkSession, tmp_path: Path, zone: str | None
) -> None:
    microseconds = {
        "good": NOON.replace(tzinfo=UTC).timestamp() * 10**6,
        "the first": FIRST * DAY_IN_MICROSECONDS,
        "before it": FIRST * DAY_IN_MICROSECONDS - 1,
        "the last": BEYOND * DAY_IN_MICROSECONDS - 1,
        "after it": BEYOND * DAY_IN_MICROSECONDS,
        "the least": -(2**62),
        "the most": 2**62,
    }
    times = pa.array(map(int, microseconds.values()), pa.int64()).cast(pa.timestamp("us", tz=zone))
    raw = parquet(tmp_path, mapping(), who=list(microseconds), at=times, amount=[1] * len(microseconds))
    validated = validate_rows(raw=read_typed(spark, raw), contract=raw.contract, references={})

    def rules_that_reject(rows: DataFrame) -> dict[str, list[str]]:
        return {row[0]: row[1] for row in rows.selectExpr("customer_unique_id", "reasons.rule").collect()}

    other_years = {name: ["parses_as"] for name in ("before it", "after it", "the least", "the most")}
    assert rules_that_reject(validated) == {"good": [], "the first": ["between"], "the last": ["between"]} | other_years
    assert [row[0] for row in accepted(validated=validated, contract=raw.contract).collect()] == ["good"]
    # Again, as a replay does, by the texts that the quarantine has. That of year 0 is a time, of days long ago.
    rejected = quarantined(validated=validated, contract=raw.contract)
    again = validate_rows(raw=with_marks(rejected), contract=raw.contract, references={})
    assert rules_that_reject(again) == {
        "the first": ["between"],
        "the last": ["between"],
        **other_years,
        "before it": ["between"],
    }


def with_marks(rejected: DataFrame) -> DataFrame:
    """Rows of the quarantine, as rows that were read."""
    marks = [f"cast(null as string) {name}" for name in ("malformed_row", "undecoded_row", "ill_quoted_row")]
    return rejected.drop("reasons").selectExpr("*", *marks, "cast(null as array<string>) forms")


def test_a_day_is_refused_where_its_time_would_decide_the_day_and_is_quarantined_as_a_text(
    spark: SparkSession, tmp_path: Path
) -> None:
    moved = mapping(datetime_zone="UTC", time_zone="America/Sao_Paulo")
    day = pa.array([date(2018, 10, 17)])
    with pytest.raises(ConfigurationError) as error:
        read_typed(spark, parquet(tmp_path, moved, who=["ann"], at=day, amount=[1]))
    assert str(error.value) == (
        f"{tmp_path}/ledger.parquet: at has days, expected times: a day cannot be brought to another time zone. "
        "Correct the mapping"
    )
    cells = ["2018-10-17", "2018-10-17 00:00", "2018-10-17T00:00:00Z", "2018-10-17 00:00:00"]
    raw = parquet(tmp_path, moved, who=cells, at=cells, amount=[1] * 4)
    validated = validate_rows(raw=read_typed(spark, raw), contract=raw.contract, references={})
    kept = accepted(validated=validated, contract=raw.contract).collect()
    assert [row["customer_unique_id"] for row in kept] == cells[1:]
    # In one zone alone, a day is one.
    same = mapping(datetime_zone="UTC", time_zone="UTC")
    for array in (day, pa.array(["2018-10-17"])):
        assert texts(spark, parquet(tmp_path, same, who=["ann"], at=array, amount=[1]), "order_purchase_time") == [
            "2018-10-17 00:00:00"
        ]


def test_text_in_parquet_is_in_the_form_that_the_mapping_says(spark: SparkSession, tmp_path: Path) -> None:
    of = mapping(csv=CsvForm(decimal=","), datetime_format="dd.MM.yyyy")
    raw = parquet(tmp_path, of, who=[17850.0], at=["17.10.2018"], amount=["1.234,5"])
    assert texts(spark, raw, "customer_unique_id", "order_purchase_time", "payment_value", "forms") == [
        ("17850.0", "2018-10-17 00:00:00", "1.234,5", ["order_purchase_time: time as dd.MM.yyyy"])
    ]


def test_days_times_without_a_zone_and_nanoseconds_are_times(spark: SparkSession, tmp_path: Path) -> None:
    day = "day without a time"
    nanoseconds = 1539777600 * 10**9  # 2018-10-17 12:00:00
    actual = {}
    for name, array in {
        "day": pa.array([date(2018, 10, 17), None]),
        "without a zone": pa.array([NOON, at("2018-10-17 12:00:00.000001")], pa.timestamp("us")),
        "milliseconds": pa.array([NOON], pa.timestamp("ms")),
        "nanoseconds": pa.array([nanoseconds, nanoseconds + 1000, nanoseconds + 1, 20181017], pa.int64()),
        "text": pa.array(["2018-10-17T12:00:00Z"]),
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        raw = parquet(folder, mapping(), who=["ann"] * len(array), at=array, amount=[1] * len(array))
        actual[name] = texts(spark, raw, "order_purchase_time", "forms")
    assert actual == {
        "day": [("2018-10-17 00:00:00", [f"order_purchase_time: {day}"]), (None, None)],
        "without a zone": [("2018-10-17 12:00:00", None), ("2018-10-17 12:00:00.000001", None)],
        "milliseconds": [("2018-10-17 12:00:00", None)],
        "nanoseconds": [
            ("2018-10-17 12:00:00", None),
            ("2018-10-17 12:00:00.000001", None),
            # Neither is a time of Spark, and the rules reject it.
            (str(nanoseconds + 1), None),
            ("20181017", None),
        ],
        "text": [("2018-10-17 12:00:00", ["order_purchase_time: time in another notation"])],
    }


def test_an_instant_is_shown_in_utc_and_needs_its_zone_where_other_days_count(
    spark: SparkSession, tmp_path: Path
) -> None:
    instants = pa.array([NOON.replace(tzinfo=UTC)], pa.timestamp("us", tz="UTC"))
    columns = {"who": ["ann"], "at": instants, "amount": [1]}
    assert texts(spark, parquet(tmp_path, mapping(), **columns), "order_purchase_time") == ["2018-10-17 12:00:00"]
    zone = {"time_zone": "America/Sao_Paulo"}
    with pytest.raises(ConfigurationError) as error:
        read_typed(spark, parquet(tmp_path, mapping(**zone), **columns))
    assert str(error.value) == (
        f"{tmp_path}/ledger.parquet: at is a timestamp that Spark shows in UTC, expected the zone that it is in: "
        "datetime_zone: UTC brings it to America/Sao_Paulo; datetime_zone: America/Sao_Paulo takes it as it is. "
        "Correct the mapping"
    )
    in_utc = parquet(tmp_path, mapping(**zone, datetime_zone="UTC"), **columns)
    assert texts(spark, in_utc, "order_purchase_time") == ["2018-10-17 12:00:00"]


def test_a_missing_column_is_named_with_those_that_are_there(spark: SparkSession, tmp_path: Path) -> None:
    of = mapping(status_col="Status")
    with pytest.raises(DataError) as error:
        read_typed(spark, parquet(tmp_path, of, who=["ann"], AT=[NOON], status=["booked"], amount=[1]))
    assert str(error.value) == (
        f"{tmp_path}/ledger.parquet: no column at, Status (found: who, AT, status, amount). Correct the mapping"
    )


def test_the_rows_of_a_table_are_read_as_those_of_parquet_and_say_where_they_are_from(spark: SparkSession) -> None:
    frame(spark, "who int, at timestamp_ntz, amount decimal(10,2)", (7, NOON, Decimal("1.50"))).createOrReplaceTempView(
        "typed_ledger"
    )
    raw = RawInput(ledger_contract(mapping(), None), "table", table=CatalogueTable("typed_ledger"))
    columns = ("customer_unique_id", "order_purchase_time", "payment_value", "source_file")
    assert texts(spark, raw, *columns) == [("7", "2018-10-17 12:00:00", "1.50", "table:typed_ledger")]
    of = mapping(customer_id_col="name")
    with pytest.raises(DataError) as error:
        read_typed(spark, RawInput(ledger_contract(of, None), "table", table=CatalogueTable("typed_ledger")))
    assert str(error.value) == ("table typed_ledger: no column name (found: who, at, amount). Correct the mapping")
