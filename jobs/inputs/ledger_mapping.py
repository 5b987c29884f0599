"""The mapping of a ledger, and its exchange rates: read from the user's files, each error with its line."""

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml.comments import CommentedMap

from expectations.contracts.yaml_text import YAMLTextError, load_yaml
from expectations.rules.cell_forms import ColumnForm
from jobs.errors import ConfigurationError
from jobs.storage.uris import folder_at
from transforms.bounded_text import cut, shown
from transforms.rates import Rates
from transforms.schemas import FIRST_TIME, LAST_TIME
from transforms.sources.mapping import LONGEST_CURRENCY, CsvForm, LedgerMapping, MappingError

RATE_TEXT = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
RATES_HEADER = ["currency", "date", "rate"]
MOST_RATES = 100_000
"""Days of all currencies, each from its first rate of any currency on. They are part of the plan of each query."""
MOST_CURRENCIES = 40
"""Each costs a sum over all rows."""
LARGEST_RATE, RATE_DECIMALS = 10**10, 8
LONGEST_MESSAGE = 400
KEYS, CSV_KEYS = (tuple(field.name for field in fields(kind)) for kind in (LedgerMapping, CsvForm))
LISTS = ("types", "keep", "drop")
"""Keys whose values are lists of texts, each of which may be written without a list if it is one."""


@dataclass(frozen=True)
class LedgerFiles:
    """The files that describe a ledger, as texts, and what they say.

    Attributes:
        mapping: what the columns are.
        text: of the mapping.
        rates: of its currencies; None where the mapping names none.
        rates_text: of the file of rates.
    """

    mapping: LedgerMapping
    text: str
    rates: Rates | None = None
    rates_text: str | None = None

    @property
    def sha256(self) -> str:
        """The checksum of the mapping."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def load_ledger_files(file: str) -> LedgerFiles:
    """Read a mapping, and the rates that it names.

    Args:
        file: from ``--mapping``.

    Raises:
        ConfigurationError: There is no such file, or what is in it is not a mapping, or are not rates.
    """
    text = folder_at(file, argument="--mapping").read()
    if text is None:
        raise ConfigurationError(
            f"--mapping {file}: no such file. Check the path; python -m jobs.ledger propose FILE writes a first mapping"
        )
    mapping = read_mapping(text, name=f"--mapping {file}")
    if mapping.rates is None:
        return LedgerFiles(mapping, text)
    place = _beside(file, mapping.rates)
    rates_text = folder_at(place, argument="rates").read()
    if rates_text is None:
        raise ConfigurationError(f"--mapping {file}: rates {place}: no such file. Put it there, or correct the mapping")
    return LedgerFiles(mapping, text, read_rates(rates_text, mapping, name=place), rates_text)


def read_mapping(text: str, *, name: str) -> LedgerMapping:
    """The mapping that a YAML text is.

    Args:
        text: of the file.
        name: of the file, for messages.

    Raises:
        ConfigurationError: It is not one; the message has the line.
    """
    try:
        content = load_yaml(text)
    except YAMLTextError as error:
        raise ConfigurationError(f"{name}, line {error.line + 1}: {error}. Correct the file") from None
    return _MappingReader(name).read(content)


Built = TypeVar("Built")


class _MappingReader:
    """Reads one mapping. Every error names the line that caused it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def read(self, content: Any) -> LedgerMapping:
        if not isinstance(content, CommentedMap) or not content:
            actual = "nothing" if content is None else shown(content)
            self._fail(0, f"found {actual}, expected a mapping that begins with customer_id_col: ...")
        for key in content:
            if key not in KEYS:
                self._fail(_line_of(content, key), f"unknown key {shown(key)} (expected one of: {', '.join(KEYS)})")
        values = {key: self._value(key, value, _line_of(content, key)) for key, value in content.items()}
        if "csv" in values:
            values["csv"] = self._build(CsvForm, values["csv"], content["csv"], _line_of(content, "csv"))
        mapping = self._build(LedgerMapping, values, content, 0)
        try:
            ColumnForm(format=mapping.datetime_format)
        except ValueError as error:
            cause = str(error).removeprefix("format is ")
            self._fail(_line_of(content, "datetime_format"), f"datetime_format is {mapping.datetime_format}: {cause}")
        return mapping

    def _value(self, key: str, value: Any, line: int) -> Any:
        """A value with texts in place of what YAML makes of them, such as numbers."""
        if key in LISTS:
            if not isinstance(value, CommentedMap):
                self._fail(line, f"{key}: found {shown(value)}, expected lists of values by name")
            return {str(name): tuple(self._texts(key, values, line)) for name, values in value.items()}
        if key == "csv":
            if not isinstance(value, CommentedMap):
                self._fail(line, f"csv: found {shown(value)}, expected delimiter, decimal, encoding or header")
            for name in value:
                if name not in CSV_KEYS:
                    expected = ", ".join(CSV_KEYS)
                    self._fail(
                        _line_of(value, name, line), f"csv: unknown key {shown(name)} (expected one of: {expected})"
                    )
            header = value.get("header")
            return {**value, **({} if header is None else {"header": tuple(self._texts("header", header, line))})}
        if key == "monetary_value_col" and isinstance(value, list):
            factors = tuple(self._texts(key, value, line))
            if len(factors) != 2:
                self._fail(line, f"{key}: found {len(factors)} columns, expected one, or two whose product it is")
            return factors
        if key == "rates_hold_days":
            if isinstance(value, bool) or not isinstance(value, int):
                self._fail(line, f"{key}: found {shown(value)}, expected a number of days")
            return value
        return value if value is None else next(self._texts(key, [value], line))

    def _texts(self, key: str, values: Any, line: int) -> Iterator[str]:
        for value in values if isinstance(values, list) else [values]:
            # Of 007 the number alone would be left; a plain number has a plain type.
            is_text = (isinstance(value, str) and value != "") or type(value) is int
            if not is_text:
                self._fail(line, f"{key}: found {shown(value)}, expected a text; put quotes around it")
            yield str(value)

    def _build(self, kind: type[Built], values: Mapping[str, Any], content: CommentedMap, line: int) -> Built:
        try:
            return TypeAdapter(kind).validate_python(dict(values))
        except ValidationError as error:
            self._fail_for(error.errors()[0], values, content, line)

    def _fail_for(self, problem: Any, values: Mapping[str, Any], content: CommentedMap, line: int) -> NoReturn:
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, MappingError):
            self._fail(_line_of(content, cause.key, line), f"{cause.key}: {cause}")
        key = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "missing" or key not in values:
            self._fail(line, f"found no {key}, expected it: {', '.join(_REQUIRED)} are needed")
        message = problem["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
        self._fail(_line_of(content, key, line), f"{key} is {shown(values[key])}: {message}")

    def _fail(self, line: int, message: str) -> NoReturn:
        raise ConfigurationError(
            f"{self._name}, line {line + 1}: {cut(message, longest=LONGEST_MESSAGE)}. Correct it (docs/ledger.md)"
        )


_REQUIRED = ("customer_id_col", "datetime_col", "monetary_value_col", "currency")


def read_rates(text: str, mapping: LedgerMapping, *, name: str) -> Rates:
    """The rates that a CSV text has, one per currency and day, each held over the days after it that have none.

    Args:
        text: of the file, with the header currency,date,rate.
        mapping: with the currency that amounts are converted to, and for how many days a rate holds.
        name: of the file, for messages.

    Raises:
        ConfigurationError: A line is no rate, or a rate is there twice.
    """
    first_line, *lines = text.removeprefix("\ufeff").splitlines() or [""]
    header = [column.strip().lower() for column in first_line.split(",")]
    if header != RATES_HEADER:
        raise ConfigurationError(
            f"{name}, line 1: found {', '.join(header)[:200] or 'nothing'}, expected {','.join(RATES_HEADER)}"
        )
    by_currency: dict[str, dict[date, Decimal]] = defaultdict(dict)
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        currency, day, rate = _rate_of(line, f"{name}, line {number}")
        if day in by_currency[currency]:
            raise ConfigurationError(f"{name}, line {number}: a second rate of {currency} on {day}, expected one")
        if currency == mapping.currency and rate != 1:
            raise ConfigurationError(
                f"{name}, line {number}: found {rate}, expected 1: a rate is what a unit is worth in {mapping.currency}"
            )
        by_currency[currency][day] = rate
        if number - 1 > MOST_RATES or len({*by_currency} - {mapping.currency}) > MOST_CURRENCIES:
            raise _too_many(name)
    rates = {currency: of_days for currency, of_days in by_currency.items() if currency != mapping.currency}
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    if not rates:
        return Rates(mapping.currency, date(1970, 1, 1), {}, sha256)
    first = min(min(of_days) for of_days in rates.values())
    if sum((max(of_days) - first).days + 1 for of_days in rates.values()) > MOST_RATES:
        raise _too_many(name)
    held = {currency: _held(of_days, first, mapping.rates_hold_days) for currency, of_days in rates.items()}
    return Rates(mapping.currency, first, held, sha256)


def _too_many(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"{name}: expected at most {MOST_CURRENCIES} currencies, and {MOST_RATES:,} days of all of them, from the "
        "first day on. Leave out what is not in the ledger"
    )


def _rate_of(line: str, place: str) -> tuple[str, date, Decimal]:
    found, expected = cut(line, longest=100), "expected a currency, a day and a rate, such as USD,2018-10-17,0.86851"
    try:
        currency, day, rate = (cell.strip() for cell in next(csv.reader([line])))
        value = (currency, _day_of(day), Decimal(rate))
    except (ValueError, InvalidOperation, csv.Error):
        raise ConfigurationError(f"{place}: found {found}, {expected}. Correct it") from None
    if not 1 <= len(currency) <= LONGEST_CURRENCY:
        raise ConfigurationError(
            f"{place}: found {found}, expected a currency of at most {LONGEST_CURRENCY} characters. Correct it"
        )
    if not FIRST_TIME <= value[1] <= LAST_TIME:
        raise ConfigurationError(f"{place}: found {found}, expected a day from {FIRST_TIME} to {LAST_TIME}. Correct it")
    if not RATE_TEXT.fullmatch(rate) or not _is_rate(value[2]):
        raise ConfigurationError(f"{place}: found {found}, {expected}: above 0, with at most {RATE_DECIMALS} decimals")
    return value


def _day_of(text: str) -> date:
    """The day of a text such as 2018-10-17. ISO 8601 has other forms, which nobody writes into such a file.

    Raises:
        ValueError: It is none.
    """
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError(text)
    return day


def _is_rate(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return number.is_finite() and 0 < number < LARGEST_RATE and isinstance(exponent, int) and exponent >= -RATE_DECIMALS


def _held(of_days: Mapping[date, Decimal], first: date, hold_days: int) -> list[Decimal | None]:
    """The rate of each day from the first on. One day more than that is given lets a rate hold beyond the last."""
    rates: list[Decimal | None] = []
    last = max(of_days) + timedelta(days=hold_days)
    held, since = None, 0
    for offset in range((last - first).days + 1):
        rate = of_days.get(first + timedelta(days=offset))
        held, since = (rate, 0) if rate is not None else (held, since + 1)
        rates.append(held if since <= hold_days else None)
    return rates


def _beside(file: str, name: str) -> str:
    """The place of a file that another names: a path of its own, or beside the other."""
    if "://" in name or name.startswith(("/", "~")):
        return name
    folder, slash, _ = file.rpartition("/")
    return f"{folder}{slash}{name}"


def _line_of(values: CommentedMap, key: Any, line: int = 0) -> int:
    # A value that is merged in from an anchor (<<) has no line of its own here.
    return int(values.lc.key(key)[0]) if key in (values.lc.data or {}) else line
