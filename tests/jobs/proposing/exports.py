"""Exports of ledgers in the shapes in which shops and banks make them, with drawn people and amounts."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from expectations.contracts.yaml_text import load_yaml
from jobs.proposing.mapping_text import propose

KEYS = {
    *("csv", "customer_id_col", "datetime_col", "monetary_value_col", "transaction_id_col", "order_id_col"),
    *("status_col", "type_col", "channel_col", "currency_col", "datetime_format", "datetime_zone", "time_zone"),
    *("sign", "types", "returns", "returned_transaction_col", "currency", "rates", "rates_hold_days"),
    *("customer_missing", "keep", "drop", "partitioned_by"),
}
"""The keys that a mapping may have."""
CSV_KEYS = {"delimiter", "decimal", "encoding", "header"}

ONLINE_RETAIL = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")
LEDGER = ("txn_id", "account_id", "booked_at", "amount", "currency", "type", "channel", "status", "original_txn_id")
GERMAN_BANK = ("Buchungstag", "Valutadatum", "Buchungstext", "Verwendungszweck", "Kundennummer", "Betrag", "Währung")


def written(path: Path, rows: Sequence[Sequence[object]], *, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """A CSV file with these rows, of which the first is the header."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def online_retail(times: Sequence[str] = ("2009-12-01 07:45:00", "2009-12-01 09:06:00")) -> list[Sequence[object]]:
    """Invoices of several lines, one of them without a customer, and a credit note with negative quantities."""
    first, second = times
    return [
        ONLINE_RETAIL,
        ("489434", "85048", "GLASS BALL, 20 LIGHTS", 12, first, 6.95, "13085.0", "United Kingdom"),
        ("489434", "79323P", "PINK CHERRY LIGHTS", 12, first, 6.75, "13085.0", "United Kingdom"),
        ("489435", "22350", "CAT BOWL", 12, first, 2.55, "13085.0", "United Kingdom"),
        ("489436", "22350", "CAT BOWL", 2, second, 2.55, "13078.0", "United Kingdom"),
        ("489437", "21181", "LOVE", 1, second, 2.1, "", "United Kingdom"),
        ("489437", "21182", "LOVE", 1, second, 0, "", "United Kingdom"),
        ("C489449", "22087", "PAPER BUNTING", -12, second, 2.95, "16321.0", "Australia"),
    ]


CDNOW = """\
 00001 19970101  1   11.77
 00002 19970112  1   12.00
 00002 19970112  5   77.00
 00003 19970102  2   20.76
 00003 19970330  2   20.76
"""


def german_bank() -> list[Sequence[object]]:
    """Debits are negative, with a decimal comma."""
    return [
        GERMAN_BANK,
        ("17.10.2018", "18.10.2018", "Lastschrift", "Müller, Rechnung 1", "K1", "-12,50", "EUR"),
        ("03.10.2018", "04.10.2018", "Lastschrift", "Müller, Rechnung 2", "K2", "-7,05", "EUR"),
        ("05.10.2018", "06.10.2018", "Gutschrift", "Maier", "K1", "100,00", "EUR"),
        ("06.10.2018", "06.10.2018", "Entgelt", "Bank", "K1", "-3,00", "EUR"),
    ]


def bank_ledger() -> list[Sequence[object]]:
    """Card payments in two currencies, with a refund, a fee and what the bank calls SALARY."""
    return [
        LEDGER,
        ("t1", "a1", "2018-10-17T17:30:18+02:00", "-10.00", "EUR", "CARD", "app", "booked", ""),
        ("t2", "a1", "2018-10-17T17:31:18+02:00", "-20.00", "USD", "CARD", "app", "booked", ""),
        ("t3", "a2", "2018-10-17T17:32:18+02:00", "20.00", "EUR", "REFUND", "branch", "booked", "t2"),
        ("t4", "a2", "2018-10-17T17:33:18+02:00", "-1.00", "EUR", "FEE", "branch", "pending", ""),
        ("t5", "a2", "2018-10-17T17:34:18+02:00", "900.00", "EUR", "SALARY", "branch", "booked", ""),
        ("t6", "a1", "2018-10-18T17:34:18+02:00", "-9.00", "USD", "CARD", "branch", "booked", ""),
    ]


def mapping_at(path: Path) -> dict[str, Any]:
    """The mapping that is proposed of a file, as its reader sees it."""
    return plain(load_yaml(propose(str(path))))


def plain(value: Any) -> Any:
    """A value of YAML without the lines that its parser remembers."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if value is None else str(value)


def comment_at(text: str, key: str) -> str:
    """What stands behind a key of a mapping, with the mark of a doubt."""
    match = re.search(rf"^(?:# )?{key}:.*?  # (.*)$", text, re.MULTILINE)
    return match[1] if match else ""
