"""A file of exchange rates: each rate on its day, held where the mapping says so, and each error with its line."""

import hashlib
from datetime import date
from decimal import Decimal

import pytest

from jobs.errors import ConfigurationError
from jobs.inputs import ledger_mapping
from jobs.inputs.ledger_mapping import read_rates
from transforms.rates import Rates
from transforms.sources.mapping import LedgerMapping

HEADER = "currency,date,rate"


def rates(*lines: str, hold: int = 0, header: str = HEADER) -> Rates:
    mapping = LedgerMapping("who", "at", "amount", "EUR", currency_col="code", rates="r.csv", rates_hold_days=hold)
    return read_rates("\n".join([header, *lines]), mapping, name="r.csv")


def by_day(of: Rates, currency: str) -> dict[str, str]:
    """The rates of a currency, by day; without the days that have none."""
    first = of.first_day.toordinal()
    days = ((date.fromordinal(first + place), rate) for place, rate in enumerate(of.by_currency[currency]))
    return {day.isoformat(): str(rate) for day, rate in days if rate is not None}


# 2018-10-19 was a Friday.
WEEK = ["USD,2018-10-18,0.87", "USD,2018-10-19,0.88", "USD,2018-10-22,0.89", "BRL,2018-10-22,0.23"]


def test_without_holding_a_rate_is_of_its_day_alone() -> None:
    week = rates(*WEEK)
    assert by_day(week, "USD") == {"2018-10-18": "0.87", "2018-10-19": "0.88", "2018-10-22": "0.89"}
    assert by_day(week, "BRL") == {"2018-10-22": "0.23"}
    assert (week.first_day, week.currencies) == (date(2018, 10, 18), ("EUR", "BRL", "USD"))


def test_a_rate_holds_over_the_days_after_it_until_the_next_one() -> None:
    friday_on_saturday_and_sunday = {"2018-10-20": "0.88", "2018-10-21": "0.88"}
    beyond_the_last = {"2018-10-23": "0.89", "2018-10-24": "0.89"}
    of_file = {"2018-10-18": "0.87", "2018-10-19": "0.88", "2018-10-22": "0.89"}
    assert by_day(rates(*WEEK, hold=2), "USD") == of_file | friday_on_saturday_and_sunday | beyond_the_last
    one_day = {"2018-10-20": "0.88", "2018-10-23": "0.89"}
    assert by_day(rates(*WEEK, hold=1), "USD") == of_file | one_day


def test_before_its_first_day_a_currency_has_no_rate_however_long_rates_hold() -> None:
    week = rates(*WEEK, hold=31)
    assert min(by_day(week, "BRL")) == "2018-10-22"
    assert min(by_day(week, "USD")) == "2018-10-18"
    # 31 days after the last.
    assert max(by_day(week, "USD")) == "2018-11-22"


def test_lines_may_be_in_any_order_with_spaces_blank_lines_quotes_a_mark_and_windows_line_ends() -> None:
    text = '\ufeffCurrency, DATE ,rate\r\n\r\n"USD", 2018-10-19 , 0.88 \r\n   \r\nUSD,2018-10-18,"0.87"\r\n\r\n'
    mapping = LedgerMapping("who", "at", "amount", "EUR", currency_col="code", rates="r.csv")
    read = read_rates(text, mapping, name="r.csv")
    assert by_day(read, "USD") == {"2018-10-18": "0.87", "2018-10-19": "0.88"}
    assert read.sha256 == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("rate", ["0.00000001", "9999999999.99999999", "7", "007.50", "0.10000000"])
def test_a_rate_has_up_to_ten_digits_before_the_point_and_eight_after_it(rate: str) -> None:
    assert rates(f"USD,2018-10-17,{rate}").by_currency == {"USD": [Decimal(rate)]}


@pytest.mark.parametrize("lines", [[], ["EUR,2018-10-17,1"], ["EUR,2018-10-17,1.00", "", "EUR,2018-10-18,1"]])
def test_a_file_without_other_currencies_has_no_rates(lines: list[str]) -> None:
    assert rates(*lines).currencies == ("EUR",)


def test_a_line_for_the_currency_of_the_mapping_says_1_and_adds_no_day() -> None:
    week = rates("EUR,2001-01-01,1.0", *WEEK)
    assert (week.first_day, week.currencies) == (date(2018, 10, 18), ("EUR", "BRL", "USD"))
    # A file of rates the other way round, as of the ECB: it says what one EUR is worth in each currency.
    for rate in ("1.15", "0.99999999"):
        with pytest.raises(ConfigurationError) as error:
            rates("USD,2018-10-17,0.87", f"EUR,2018-10-17,{rate}")
        assert str(error.value) == (f"r.csv, line 3: found {rate}, expected 1: a rate is what a unit is worth in EUR")


TRIPLE = "expected a currency, a day and a rate, such as USD,2018-10-17,0.86851"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        *[
            (f"USD,2018-10-17,{rate}", f"{TRIPLE}: above 0, with at most 8 decimals")
            for rate in (
                *("0", "-0.5", "-0", "NaN", "nan", "Infinity", "0.123456789", "0.870000000", "10000000000"),
                # Forms of a number that Python reads, and nobody writes into such a file.
                *("1E-9", "1E-8", "1e3", "1_0", "+1", ".5", "1.", "\u0661"),
            )
        ],
        *[
            (line, f"{TRIPLE}. Correct it")
            for line in (
                "USD,2018-10-17,",
                "USD,2018-10-17,x",
                "USD,2018-10-17,0;87",
                "USD,2018-10-17,0,87",
                "USD,2018-10-17",
                "USD,2018-13-17,0.87",
                "USD,17.10.2018,0.87",
                "USD,20181017,0.87",
                "USD,2018-W42-3,0.87",
                "USD,2018-1-7,0.87",
                "USD,2018-10-17 10:00:00,0.87",
                "USD;2018-10-17;0.87",
                ",,",
                '"USD,2018-10-17,0.87',
                "USD,2018-10-17,0.87," + "x" * 200_000,
            )
        ],
        (",2018-10-17,0.87", "expected a currency of at most 16 characters. Correct it"),
        ("x" * 17 + ",2018-10-17,0.87", "expected a currency of at most 16 characters. Correct it"),
        # No row of the ledger may be of these days, and each day up to them would be written out.
        ("USD,9999-12-31,0.87", "expected a day from 1900-01-01 to 2262-04-10. Correct it"),
        ("USD,0018-10-17,0.87", "expected a day from 1900-01-01 to 2262-04-10. Correct it"),
    ],
)
def test_a_line_that_is_no_rate_is_told_with_its_number(line: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        rates("BRL,2018-10-17,0.23", "", line)
    cut_line = line if len(line) <= 100 else f"{line[:99]}…"
    assert str(error.value) == f"r.csv, line 4: found {cut_line}, {message}"


def test_a_second_rate_of_a_day_is_refused_even_if_it_is_the_same() -> None:
    with pytest.raises(ConfigurationError) as error:
        rates("USD,2018-10-17,0.87", "BRL,2018-10-17,0.23", "USD,2018-10-17,0.87")
    assert str(error.value) == "r.csv, line 4: a second rate of USD on 2018-10-17, expected one"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", "nothing"),
        ("currency;date;rate", "currency;date;rate"),
        ("date,currency,rate", "date, currency, rate"),
        ("currency,date", "currency, date"),
        ("USD,2018-10-17,0.87", "usd, 2018-10-17, 0.87"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_file_with_another_header_is_refused(header: str, found: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        rates("USD,2018-10-18,0.87", header=header)
    assert str(error.value) == f"r.csv, line 1: found {found}, expected currency,date,rate"


TOO_MANY = (
    "r.csv: expected at most {currencies} currencies, and {days} days of all of them, from the first day on. Leave out "
    "what is not in the ledger"
)


def refused_as_too_many(*lines: str, hold: int = 0) -> str:
    with pytest.raises(ConfigurationError) as error:
        rates(*lines, hold=hold)
    return str(error.value)


def test_days_count_for_each_currency_from_the_first_day_of_any_and_no_more_than_a_plan_can_hold_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (ledger_mapping.MOST_RATES, ledger_mapping.MOST_CURRENCIES) == (100_000, 40)
    monkeypatch.setattr(ledger_mapping, "MOST_RATES", 6)
    message = TOO_MANY.format(currencies=40, days=6)
    six = [f"USD,2018-10-{day},0.87" for day in range(10, 16)]
    # Six lines below the header, for six days.
    assert len(rates(*six).by_currency["USD"]) == 6
    assert refused_as_too_many(*six, "USD,2018-10-16,0.87") == message
    # Two lines only, six days apart: seven days are written out.
    assert refused_as_too_many("USD,2018-10-10,0.87", "USD,2018-10-16,0.87") == message
    # Two days of USD, and four of BRL, which has no rate before the fourth, but takes a place for each day.
    both = ["USD,2018-10-10,0.87", "USD,2018-10-11,0.87", "BRL,2018-10-13,0.23"]
    assert len(rates(*both).by_currency["BRL"]) == 4
    assert refused_as_too_many(*both, "BRL,2018-10-14,0.23") == message
    # Lines for the currency of the mapping add no day, but a file of too many lines is not read to its end.
    assert refused_as_too_many(*[f"EUR,2018-10-1{day},1" for day in range(7)]) == message


def test_no_more_currencies_are_taken_than_sums_of_all_rows_are_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_mapping, "MOST_CURRENCIES", 2)
    two = ["USD,2018-10-10,0.87", "BRL,2018-10-10,0.23"]
    # That of the mapping is not one of them, whether the file has a line for it or not.
    for lines in (two, ["EUR,2018-10-10,1", *two], [*two, "EUR,2018-10-10,1"]):
        assert rates(*lines).currencies == ("EUR", "BRL", "USD")
    assert refused_as_too_many(*two, "GBP,2018-10-10,1.14") == TOO_MANY.format(currencies=2, days="100,000")
