"""What the name of a column says, in English, German and Portuguese."""

import pytest

from jobs.proposing.column_names import LAST_RANK, currency_in, rank_of, words_of

NAMES = {
    "customer": "CustomerID customer_unique_id cust_id CLIENT Kunde Kundennummer KundenNr cliente_id id_cliente "
    "account_id acct conto Kontonummer user_id member buyer",
    "time": "InvoiceDate booked_at posted Buchungstag transaction_date date datetime timestamp data_compra Datum "
    "created_at paid_at ordered_on",
    "amount": "amount AMT Betrag Gesamtbetrag valor total payment_value order_total Umsatz revenue total_price",
    "price": "price UnitPrice unit_price Preis Einzelpreis preço",
    "quantity": "Quantity qty Menge Anzahl quantidade",
    "transaction": "transaction_id txn_id TransactionID id uuid InvoiceNo Invoice order_id Rechnungsnummer id_pedido "
    "Bestellnr Belegnummer reference",
    "currency": "currency ccy Währung Waehrung moeda CurrencyCode",
    "status": "status order_status situação state Zustand",
    "type": "type kind txn_type transaction_type Buchungsart Art tipo S/H Soll/Haben",
    "channel": "channel sales_channel Kanal Vertriebskanal canal",
    "returned": "original_transaction_id reversal_of storno_ref refunded_order",
}
OTHERS = {
    "customer": "customer_name customer_city account_type customer_segment Kontostand customer_since",
    "time": "amount customer_id Betrag",
    "amount": "balance Saldo tax_amount discount quantity exchange_rate amount_type",
    "transaction": "order_status invoice_date payment_type original_transaction_id customer_id order_item_id "
    "Buchungstext",
    "currency": "currency_rate amount",
    "status": "marital_status status_date",
    "type": "customer_type payment_type account_type",
    "returned": "return_date refund_amount",
}


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in NAMES.items() for name in names.split()])
def test_a_usual_name_says_its_role(role: str, name: str) -> None:
    assert rank_of(name, role) is not None


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in OTHERS.items() for name in names.split()])
def test_a_similar_name_of_something_else_does_not(role: str, name: str) -> None:
    assert rank_of(name, role) is None


@pytest.mark.parametrize("name", ["Valutadatum", "value_date", "updated_at", "delivered_date", "due_date"])
def test_times_of_settlement_come_last(name: str) -> None:
    assert rank_of(name, "time") == LAST_RANK


def test_a_customer_comes_before_an_account() -> None:
    ranks = [rank_of(name, "customer") for name in ("customer_id", "customer", "member_no", "account")]
    assert ranks == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CustomerID", "customer id"),
        (" Währung (€) ", "waehrung"),
        ("TXNAmount_EUR", "txn amount eur"),
        ("Wa\u0308hrung", "waehrung"),
        ("situação", "situacao"),
        ("", ""),
    ],
)
def test_a_name_is_split_into_words(name: str, words: str) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("name", "currency"), [("amount_eur", "EUR"), ("Betrag (CHF)", "CHF"), ("all", None), ("europe", None)]
)
def test_a_currency_in_a_name_is_one_whose_code_is_no_word(name: str, currency: str | None) -> None:
    assert currency_in(name) == currency
