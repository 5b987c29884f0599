"""One contract per table that comes from outside: its file, its columns, and the rules that a row must keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pyspark.sql.types import StringType, StructField, StructType

from expectations.rules import HasAllFields, IsText, NotNull, ParsesAs, RefersTo, Rule, Unique
from transforms import schemas

ORDER_STATUSES = (
    "approved",
    "canceled",
    "created",
    "delivered",
    "invoiced",
    "processing",
    "shipped",
    "unavailable",
)


@dataclass(frozen=True, eq=False)
class Contract:
    """What a raw table is expected to be.

    Attributes:
        table: its name here.
        file: the name of the file that it comes from, without ``.csv``.
        schema: what an accepted row becomes.
        source_names: how the file calls a column, where it has another name there.
        required: columns (by the file's names) without which a row is of no use.
        key: columns (by the file's names) that are unique.
        refers_to: the tables that it refers to.
        money: the column (by the file's name) whose sum is followed through the run.
    """

    table: str
    file: str
    schema: StructType
    required: tuple[str, ...]
    key: tuple[str, ...]
    source_names: Mapping[str, str] = field(default_factory=dict)
    refers_to: tuple[RefersTo, ...] = ()
    money: str | None = None

    def source_name(self, column: str) -> str:
        """How the file calls a column."""
        return self.source_names.get(column, column)

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The columns by the file's names, in the order of the schema."""
        return tuple(self.source_name(name) for name in self.schema.fieldNames())

    @property
    def unique(self) -> Unique:
        """The rule of the table's key, which is tried on the rows that all other rules let pass."""
        fields = {self.source_name(field.name): field.dataType for field in self.schema.fields}
        return Unique(tuple(StructField(name, fields[name]) for name in self.key), self.source_columns)

    def rules(self, *, fields: int) -> tuple[Rule, ...]:
        """Every rule but `unique`, for a file with that many fields in its header."""
        parse = (
            ParsesAs(self.source_name(column.name), column.dataType)
            for column in self.schema.fields
            if not isinstance(column.dataType, StringType)
        )
        return (
            HasAllFields(fields),
            IsText(self.source_columns),
            *(NotNull(column) for column in self.required),
            *parse,
            *self.refers_to,
        )

    def labels(self, *, fields: int) -> list[str]:
        """The label of every rule."""
        return [rule.label for rule in (*self.rules(fields=fields), self.unique)]

    @property
    def quarantine_schema(self) -> StructType:
        """A rejected row: its text column by column, the file it stood in, and why."""
        text = [StructField(name, StringType()) for name in self.source_columns]
        return StructType([*text, StructField("source_file", StringType()), StructField("reasons", schemas.REASONS)])


CUSTOMERS = Contract(
    table="customers",
    file="olist_customers_dataset",
    schema=schemas.CUSTOMERS,
    source_names=MappingProxyType({"zip_code": "customer_zip_code_prefix", "state": "customer_state"}),
    required=("customer_id", "customer_unique_id"),
    key=("customer_id",),
)

ORDERS = Contract(
    table="orders",
    file="olist_orders_dataset",
    schema=schemas.ORDERS,
    source_names=MappingProxyType({"order_purchase_time": "order_purchase_timestamp"}),
    required=("order_id", "customer_id", "order_purchase_timestamp"),
    key=("order_id",),
    refers_to=(RefersTo("customer_id", table="customers", key="customer_id"),),
)

PAYMENTS = Contract(
    table="payments",
    file="olist_order_payments_dataset",
    schema=schemas.PAYMENTS,
    required=("order_id", "payment_sequential", "payment_value"),
    key=("order_id", "payment_sequential"),
    refers_to=(RefersTo("order_id", table="orders", key="order_id"),),
    money="payment_value",
)

CONTRACTS = (CUSTOMERS, ORDERS, PAYMENTS)
"""In the order in which they are checked: a table comes after those that it refers to."""
