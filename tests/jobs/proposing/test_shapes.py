"""What is proposed of exports in well-known shapes."""

from pathlib import Path

import pytest

from jobs.proposing.mapping_text import propose
from tests.jobs.proposing.exports import (
    CDNOW,
    bank_ledger,
    comment_at,
    german_bank,
    mapping_at,
    online_retail,
    written,
)


def test_a_shop_with_invoices_of_several_lines_is_mapped_by_quantity_times_price(tmp_path: Path) -> None:
    assert mapping_at(written(tmp_path / "retail.csv", online_retail())) == {
        "customer_id_col": "Customer ID",
        "datetime_col": "InvoiceDate",
        "monetary_value_col": ["Quantity", "Price"],
        "order_id_col": "Invoice",
        "type_col": "Invoice",
        "sign": "purchases positive",
        "types": {"purchase": ["*"], "return": ["C*"]},
        "returns": "ignore",
        "currency": "EUR",
        "customer_missing": "leave out",
    }


def test_what_speaks_for_a_key_stands_behind_it(tmp_path: Path) -> None:
    text = propose(str(written(tmp_path / "retail.csv", online_retail())))
    assert comment_at(text, "customer_id_col") == "3 customers in 7 rows"
    assert comment_at(text, "monetary_value_col") == "their product; 14.3% are 0"
    assert comment_at(text, "sign") == "14.3% of amounts are negative"
    assert comment_at(text, "type_col") == "? those of negative amounts begin with C"
    assert comment_at(text, "currency") == "? a placeholder: no column names a currency"
    assert comment_at(text, "customer_missing") == "? 28.6% of rows have no customer"
    assert text.endswith("# Not mapped: StockCode, Description, Country\n")


def test_american_times_without_a_day_above_twelve_are_read_as_days_in_a_row_and_doubted(tmp_path: Path) -> None:
    file = written(tmp_path / "retail.csv", online_retail(times=("12/1/2010 8:26", "12/2/2010 10:03")))
    text = propose(str(file))
    assert mapping_at(file)["datetime_format"] == "M/d/yyyy H:mm"
    assert comment_at(text, "datetime_format") == "? or d/M/yyyy H:mm, which fits 7 rows too"


def test_a_file_of_columns_between_spaces_without_a_header_gets_names_by_content(tmp_path: Path) -> None:
    (tmp_path / "CDNOW_master.txt").write_text(CDNOW)
    mapping = mapping_at(tmp_path / "CDNOW_master.txt")
    assert mapping["csv"] == {"delimiter": "whitespace", "header": ["customer", "date", "column_3", "amount"]}
    assert (mapping["customer_id_col"], mapping["datetime_col"]) == ("customer", "date")
    assert (mapping["datetime_format"], mapping["monetary_value_col"]) == ("yyyyMMdd", "amount")
    text = propose(str(tmp_path / "CDNOW_master.txt"))
    assert comment_at(text, "  header").startswith("? no line names the columns")
    assert "# No column holds ids" in text


def test_a_german_bank_is_read_with_semicolons_a_decimal_comma_and_its_encoding(tmp_path: Path) -> None:
    file = written(tmp_path / "umsaetze.csv", german_bank(), delimiter=";", encoding="windows-1252")
    assert mapping_at(file) == {
        "csv": {"delimiter": ";", "decimal": ",", "encoding": "windows-1252"},
        "customer_id_col": "Kundennummer",
        "datetime_col": "Buchungstag",
        "datetime_format": "dd.MM.yyyy",
        "monetary_value_col": "Betrag",
        "type_col": "Buchungstext",
        "currency_col": "Währung",
        "sign": "debits negative",
        "types": {"purchase": ["Lastschrift"], "return": ["Gutschrift"], "fee": ["Entgelt"]},
        "returns": "ignore",
        "currency": "EUR",
    }
    assert comment_at(propose(str(file)), "sign") == "75.0% of amounts are negative"


def test_sides_of_an_account_are_types_where_amounts_have_no_sign(tmp_path: Path) -> None:
    rows = [
        ("Konto", "Datum", "Uhrzeit", "Umsatz", "S/H", "Währung"),
        ("1", "17.10.18", "10:00", "5,00", "S", "EUR"),
        ("2", "17.10.18", "10:10", "5,50", "H", "EUR"),
        ("1", "18.10.18", "10:00", "7,00", "S", "EUR"),
    ]
    file = written(tmp_path / "sh.csv", rows, delimiter=";")
    mapping, text = mapping_at(file), propose(str(file))
    assert (mapping["type_col"], mapping["types"]) == ("S/H", {"purchase": ["S"], "return": ["H"]})
    assert mapping["sign"] == "all positive"
    assert comment_at(text, "types").startswith("? debits as purchases, credits as returns")
    assert "The time of day is by itself in Uhrzeit" in text


def test_a_bank_ledger_is_mapped_with_its_types_currencies_and_returned_rows(tmp_path: Path) -> None:
    file = written(tmp_path / "ledger.csv", bank_ledger())
    assert mapping_at(file) == {
        "customer_id_col": "account_id",
        "datetime_col": "booked_at",
        "time_zone": "UTC",
        "monetary_value_col": "amount",
        "transaction_id_col": "txn_id",
        "type_col": "type",
        "status_col": "status",
        "channel_col": "channel",
        "currency_col": "currency",
        "sign": "debits negative",
        "types": {"purchase": ["CARD"], "return": ["REFUND"], "fee": ["FEE"], "other": ["SALARY"]},
        "returns": "cancel",
        "returned_transaction_col": "original_txn_id",
        "currency": "EUR",
        "rates": "rates.csv",
    }


def test_the_doubts_about_a_bank_ledger_are_marked(tmp_path: Path) -> None:
    text = propose(str(written(tmp_path / "ledger.csv", bank_ledger())))
    assert comment_at(text, "types") == "? unknown: SALARY as other, by the sign"
    assert comment_at(text, "currency") == "? the most frequent: name that to which amounts are converted"
    assert comment_at(text, "rates").startswith("? to be written: currency,date,rate")
    assert comment_at(text, "time_zone") == "? times have offsets: name the zone whose days count"
    assert comment_at(text, "keep") == "? statuses seen: booked, pending"
    assert "# keep: {status: [booked]}" in text
    assert comment_at(text, "returned_transaction_col") == "1 in 6 rows, of which 1 name a row there"


def test_debits_and_credits_in_columns_of_their_own_are_said_to_need_one_signed_amount(tmp_path: Path) -> None:
    rows = [
        ("Date", "Description", "Paid out", "Paid in", "Balance", "Account Number"),
        ("13/02/2023", "SHOP", "5.00", "", "10.00", "11"),
        ("13/02/2023", "SHOP 2", "6.00", "", "10.00", "12"),
        ("14/02/2023", "WAGE", "", "600.00", "610.00", "11"),
    ]
    file = written(tmp_path / "uk.csv", rows)
    assert mapping_at(file)["monetary_value_col"] == "Paid out"
    assert mapping_at(file)["datetime_format"] == "dd/MM/yyyy"
    text = propose(str(file))
    assert "those in Paid in are not read" in text
    assert comment_at(text, "monetary_value_col") == "33.3% of rows have none"


def test_a_portuguese_shop_is_mapped_by_its_names(tmp_path: Path) -> None:
    rows = [
        ("id_pedido", "cliente_id", "data_compra", "valor_total", "moeda", "situação", "canal"),
        ("1", "c1", "17/10/2018 10:00", "1.234,56", "BRL", "concluído", "loja"),
        ("1", "c1", "17/10/2018 10:00", "R$ 4,56", "BRL", "cancelado", "loja"),
        ("2", "c2", "18/10/2018 09:00", "34,56", "BRL", "concluído", "site"),
    ]
    file = written(tmp_path / "pedidos.csv", rows, delimiter=";")
    mapping, text = mapping_at(file), propose(str(file))
    assert mapping["csv"] == {"delimiter": ";", "decimal": ","}
    assert (mapping["customer_id_col"], mapping["order_id_col"]) == ("cliente_id", "id_pedido")
    assert (mapping["datetime_col"], mapping["datetime_format"]) == ("data_compra", "dd/MM/yyyy HH:mm")
    assert (mapping["currency"], mapping["status_col"], mapping["channel_col"]) == ("BRL", "situação", "canal")
    assert comment_at(text, "monetary_value_col").startswith("? some are no plain numbers")
    assert "# keep: {situação: [concluído]}" in text


@pytest.mark.parametrize(
    ("first", "comment"),
    [
        (("t1", "c1", "2018-10-17 10:00:00", "5.00"), "each of 3 rows has its own"),
        (("t2", "c2", "2018-10-17 11:00:00", "6.00"), "? 1 of 3 rows repeat another row, cell for cell"),
    ],
)
def test_an_id_of_rows_stays_one_where_an_export_repeats_whole_rows(
    tmp_path: Path, first: tuple[str, ...], comment: str
) -> None:
    rows = [("transaction_id", "customer_id", "paid_at", "amount"), first]
    rows += [("t2", "c2", "2018-10-17 11:00:00", "6.00"), ("t3", "c1", "2018-10-17 12:00:00", "7.00")]
    file = written(tmp_path / "ledger.csv", rows)
    assert mapping_at(file)["transaction_id_col"] == "transaction_id"
    assert comment_at(propose(str(file)), "transaction_id_col") == comment


def test_an_id_that_rows_share_is_that_of_an_order(tmp_path: Path) -> None:
    rows = [("transaction_id", "customer_id", "paid_at", "amount")]
    rows += [("t1", "c1", "2018-10-17 11:00:00", "6.00"), ("t1", "c1", "2018-10-17 11:00:00", "7.00")]
    rows += [("t2", "c1", "2018-10-17 11:00:00", "6.00")]
    file = written(tmp_path / "ledger.csv", rows)
    assert "transaction_id_col" not in mapping_at(file)
    assert mapping_at(file)["order_id_col"] == "transaction_id"
    assert comment_at(propose(str(file)), "order_id_col").startswith("? 2 in 3 rows: rows share them")


def test_a_currency_in_the_name_of_the_amount_is_taken(tmp_path: Path) -> None:
    rows = [("customer", "date", "amount_brl"), ("c1", "2018-10-17", "5.00"), ("c1", "2018-10-18", "6.00")]
    file = written(tmp_path / "ledger.csv", rows)
    assert mapping_at(file)["currency"] == "BRL"
    assert comment_at(propose(str(file)), "currency") == "by the name of the column"


def test_of_several_times_the_purchase_comes_before_its_settlement(tmp_path: Path) -> None:
    rows = [
        ("customer_id", "settled_at", "booked_at", "updated_at", "amount"),
        ("c1", "2018-10-18", "2018-10-17", "2018-10-19", "5.00"),
    ]
    assert mapping_at(written(tmp_path / "ledger.csv", rows))["datetime_col"] == "booked_at"


def test_what_no_column_holds_is_left_to_the_user(tmp_path: Path) -> None:
    rows = [("who", "date", "amount"), ("Ann Lee", "930101", "5.00"), ("Bo Lee", "930102", "6.00")]
    file = written(tmp_path / "ledger.csv", rows)
    mapping, text = mapping_at(file), propose(str(file))
    assert mapping["customer_id_col"] is None
    assert mapping["datetime_col"] is None
    assert comment_at(text, "customer_id_col") == "? no column looks like customers: name it"
    assert comment_at(text, "datetime_col").startswith("? date is in a form that is not read")


def test_values_of_people_are_not_printed(tmp_path: Path) -> None:
    rows = [("customer", "iban", "type", "status", "date", "amount")]
    rows += [(f"Ann {n}", f"DE{n}", f"to ann{n}@example.org", f"since 2018{n}", "2018-10-17", "5.00") for n in range(9)]
    text = propose(str(written(tmp_path / "ledger.csv", rows)))
    assert not any(word in text for word in ("Ann", "DE1", "@", "2018"))


def test_a_price_without_a_quantity_is_doubted_and_a_total_price_is_not(tmp_path: Path) -> None:
    for name, comment in (("price", "? a price: check that it is of the row, not of one piece"), ("total_price", "")):
        file = written(tmp_path / "ledger.csv", [("customer", "date", name), ("c1", "2018-10-17", "5.00")])
        assert mapping_at(file)["monetary_value_col"] == name
        assert comment_at(propose(str(file)), "monetary_value_col") == comment


def test_a_mark_of_returns_tells_the_kinds_of_rows(tmp_path: Path) -> None:
    rows = [("id", "customer", "date", "amount", "is_refund"), ("1", "c1", "2018-10-17", "5.00", "false")]
    rows += [("2", "c1", "2018-10-18", "2.00", "true"), ("3", "c1", "2018-10-19", "4.00", "false")]
    mapping = mapping_at(written(tmp_path / "ledger.csv", rows))
    assert (mapping["type_col"], mapping["types"]) == ("is_refund", {"purchase": ["false"], "return": ["true"]})
    assert mapping["returns"] == "ignore"


def test_types_are_mapped_without_an_amount_too(tmp_path: Path) -> None:
    rows = [("customer", "date", "type"), ("c1", "2018-10-17", "sale"), ("c1", "2018-10-18", "refund")]
    mapping = mapping_at(written(tmp_path / "ledger.csv", rows))
    assert mapping["types"] == {"purchase": ["sale"], "return": ["refund"]}
    assert mapping["monetary_value_col"] is None


def test_the_most_frequent_of_many_currencies_is_proposed(tmp_path: Path) -> None:
    codes = "AED AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF IDR ILS INR JPY KRW MXN NOK NZD PLN RON SEK USD USD"
    rows = [("customer", "date", "amount", "ccy"), *[("c1", "2018-10-17", "5.00", code) for code in codes.split()]]
    file = written(tmp_path / "ledger.csv", rows)
    assert mapping_at(file)["currency"] == "USD"
    assert comment_at(propose(str(file)), "currency_col") == "seen: 24 codes"


def test_returned_rows_without_an_id_to_name_them_by_are_doubted(tmp_path: Path) -> None:
    rows = [("order_id", "customer", "date", "amount", "original_order_id"), ("1", "c1", "2018-10-17", "5.00", "")]
    rows += [("1", "c1", "2018-10-17", "6.00", ""), ("2", "c1", "2018-10-18", "-6.00", "1")]
    file = written(tmp_path / "ledger.csv", rows)
    comment = comment_at(propose(str(file)), "returned_transaction_col")
    assert comment == "? not read: no column is the transaction_id_col it names"
    assert mapping_at(file)["returns"] == "ignore"
    assert "returned_transaction_col" not in mapping_at(file)


@pytest.mark.parametrize(
    ("amount", "comment"), [("-5.00", "empty in 2 rows"), ("5.00", "? not read: nothing tells returns")]
)
def test_an_empty_column_of_returned_rows_is_mapped_if_there_are_returns(
    tmp_path: Path, amount: str, comment: str
) -> None:
    rows = [("id", "customer", "date", "amount", "reversal_of"), ("1", "c1", "2018-10-17", "5.00", "")]
    rows += [("2", "c2", "2018-10-17", amount, "")]
    text = propose(str(written(tmp_path / "ledger.csv", rows)))
    assert comment_at(text, "returned_transaction_col") == comment


def test_types_with_amounts_of_both_signs_are_not_read_but_for_fees(tmp_path: Path) -> None:
    rows = [("customer", "date", "amount", "type"), *[("c1", "2018-10-17", "-5.00", "TRANSFER")] * 4]
    rows += [("c1", "2018-10-17", "5.00", "TRANSFER"), ("c1", "2018-10-17", "-1.00", "FEE")]
    file = written(tmp_path / "ledger.csv", rows)
    mapping, text = mapping_at(file), propose(str(file))
    assert not {"type_col", "types"} & set(mapping)
    assert (mapping["sign"], mapping["returns"], mapping["drop"]) == ("debits negative", "ignore", {"type": ["FEE"]})
    assert comment_at(text, "type_col").startswith("? not read: types of purchases have both signs")
    assert comment_at(text, "sign") == "83.3% of amounts are negative: taken as purchases, all others as returns"
    assert comment_at(text, "drop") == "? fees"


def test_a_few_purchases_with_the_sign_of_returns_are_said_to_be_quarantined(tmp_path: Path) -> None:
    rows = [("customer", "date", "amount", "type"), *[("c1", "2018-10-17", "5.00", "sale")] * 399]
    rows += [("c1", "2018-10-17", "-5.00", "sale"), *[("c1", "2018-10-17", "-5.00", "refund")] * 100]
    text = propose(str(written(tmp_path / "ledger.csv", rows)))
    assert comment_at(text, "types") == "? 0.2% of rows are purchases with the sign of returns: quarantined"


def test_a_ledger_of_returns_alone_leaves_all_other_types_to_purchases(tmp_path: Path) -> None:
    rows = [("customer", "date", "amount", "type"), ("c1", "2018-10-17", "5.00", "refund")]
    types = mapping_at(written(tmp_path / "ledger.csv", rows))["types"]
    assert types == {"purchase": ["*"], "return": ["refund"]}


def test_columns_whose_names_say_nothing_are_found_by_their_values_and_doubted(tmp_path: Path) -> None:
    rows = [("aa", "bb", "cc"), *[(f"k{n % 30}", "17.10.2018", f"{n}.25") for n in range(60)]]
    file = written(tmp_path / "ledger.csv", rows)
    mapping, text = mapping_at(file), propose(str(file))
    assert [mapping[f"{key}_col"] for key in ("customer_id", "datetime", "monetary_value")] == ["aa", "bb", "cc"]
    assert comment_at(text, "customer_id_col") == "? by its values, not by its name: 30 customers in 60 rows"
    assert comment_at(text, "datetime_col") == comment_at(text, "monetary_value_col")
    assert comment_at(text, "datetime_col") == "? by its values, not by its name"


def test_one_customer_in_all_rows_is_doubted(tmp_path: Path) -> None:
    rows = [("customer", "date", "amount"), *[("c1", "2018-10-17", "5.00")] * 2]
    text = propose(str(written(tmp_path / "ledger.csv", rows)))
    assert comment_at(text, "customer_id_col") == "? the same in 2 rows"


@pytest.mark.parametrize(("negative", "share"), [(1, "less than 0.1%"), (1999, "more than 99.9%")])
def test_a_share_of_few_is_not_nothing_and_one_of_nearly_all_is_not_all(
    tmp_path: Path, negative: int, share: str
) -> None:
    rows = [("customer", "date", "amount"), *[("c1", "2018-10-17", "-5" if n < negative else "5") for n in range(2000)]]
    text = propose(str(written(tmp_path / "ledger.csv", rows)))
    assert comment_at(text, "sign").startswith(f"{share} of amounts are negative")
