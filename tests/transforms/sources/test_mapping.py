"""A mapping says what the columns of a ledger are, and one that contradicts itself cannot be built."""

from typing import Any

import pytest

from transforms.sources.mapping import CsvForm, LedgerMapping, MappingError


def mapping(**changes: Any) -> LedgerMapping:
    """A mapping of the least that is needed, with changes."""
    needed = {"customer_id_col": "who", "datetime_col": "at", "monetary_value_col": "amount", "currency": "EUR"}
    return LedgerMapping(**{**needed, **changes})


TYPES = {"purchase": ("SALE",), "return": ("REFUND",)}
CANCEL = (
    "cancel: expected returned_transaction_col, in which a return names what it takes back, and transaction_id_col, "
    "which has that name. Without them returns can be net or ignore"
)
TELLS_RETURNS = "expected what tells returns: sign: purchases positive, or types with return"
CODE = "expected a code of at most 16 characters, such as EUR"
HOLD = "expected a number of days from 0 to 31"


@pytest.mark.parametrize(
    ("changes", "key", "message"),
    [
        (
            {"transaction_id_col": "id", "order_id_col": "invoice"},
            "order_id_col",
            "found transaction_id_col too, expected one: an id for each row, or for several rows",
        ),
        ({"returns": "cancel", "sign": "purchases positive"}, "returns", CANCEL),
        ({"returns": "cancel", "sign": "purchases positive", "transaction_id_col": "id"}, "returns", CANCEL),
        ({"returns": "cancel", "sign": "purchases positive", "returned_transaction_col": "of"}, "returns", CANCEL),
        (
            {"returns": "cancel", "returned_transaction_col": "of", "order_id_col": "invoice", "sign": "all positive"},
            "returns",
            CANCEL,
        ),
        (
            {"returns": "cancel", "returned_transaction_col": "of", "transaction_id_col": "id"},
            "returns",
            f"cancel: {TELLS_RETURNS}",
        ),
        ({"returns": "net"}, "returns", f"net: {TELLS_RETURNS}"),
        (
            {"returns": "net", "type_col": "kind", "types": {"purchase": ("*",), "fee": ("FEE",)}},
            "returns",
            f"net: {TELLS_RETURNS}",
        ),
        ({"types": TYPES}, "types", "found no type_col, expected the column with these values"),
        (
            {"type_col": "kind"},
            "type_col",
            'expected types with the values that are purchases, such as types: {purchase: ["*"]}',
        ),
        (
            {"type_col": "kind", "types": {"return": ("REFUND",)}},
            "type_col",
            'expected types with the values that are purchases, such as types: {purchase: ["*"]}',
        ),
        (
            {"type_col": "kind", "types": {"purchase": ("A", "B"), "fee": ("B",)}},
            "types",
            "found B as purchase and as fee, expected it once",
        ),
        (
            {"type_col": "kind", "types": {"purchase": ("A", "A")}},
            "types",
            "found A as purchase and as purchase, expected it once",
        ),
        (
            {"type_col": "kind", "types": {"purchase": ("A",), "fee": ()}},
            "types",
            "found no values, expected a list of them for each",
        ),
        ({"keep": {"status": ()}}, "keep", "found no values, expected a list of them for each"),
        ({"drop": {"status": ()}}, "drop", "found no values, expected a list of them for each"),
        (
            {"keep": {"status": ("booked",), "b": ("1",)}, "drop": {"status": ("held",), "b": ("2",)}},
            "drop",
            "found b in keep too, expected each column in one of them",
        ),
        ({"currency": ""}, "currency", CODE),
        ({"currency": "x" * 17}, "currency", CODE),
        ({"currency": "EU\nR"}, "currency", CODE),
        (
            {"rates": "rates.csv"},
            "rates",
            "found no currency_col, expected the column that says the currency of a row",
        ),
        ({"rates_hold_days": -1}, "rates_hold_days", HOLD),
        ({"rates_hold_days": 32}, "rates_hold_days", HOLD),
        *[
            ({"time_zone": zone}, "time_zone", f"found no time zone {zone}, expected one such as America/Sao_Paulo")
            # The last four are files of some machines, and no zones to Java.
            for zone in ("Mars/Base", "", "../etc/passwd", "+03:00", "posix/Europe/Berlin", "localtime", "Factory")
        ],
        (
            {"datetime_zone": "Europe/Berln", "time_zone": "Europe/Berlin"},
            "datetime_zone",
            "found no time zone Europe/Berln, expected one such as America/Sao_Paulo",
        ),
        (
            {"datetime_zone": "UTC"},
            "datetime_zone",
            "found no time_zone, expected the zone whose days count too",
        ),
        *[
            (
                {"datetime_format": days, "datetime_zone": "UTC", "time_zone": "America/Sao_Paulo"},
                "datetime_zone",
                f"found datetime_format {days}, expected one with hours: a day cannot be brought to another time zone",
            )
            for days in ("dd.MM.yyyy", "MM/dd/yy", "yyyy-MM-dd 'T' mm:ss")
        ],
    ],
)
def test_a_mapping_that_contradicts_itself_names_the_key_what_was_found_and_what_is_expected(
    changes: dict[str, Any], key: str, message: str
) -> None:
    with pytest.raises(MappingError) as error:
        mapping(**changes)
    assert (error.value.key, str(error.value)) == (key, message)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"returns": "net", "sign": "debits negative"},
        {"returns": "net", "type_col": "kind", "types": {"purchase": ("*",), "reversal": ("STORNO",)}},
        {"returns": "cancel", "returned_transaction_col": "of", "transaction_id_col": "id", "sign": "debits negative"},
        {"rates_hold_days": 31, "currency": "x" * 16, "currency_col": "code", "rates": "rates.csv"},
        {"datetime_zone": "UTC", "time_zone": "America/Sao_Paulo"},
        {"datetime_zone": "UTC", "time_zone": "America/Sao_Paulo", "datetime_format": "dd.MM.yyyy H:mm"},
        {"datetime_zone": "UTC", "time_zone": "America/Sao_Paulo", "datetime_format": "dd.MM.yyyy hh:mm a"},
        # Days stay days where nothing is moved.
        {"datetime_zone": "UTC", "time_zone": "UTC", "datetime_format": "dd.MM.yyyy"},
        {"time_zone": "America/Sao_Paulo", "datetime_format": "dd.MM.yyyy"},
        {"type_col": "kind", "types": {"purchase": ("P",), "other": ("*",)}},
        {"keep": {"status": ("booked",)}, "drop": {"channel": ("internal",)}},
    ],
)
def test_a_mapping_without_a_contradiction_is_taken(changes: dict[str, Any]) -> None:
    assert mapping(**changes).currency_col == changes.get("currency_col")


@pytest.mark.parametrize(
    ("zones", "moves"),
    [
        ({}, False),
        ({"time_zone": "America/Sao_Paulo"}, False),
        ({"time_zone": "America/Sao_Paulo", "datetime_zone": "America/Sao_Paulo"}, False),
        ({"time_zone": "America/Sao_Paulo", "datetime_zone": "UTC"}, True),
        ({"time_zone": "UTC", "datetime_zone": "America/Sao_Paulo"}, True),
    ],
)
def test_times_are_moved_where_they_are_written_in_another_zone_than_the_one_that_counts(
    zones: dict[str, str], moves: bool
) -> None:
    assert mapping(**zones).moves_times is moves


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (("a", "b", "a"), "found a name twice, expected each column once"),
        ((), "found no names, expected the columns of files that have no header line"),
    ],
)
def test_the_columns_of_files_without_a_header_are_named_once_each(header: tuple[str, ...], message: str) -> None:
    with pytest.raises(MappingError) as error:
        CsvForm(header=header)
    assert (error.value.key, str(error.value)) == ("header", message)


@pytest.mark.parametrize(
    ("delimiter", "separator"), [(",", ","), (";", ";"), ("|", "|"), ("tab", "\t"), ("whitespace", "\t")]
)
def test_the_words_for_delimiters_stand_for_a_character(delimiter: Any, separator: str) -> None:
    assert CsvForm(delimiter=delimiter).separator == separator


def test_the_columns_of_a_checked_ledger_are_those_that_the_mapping_names() -> None:
    assert mapping().columns == {
        "customer_unique_id": "who",
        "order_purchase_time": "at",
        "payment_value": "amount",
    }
    everything = mapping(
        transaction_id_col="id",
        monetary_value_col=("count", "price"),
        status_col="status",
        type_col="kind",
        types=TYPES,
        channel_col="channel",
        currency_col="code",
        returned_transaction_col="of",
        keep={"status": ("booked",), "branch": ("1",)},
        drop={"channel": ("internal",), "note": ("test*",)},
    )
    assert everything.columns == {
        "order_id": "id",
        "customer_unique_id": "who",
        "order_purchase_time": "at",
        "quantity": "count",
        "unit_price": "price",
        "order_status": "status",
        "transaction_type": "kind",
        "channel": "channel",
        "currency": "code",
        "returned_order_id": "of",
        "filtered_by_1": "branch",
        "filtered_by_2": "note",
    }
    assert everything.factors == ("count", "price")
    assert everything.amount_columns == ("quantity", "unit_price")
    assert (mapping().factors, mapping().amount_columns) == (("amount",), ("payment_value",))


def test_the_id_of_a_row_or_of_its_order_is_the_id() -> None:
    ids = [mapping(**changes).id_col for changes in ({"transaction_id_col": "id"}, {"order_id_col": "invoice"}, {})]
    assert ids == ["id", "invoice", None]
    assert mapping(order_id_col="invoice").columns["order_id"] == "invoice"


def test_a_filter_reads_the_text_of_its_column_and_never_the_number_or_the_time_made_of_it() -> None:
    filtered = mapping(
        status_col="status", keep={"status": ("a",), "amount": ("0",)}, drop={"at": ("2018*",), "who": ("test",)}
    )
    columns = {column: filtered.column_of(column) for column in ("status", "amount", "at", "who")}
    assert columns == {
        "status": "order_status",
        "amount": "filtered_by_1",
        "at": "filtered_by_2",
        "who": "customer_unique_id",
    }
    assert (filtered.columns["filtered_by_1"], filtered.columns["payment_value"]) == ("amount", "amount")


def test_two_columns_of_the_checked_ledger_may_be_one_of_the_file() -> None:
    both = mapping(order_id_col="invoice", type_col="invoice", types={"purchase": ("*",), "return": ("C*",)})
    assert (both.columns["order_id"], both.columns["transaction_type"]) == ("invoice", "invoice")
    assert both.column_of("invoice") == "order_id"


@pytest.mark.parametrize("name", ["a:b", "a.b", "a`b", "a b", " a", "A", "größe", "a,b", "a\tb", "$a", "*"])
def test_a_column_of_the_file_may_have_any_name(name: str) -> None:
    named = mapping(customer_id_col=name, keep={f"{name} too": ("x",)})
    assert named.columns["customer_unique_id"] == name
    assert named.column_of(f"{name} too") == "filtered_by_1"


def test_exact_values_come_before_beginnings_and_longer_beginnings_before_shorter_ones() -> None:
    types = {"purchase": ("*", "CASH"), "return": ("C*", "CR"), "reversal": ("CX*", "S"), "fee": ("CXY",)}
    values = mapping(type_col="kind", types=types).kinds_by_value()
    assert values == [
        ("CASH", "purchase"),
        ("CXY", "fee"),
        ("CR", "return"),
        ("S", "reversal"),
        ("CX*", "reversal"),
        ("C*", "return"),
        ("*", "purchase"),
    ]
