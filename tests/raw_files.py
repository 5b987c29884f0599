"""A raw data set of a few rows, which a test can change before it writes the files."""

import hashlib
import re
from pathlib import Path

CUSTOMERS_HEADER = '"customer_id","customer_unique_id","customer_zip_code_prefix","customer_city","customer_state"'
ORDERS_HEADER = (
    '"order_id","customer_id","order_status","order_purchase_timestamp","order_approved_at",'
    '"order_delivered_carrier_date","order_delivered_customer_date","order_estimated_delivery_date"'
)
PAYMENTS_HEADER = '"order_id","payment_sequential","payment_type","payment_installments","payment_value"'

CUSTOMERS = [
    '"c1","ann","09790",sao paulo,SP',
    '"c2","ann","09790",sao paulo,SP',
    '"c3","bob","20231","arraial d\'ajuda, porto seguro",BA',
]
ORDERS = [
    '"o1","c1",delivered,2018-01-01 10:00:00,2018-01-01 10:20:00,,,2018-01-20 00:00:00',
    '"o2","c2",delivered,2018-03-04 09:30:00,,,,2018-03-20 00:00:00',
    '"o3","c3",canceled,2018-02-02 08:00:00,,,,2018-02-20 00:00:00',
]
PAYMENTS = [
    '"o1",1,credit_card,3,10.00',
    '"o1",2,voucher,1,5.50',
    '"o2",1,boleto,1,20.00',
    '"o3",1,debit_card,1,5.00',
]


SHORT = re.compile(r'"(c\d+|o\d+|ann|bob)"')
"""A short name in these lines; the files have its `key` instead."""


def key(name: str) -> str:
    """The identifier for a short name: 32 hexadecimal digits, as the contracts require."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


class RawFiles:
    """The three files of a folder.

    Attributes:
        folder: Where `write` puts them.
        customers: The lines of the customers file, header first; ``orders`` and ``payments`` alike.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.customers = [CUSTOMERS_HEADER, *CUSTOMERS]
        self.orders = [ORDERS_HEADER, *ORDERS]
        self.payments = [PAYMENTS_HEADER, *PAYMENTS]

    @property
    def customers_file(self) -> Path:
        return self.folder / "olist_customers_dataset.csv"

    @property
    def orders_file(self) -> Path:
        return self.folder / "olist_orders_dataset.csv"

    @property
    def payments_file(self) -> Path:
        return self.folder / "olist_order_payments_dataset.csv"

    def write(self) -> str:
        """Write the files, and return the folder for ``--input``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for file, lines in (
            (self.customers_file, self.customers),
            (self.orders_file, self.orders),
            (self.payments_file, self.payments),
        ):
            text = "".join(f"{line}\n" for line in lines)
            file.write_text(SHORT.sub(lambda match: f'"{key(match[1])}"', text), encoding="utf-8")
        return str(self.folder)
