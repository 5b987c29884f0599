"""Texts and the values that they stand for."""

from itertools import combinations, product

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType

from expectations import rules
from expectations.rules import Cells
from expectations.rules.cells import TIMESTAMP_TEXT, parsed
from tests.expectations.rules.reasons import TEXT, TIME, WHOLE, raw_columns, reasons_of, texts
from tests.frames import at, frame, money
from transforms.schemas import MONEY

# A value, but in so many digits that reading it is an attack.
MANY_ZEROS = "0" * 100_000 + "1"

GOOD_TEXTS = {
    WHOLE: ["1", "-1", "+7", "007", "2147483647"],
    MONEY: ["1", "-1.5", "0.0001", "99999999999999.9999", "99.9000000"],
    TIME: ["2018-02-28 00:00:00", "2020-02-29 23:59:59", "2018-01-01 00:00:00.5"],
}
BAD_TEXTS = {
    WHOLE: ["1.5", "1e3", "x", " 1", "1 ", "1\n", "1\r", "2147483648", "", "\u0661", MANY_ZEROS],
    MONEY: [
        "0.00001",
        "0.0000000000001",
        "100000000000000",
        "1e2",
        "NaN",
        "R$ 1",
        " 1",
        "1\n",
        MANY_ZEROS,
        f"1.{MANY_ZEROS}",
    ],
    TIME: ["2018-02-29 00:00:00", "2018-01-01", "2018-01-01 24:00:00", "2018-01-01 00:00:00\n", "01/02/2018 10:00:00"],
}
FORMS = {
    WHOLE: "expected a whole number of at most 2,147,483,647",
    MONEY: "expected a number with at most 14 digits before the point and 4 after it",
    TIME: "expected a time such as 2018-10-17 17:30:18",
}


@pytest.mark.parametrize("kind", [WHOLE, MONEY, TIME], ids=["whole number", "money", "time"])
def test_text_parses_exactly_or_not_at_all(spark: SparkSession, kind: DataType) -> None:
    good, bad = GOOD_TEXTS[kind], BAD_TEXTS[kind]
    reasons = reasons_of(spark, rules.ParsesAs("a", kind), raw_columns(kind), *texts(*good, None, *bad))
    failed = [("parses_as", "a", text, FORMS[kind]) for text in bad]
    assert reasons == [*[None] * len(good), None, *failed]


def test_a_text_stands_for_a_value_of_its_type(spark: SparkSession) -> None:
    texts = frame(spark, "i string, m string, t string, s string", ("7", "0.1", "2018-01-01 00:00:01", ""))
    columns = [parsed(F.col(name), kind) for name, kind in (("i", WHOLE), ("m", MONEY), ("t", TIME), ("s", TEXT))]
    assert texts.select(*columns).first() == (7, money("0.1"), at("2018-01-01 00:00:01"), "")


GERMAN = Cells({"a": MONEY, "b": WHOLE}, are_text=True, decimal_comma=True)
WITH_COMMA = {
    "12,50": "12.50",
    "1.234,5": "1234.5",
    "1234,5": "1234.5",
    "1.234.567,8912": "1234567.8912",
    "-1.234": "-1234",
    "12.500": "12500",
    "+0,0001": "0.0001",
    "0,50000000": "0.5",
    "5": "5",
    "5,": "5",
    "99.999.999.999.999,9999": "99999999999999.9999",
}
NOT_WITH_COMMA = [
    *("12.50", "1.23,4", "1.2345", "1234.567", "1234.567,8", "1,234.5", "1.234.56", "1,2,3", "1..234", ".500", ",5"),
    *("1.234,56789", "100.000.000.000.000", "1 234,5", "1'234,5", "1,5 EUR", " 1,5", "1,5\n", "1,5e3", "0.50", "", "-"),
    "1" + ".000" * 1000,
    f"{MANY_ZEROS},5",
]


def test_with_a_decimal_comma_points_may_stand_between_thousands_and_nowhere_else(spark: SparkSession) -> None:
    read = frame(spark, "text string", *[(text,) for text in (*WITH_COMMA, *NOT_WITH_COMMA)])
    values = read.select("text", parsed(F.col("text"), MONEY, decimal_comma=True).alias("value")).collect()
    expected = {text: money(number) for text, number in WITH_COMMA.items()} | dict.fromkeys(NOT_WITH_COMMA)
    assert {row["text"]: row["value"] for row in values} == expected


def test_a_decimal_comma_is_the_columns_own_and_whole_numbers_have_none(spark: SparkSession) -> None:
    rows = [{"a": "1,5", "b": "7"}, {"a": "1.5", "b": "1.234"}]
    assert [reason and reason["value"] for reason in reasons_of(spark, rules.ParsesAs("a", MONEY), GERMAN, *rows)] == [
        None,
        "1.5",
    ]
    assert [reason and reason["value"] for reason in reasons_of(spark, rules.ParsesAs("b", WHOLE), GERMAN, *rows)] == [
        None,
        "1.234",
    ]
    [value] = frame(spark, "a string", ("1.234,5",)).select(GERMAN.value("a")).collect()
    assert value[0] == money("1234.5")


def test_no_text_of_19_bytes_is_a_time_but_those_of_the_expression(spark: SparkSession) -> None:
    plain = "2018-01-21 10:05:35"
    spoiled = []
    for places in combinations(range(len(plain)), 2):
        for signs in product("5 -+:.TZ\0\t\u0661", repeat=2):
            text = list(plain)
            for place, sign in zip(places, signs, strict=True):
                text[place] = sign
            spoiled.append(("".join(text),))
    rows = frame(spark, "text string", (plain,), *spoiled)
    by_expression = F.when(F.col("text").rlike(TIMESTAMP_TEXT), F.col("text").try_cast("timestamp"))
    other = rows.where(~parsed(F.col("text"), TIME).eqNullSafe(by_expression))
    assert [row["text"] for row in other.collect()] == []
