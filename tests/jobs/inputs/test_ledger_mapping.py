"""The mapping of a ledger in a file: what it says is taken as it is meant, and each error names its line."""

import hashlib
from pathlib import Path

import pytest

from jobs.errors import ConfigurationError
from jobs.inputs.ledger_mapping import load_ledger_files, read_mapping
from transforms.sources.mapping import CsvForm, LedgerMapping

NEEDED = "customer_id_col: who\ndatetime_col: at\nmonetary_value_col: amount\ncurrency: EUR\n"
LEAST = LedgerMapping("who", "at", "amount", "EUR")
DOCS = "Correct it (docs/ledger.md)"


def read(text: str) -> LedgerMapping:
    return read_mapping(NEEDED + text, name="bank.yml")


EVERYTHING = """\
# A bank's ledger.
csv:
  delimiter: ";"
  decimal: ","
  encoding: windows-1252
  header: [who, at, 3, amount]
customer_id_col: "account: id"
datetime_col: booked.at
monetary_value_col: [Quantity, Unit Price]
transaction_id_col: "`id`"
status_col: Status
type_col: kind
channel_col: channel
currency_col: code
datetime_format: dd.MM.yyyy HH:mm
datetime_zone: UTC
time_zone: America/Sao_Paulo
sign: debits negative
types:
  purchase: ["*"]
  return: C*
  reversal: [STORNO, 9]
  other: INTEREST
returns: cancel
returned_transaction_col: original
currency: 978
rates: ecb.csv
rates_hold_days: 4
customer_missing: leave out
keep: {Status: [booked, 1]}
drop: {"a:b": 7}
partitioned_by: day
"""


def test_each_key_of_the_file_is_in_the_mapping_and_numbers_are_texts() -> None:
    assert read_mapping(EVERYTHING, name="bank.yml") == LedgerMapping(
        customer_id_col="account: id",
        datetime_col="booked.at",
        monetary_value_col=("Quantity", "Unit Price"),
        currency="978",
        transaction_id_col="`id`",
        status_col="Status",
        type_col="kind",
        channel_col="channel",
        currency_col="code",
        returned_transaction_col="original",
        datetime_format="dd.MM.yyyy HH:mm",
        datetime_zone="UTC",
        time_zone="America/Sao_Paulo",
        sign="debits negative",
        types={"purchase": ("*",), "return": ("C*",), "reversal": ("STORNO", "9"), "other": ("INTEREST",)},
        returns="cancel",
        rates="ecb.csv",
        rates_hold_days=4,
        customer_missing="leave out",
        keep={"Status": ("booked", "1")},
        drop={"a:b": ("7",)},
        partitioned_by="day",
        csv=CsvForm(";", ",", "windows-1252", ("who", "at", "3", "amount")),
    )


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("", LEAST),
        ("status_col:\nkeep: {}\n", LEAST),
        ("returns: ignore\nsign: all positive\ncsv: {}\n", LEAST),
        ("csv: {header: }\n", LEAST),
        # Words that YAML 1.1 took for booleans.
        ("channel_col: no\n", LedgerMapping("who", "at", "amount", "EUR", channel_col="no")),
        ("keep: {y: [on, off, yes]}\n", LedgerMapping("who", "at", "amount", "EUR", keep={"y": ("on", "off", "yes")})),
    ],
)
def test_a_key_that_is_not_there_has_its_default(text: str, same: LedgerMapping) -> None:
    assert read(text) == same


KEYS = (
    "(expected one of: customer_id_col, datetime_col, monetary_value_col, currency, transaction_id_col, order_id_col, "
    "status_col, type_col, channel_col, currency_col, returned_transaction_col, datetime_format, datetime_zone, "
    "time_zone, sign, types, returns, rates, rates_hold_days, customer_missing, keep, drop, partitioned_by, csv)"
)
CSV_KEYS = "(expected one of: delimiter, decimal, encoding, header)"
A_TEXT = "expected a text; put quotes around it"
SIGNS = "expected 'all positive', 'purchases positive' or 'debits negative'"
RETURNS = "expected 'ignore', 'net' or 'cancel'"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("customer_col: a\n", 5, f"unknown key 'customer_col' {KEYS}"),
        ("\n# A remark.\n5: a\n", 7, f"unknown key 5 {KEYS}"),
        ("__pydantic_config__: {}\n", 5, f"unknown key '__pydantic_config__' {KEYS}"),
        ("status_col: true\n", 5, f"status_col: found True, {A_TEXT}"),
        ("status_col: 1.5\n", 5, f"status_col: found 1.5, {A_TEXT}"),
        ("status_col: ''\n", 5, f"status_col: found '', {A_TEXT}"),
        ("status_col: [a]\n", 5, f"status_col: found ['a'], {A_TEXT}"),
        ("status_col: 2018-10-17\n", 5, f"status_col: found datetime.date(2018, 10, 17), {A_TEXT}"),
        # The number alone would be left of it.
        ("status_col: 007\n", 5, f"status_col: found 7, {A_TEXT}"),
        ("keep: {branch: [007]}\n", 5, f"keep: found 7, {A_TEXT}"),
        ("keep: {branch: 0x1F}\n", 5, f"keep: found 31, {A_TEXT}"),
        ("keep: {branch: [a, true]}\n", 5, f"keep: found True, {A_TEXT}"),
        ("drop: {branch: [1.50]}\n", 5, f"drop: found 1.5, {A_TEXT}"),
        ("drop: {branch: ''}\n", 5, f"drop: found '', {A_TEXT}"),
        ("drop: {branch: }\n", 5, f"drop: found None, {A_TEXT}"),
        ("drop: {branch: [[a]]}\n", 5, f"drop: found ['a'], {A_TEXT}"),
        ("drop: {branch: []}\n", 5, "drop: found no values, expected a list of them for each"),
        ("keep: [a]\n", 5, "keep: found ['a'], expected lists of values by name"),
        ("keep:\n", 5, "keep: found None, expected lists of values by name"),
        ("types: SALE\n", 5, "types: found 'SALE', expected lists of values by name"),
        (
            "type_col: kind\ntypes: {sale: [SALE]}\n",
            6,
            "types is {'sale': ['SALE']}: expected 'purchase', 'return', 'reversal', 'fee' or 'other'",
        ),
        ("sign: positive\n", 5, f"sign is 'positive': {SIGNS}"),
        ("returns: 5\n", 5, f"returns is '5': {RETURNS}"),
        (
            "customer_missing: drop\n",
            5,
            "customer_missing is 'drop': expected 'quarantine' or 'leave out'",
        ),
        ("rates_hold_days: true\n", 5, "rates_hold_days: found True, expected a number of days"),
        ("rates_hold_days: '4'\n", 5, "rates_hold_days: found '4', expected a number of days"),
        ("rates_hold_days: 1.5\n", 5, "rates_hold_days: found 1.5, expected a number of days"),
        ("rates_hold_days: 32\n", 5, "rates_hold_days: expected a number of days from 0 to 31"),
        (
            "datetime_format: DD/MM/YYYY\n",
            5,
            "datetime_format is DD/MM/YYYY: not one of year, month, day and time, expected such as M/d/yyyy H:mm",
        ),
        ("csv: ';'\n", 5, "csv: found ';', expected delimiter, decimal, encoding or header"),
        ("csv:\n", 5, "csv: found None, expected delimiter, decimal, encoding or header"),
        ("csv:\n  decimal: ','\n  separator: ';'\n", 7, f"csv: unknown key 'separator' {CSV_KEYS}"),
        (
            "csv:\n  decimal: ','\n  delimiter: comma\n",
            7,
            "delimiter is 'comma': expected ',', ';', '|', 'tab' or 'whitespace'",
        ),
        ("csv:\n\n  decimal: true\n", 7, "decimal is True: expected '.' or ','"),
        (
            "csv:\n  encoding: latin1\n",
            6,
            "encoding is 'latin1': expected 'utf-8', 'iso-8859-1' or 'windows-1252'",
        ),
        ("csv:\n  header: [a, b, a]\n", 6, "header: found a name twice, expected each column once"),
        (
            "csv:\n  header: []\n",
            6,
            "header: found no names, expected the columns of files that have no header line",
        ),
        ("csv: {header: [a, false]}\n", 5, f"header: found False, {A_TEXT}"),
        # What contradicts another key names the line of its own.
        (
            "returns: net\nchannel_col: c\n",
            5,
            "returns: net: expected what tells returns: sign: purchases positive, or types with return",
        ),
        (
            "order_id_col: a\ntransaction_id_col: b\n",
            5,
            "order_id_col: found transaction_id_col too, expected one: an id for each row, or for several rows",
        ),
        (
            "time_zone: America/Sao_Paulo\ndatetime_zone: UTC\ndatetime_format: dd.MM.yyyy\n",
            6,
            (
                "datetime_zone: found datetime_format dd.MM.yyyy, expected one with hours: a day cannot be brought to "
                "another time zone"
            ),
        ),
        ("time_zone: Mars\n", 5, "time_zone: found no time zone Mars, expected one such as America/Sao_Paulo"),
    ],
)
def test_a_wrong_key_or_value_is_told_with_its_line_in_one_line(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read(text)
    whole = f"bank.yml, line {line}: {message}. {DOCS}"
    shown = str(error.value)
    # A long list of what is expected is cut.
    assert shown == whole if len(message) <= 400 else shown.startswith(whole[:380])
    assert shown.isprintable()


THE_NEEDED = "customer_id_col, datetime_col, monetary_value_col, currency are needed"
A_MAPPING = "expected a mapping that begins with customer_id_col: ..."


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, f"found nothing, {A_MAPPING}. {DOCS}"),
        ("# Nothing yet.\n", 1, f"found nothing, {A_MAPPING}. {DOCS}"),
        ("[a, b]", 1, f"found ['a', 'b'], {A_MAPPING}. {DOCS}"),
        ("{}", 1, f"found {{}}, {A_MAPPING}. {DOCS}"),
        ("5", 1, f"found 5, {A_MAPPING}. {DOCS}"),
        ("customer_id_col: a\n", 1, f"found no datetime_col, expected it: {THE_NEEDED}. {DOCS}"),
        (NEEDED.replace("currency: EUR\n", ""), 1, f"found no currency, expected it: {THE_NEEDED}. {DOCS}"),
        (
            NEEDED.replace("amount", "[a]"),
            3,
            f"monetary_value_col: found 1 columns, expected one, or two whose product it is. {DOCS}",
        ),
        (
            NEEDED.replace("amount", "[a, b, c]"),
            3,
            f"monetary_value_col: found 3 columns, expected one, or two whose product it is. {DOCS}",
        ),
        (NEEDED.replace("amount", "[a, 1.5]"), 3, f"monetary_value_col: found 1.5, {A_TEXT}. {DOCS}"),
        (NEEDED.replace("amount", ""), 3, f"monetary_value_col is None: expected a valid string. {DOCS}"),
        (
            f"{NEEDED}currency: USD\n",
            5,
            'invalid YAML: found duplicate key "currency" with value "USD" (original value: "EUR"). Correct the file',
        ),
        (
            f"{NEEDED}keep: [a\n",
            6,
            "invalid YAML: expected ',' or ']', but got '<stream end>'. Correct the file",
        ),
    ],
)
def test_a_file_that_is_no_mapping_is_told_what_it_is(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_mapping(text, name="bank.yml")
    assert str(error.value) == f"bank.yml, line {line}: {message}"


def test_a_key_that_an_anchor_merges_in_is_a_key_of_the_mapping() -> None:
    text = NEEDED.replace("currency: EUR\n", "csv: &form {delimiter: ';'}\ncurrency: EUR\n")
    assert read_mapping(text, name="bank.yml").csv == CsvForm(";")
    with pytest.raises(ConfigurationError, match=r"^bank.yml, line 4: delimiter is 'x': "):
        read_mapping(text.replace("';'", "x"), name="bank.yml")


def write(folder: Path, text: str, rates: str | None = None, *, name: str = "rates.csv") -> str:
    (folder / "bank.yml").write_text(text, encoding="utf-8")
    if rates is not None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(rates, encoding="utf-8")
    return str(folder / "bank.yml")


RATES = "currency,date,rate\nUSD,2018-10-17,0.87\n"


def test_files_are_kept_as_texts_with_their_checksums(tmp_path: Path) -> None:
    text = f"{NEEDED}# Größe\r\ncurrency_col: code\nrates: fx/ecb.csv\n"
    (tmp_path / "bank.yml").write_bytes(text.encode())
    (tmp_path / "fx").mkdir()
    (tmp_path / "fx" / "ecb.csv").write_bytes(RATES.replace("\n", "\r\n").encode())
    files = load_ledger_files(str(tmp_path / "bank.yml"))
    assert files.text == text
    assert files.sha256 == hashlib.sha256((tmp_path / "bank.yml").read_bytes()).hexdigest()
    assert files.rates is not None
    assert files.rates.sha256 == hashlib.sha256((tmp_path / "fx" / "ecb.csv").read_bytes()).hexdigest()
    assert files.rates.currencies == ("EUR", "USD")


@pytest.mark.parametrize("place", ["rates.csv", "fx/ecb.csv", "../{folder}/rates.csv", "{path}/rates.csv"])
def test_rates_lie_beside_the_mapping_or_at_a_path_of_their_own(tmp_path: Path, place: str) -> None:
    name = place.format(folder=tmp_path.name, path=tmp_path)
    place_of_rates = "fx/ecb.csv" if "fx" in place else "rates.csv"
    file = write(tmp_path, f"{NEEDED}currency_col: code\nrates: {name}\n", RATES, name=place_of_rates)
    assert load_ledger_files(file).rates_text == RATES


def test_a_mapping_without_rates_reads_none(tmp_path: Path) -> None:
    files = load_ledger_files(write(tmp_path, NEEDED, RATES))
    assert (files.mapping, files.rates, files.rates_text) == (LEAST, None, None)


def test_a_mapping_or_rates_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_ledger_files(str(tmp_path / "bank.yml"))
    assert str(error.value) == (
        f"--mapping {tmp_path}/bank.yml: no such file. Check the path; python -m jobs.ledger propose FILE writes a "
        "first mapping"
    )
    file = write(tmp_path, f"{NEEDED}currency_col: code\nrates: ecb.csv\n")
    with pytest.raises(ConfigurationError) as error:
        load_ledger_files(file)
    assert str(error.value) == (
        f"--mapping {file}: rates {tmp_path}/ecb.csv: no such file. Put it there, or correct the mapping"
    )
