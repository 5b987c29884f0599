"""Exchange rates in a plan: the same as in a dictionary."""

from copy import deepcopy
from datetime import date, timedelta
from decimal import Decimal

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tests.frames import frame
from transforms.rates import Rates

FRIDAY = date(2018, 10, 19)
RATES = Rates(
    target="EUR",
    first_day=FRIDAY,
    by_currency={
        "USD": [Decimal("0.87"), Decimal("0.87"), None, Decimal("0.00000001")],
        "R$ \"B'L\\": [None, Decimal("9999999999.12345678")],
        "KWD": [Decimal("1E+3"), Decimal("2E-8"), Decimal("3.30")],
    },
    sha256="ab",
)
ONE = Decimal(1)


def expected(currency: str | None, day: date | None) -> Decimal | None:
    """The rate as a dictionary has it."""
    if currency == "EUR":
        return ONE
    by_day = {
        (name, FRIDAY + timedelta(days=place)): rate
        for name, rates in RATES.by_currency.items()
        for place, rate in enumerate(rates)
    }
    return by_day.get((currency, day)) if currency is not None and day is not None else None


def test_each_currency_has_the_rate_of_its_day_and_there_is_none_for_other_days_and_currencies(
    spark: SparkSession,
) -> None:
    days = [*(FRIDAY + timedelta(days=number) for number in range(-400, 400)), date(1900, 1, 1), None]
    currencies = [*RATES.currencies, "usd", "USD ", "GBP", "", None]
    pairs = [(currency, day) for currency in currencies for day in days]
    rows = frame(spark, "currency string, day date", *pairs)
    rate = RATES.on(F.col("day"), currency=F.col("currency")).alias("rate")
    actual = {(row["currency"], row["day"]): row["rate"] for row in rows.select("currency", "day", rate).collect()}
    assert actual == {pair: expected(*pair) for pair in pairs}
    # Fridays of EUR are not all that was compared: seven rates of other currencies are none of its own.
    assert sum(value is not None for (currency, _), value in actual.items() if currency != "EUR") == 7


def test_without_other_currencies_the_target_alone_has_a_rate(spark: SparkSession) -> None:
    alone = Rates("EUR", date(1970, 1, 1), {}, "ab")
    rows = frame(spark, "currency string", ("EUR",), ("USD",), (None,))
    rates = rows.select("currency", alone.on(F.lit(FRIDAY), currency=F.col("currency")).alias("rate")).collect()
    assert {row["currency"]: row["rate"] for row in rates} == {"EUR": ONE, "USD": None, None: None}


def test_the_target_is_the_first_of_the_currencies() -> None:
    assert RATES.currencies == ("EUR", "KWD", "R$ \"B'L\\", "USD")


def test_rates_stand_for_themselves_in_a_text_that_names_their_file_and_not_each_rate() -> None:
    assert str(RATES) == "rates to EUR, sha256 ab"
    # A rule is hashed by its fields, and a copy of them holds the rates themselves.
    assert deepcopy({"rates": RATES})["rates"] is RATES
