"""A checked ledger to transactions: what each row is, what it is worth, and why one does not count."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DecimalType, StringType, StructField, StructType, TimestampType

from transforms import schemas
from transforms.rates import Rates
from transforms.schemas import MONEY, columns_of
from transforms.sources.counted import PURCHASED_AFTER_AS_OF, PURCHASED_BEFORE_WINDOW, Counted, cause_of_day
from transforms.sources.mapping import ANY_OTHER, LedgerMapping
from transforms.wall_clock import in_zone

PURCHASE, RETURN, REVERSAL, FEE, OTHER = "purchase", "return", "reversal", "fee", "other"

WITHOUT_CUSTOMER = "without_customer"
FEES, OTHER_TYPES = "fees", "other_types"
RETURNS_IGNORED, REVERSALS_IGNORED = "returns_ignored", "reversals_ignored"
CANCELLED = "cancelled_purchases"
CANCELLING = "returns_of_cancelled_purchases"
WITHOUT_PURCHASE = "returns_without_their_purchase"

TYPES: dict[str, DataType] = {
    "order_purchase_time": TimestampType(),
    "payment_value": MONEY,
    "quantity": DecimalType(18, 4),
    "unit_price": DecimalType(18, 4),
}
"""The columns of a checked ledger that are no text."""


def ledger_schema(mapping: LedgerMapping) -> StructType:
    """The columns of a checked ledger, typed: those that the mapping names."""
    return StructType([StructField(name, TYPES.get(name, StringType())) for name in mapping.columns])


def exclusion_causes(mapping: LedgerMapping) -> tuple[str, ...]:
    """Why an accepted row is excluded from the transactions. If several causes apply, the first is recorded."""
    ignored = (RETURNS_IGNORED, REVERSALS_IGNORED) if mapping.returns == "ignore" else ()
    cancelled = (WITHOUT_PURCHASE, CANCELLING, CANCELLED) if mapping.returns == "cancel" else ()
    return (
        *(_not_kept(column) for column in mapping.keep),
        *(_dropped(column) for column in mapping.drop),
        WITHOUT_CUSTOMER,
        PURCHASED_AFTER_AS_OF,
        PURCHASED_BEFORE_WINDOW,
        FEES,
        OTHER_TYPES,
        *ignored,
        *cancelled,
    )


def amount_of(factors: Sequence[Column]) -> Column:
    """The amount of a row as it stands there; a product is rounded half up to four decimals, null if too large."""
    if len(factors) == 1:
        return factors[0]
    quantity, unit_price = factors
    return F.round(quantity * unit_price, MONEY.scale).try_cast(MONEY)


def kind_of(mapping: LedgerMapping, *, amount: Column, row_type: Column | None) -> Column:
    """What a row is: a purchase, a return, a reversal, a fee, or something else; null for a type that is not named.

    Args:
        mapping: of the ledger. Its types decide; without them its sign does.
        amount: of the row.
        row_type: of the row; None without a type column.
    """
    if row_type is not None:
        kind = F.lit(None).cast("string")
        for value, of_value in reversed(mapping.kinds_by_value()):
            kind = F.when(has_value(row_type, value), F.lit(of_value)).otherwise(kind)
        return kind
    if mapping.sign == "all positive":
        return F.lit(PURCHASE)
    is_return = amount < 0 if mapping.sign == "purchases positive" else amount > 0
    return F.when(is_return, F.lit(RETURN)).otherwise(F.lit(PURCHASE))


def has_value(text: Column, value: str) -> Column:
    """Whether a text is a value of the mapping, or begins with one that ends in an asterisk."""
    if not value.endswith(ANY_OTHER):
        return text == value
    beginning = value.removesuffix(ANY_OTHER)
    return text.startswith(beginning) if beginning else text.isNotNull()


def attributed_entries(
    *, ledger: DataFrame, mapping: LedgerMapping, rates: Rates | None, counted: Counted
) -> DataFrame:
    """Give each row of a ledger its kind, its worth, and the cause of its exclusion.

    Grain in: one row per accepted row, `ledger_schema`. Grain out: the same; the columns of `schemas.TRANSACTIONS`,
    ``amount`` (as it stands there), ``currency``, ``kind`` and ``exclusion_cause``, null for a row that counts.

    ``order_purchase_time`` is wall-clock in the mapping's zone. ``payment_value`` is in the mapping's currency, above 0
    for a purchase and below for a return, rounded half up to four decimals. It is null if no table holds it, and the
    rules of transactions reject it. A row without an id gets the hash of its content, and equal rows are numbered; that
    costs one exchange of all rows. Returns that cancel cost one too.

    Args:
        ledger: the rows.
        mapping: of the ledger.
        rates: of its currencies; None where all amounts are in one.
        counted: which purchases count.
    """
    amount = amount_of([F.col(name) for name in mapping.amount_columns])
    row_type = F.col("transaction_type") if mapping.type_col else None
    currency = F.col("currency") if mapping.currency_col else F.lit(mapping.currency)
    read = with_ids(ledger=ledger, mapping=mapping).select(
        "*",
        _purchase_time(mapping).alias("purchase_time"),
        amount.alias("amount"),
        currency.alias("in_currency"),
        kind_of(mapping, amount=amount, row_type=row_type).alias("kind"),
    )
    worth = F.when(F.col("kind") == PURCHASE, F.abs("amount")).otherwise(-F.abs("amount"))
    if rates is not None:
        worth = (worth * rates.on(F.to_date("purchase_time"), currency=F.col("in_currency"))).try_cast(MONEY)
    explained = read.select(
        "*",
        worth.alias("worth"),
        _cause_of_row(mapping, counted).alias("cause"),
    )
    if mapping.returns == "cancel":
        explained = with_cancelled(entries=explained)
    return explained.select(
        "order_id",
        "payment_sequential",
        "customer_unique_id",
        F.col("purchase_time").alias("order_purchase_time"),
        F.col("worth").alias("payment_value"),
        "amount",
        F.col("in_currency").alias("currency"),
        "kind",
        F.col("cause").alias("exclusion_cause"),
    )


def first_purchase_day(*, ledger: DataFrame, mapping: LedgerMapping) -> DataFrame:
    """The day of the first row, whether it counts or not: one row, ``day``, null where there are no rows."""
    return ledger.select(F.to_date(F.min(_purchase_time(mapping))).alias("day"))


def _purchase_time(mapping: LedgerMapping) -> Column:
    return in_zone(F.col("order_purchase_time"), written_in=mapping.datetime_zone, zone=mapping.time_zone)


def with_ids(*, ledger: DataFrame, mapping: LedgerMapping) -> DataFrame:
    """Add the key of each row: ``order_id`` where the ledger has none, and ``payment_sequential``.

    Grain in: `ledger_schema`. Grain out: the same, unique by the two columns if ids of transactions are.
    """
    if mapping.transaction_id_col:
        return ledger.withColumn("payment_sequential", F.lit(1))
    content = [F.coalesce(F.col(name).cast("string"), F.lit("\0")) for name in ledger.columns]
    identified = ledger if mapping.order_id_col else ledger.withColumn("order_id", F.md5(F.concat_ws("\n", *content)))
    # Rows that are equal in all columns may take each other's number: nobody could tell.
    in_order = Window.partitionBy("order_id").orderBy("order_purchase_time", *ledger.columns)
    return identified.withColumn("payment_sequential", F.row_number().over(in_order))


def with_cancelled(*, entries: DataFrame) -> DataFrame:
    """Exclude purchases that a return takes back, and the returns.

    A return takes back the purchase of its customer that it names, whatever its amount. One that is itself excluded,
    such as one after the as-of date, takes nothing back.

    Grain in and out: one row per row of the ledger, with ``kind``, ``cause`` and ``returned_order_id``.
    """
    is_return = F.col("kind").isin(RETURN, REVERSAL)
    is_purchase = F.col("kind") == PURCHASE
    named = F.when(is_return, F.col("returned_order_id")).otherwise(F.col("order_id"))
    together = Window.partitionBy("customer_unique_id", "named")
    marked = entries.withColumn("named", named).select(
        "*",
        F.max(is_return & F.col("cause").isNull()).over(together).alias("is_taken_back"),
        F.max(is_purchase).over(together).alias("has_purchase"),
    )
    of_return = F.when(F.col("has_purchase"), F.lit(CANCELLING)).otherwise(F.lit(WITHOUT_PURCHASE))
    cancelled = F.when(is_return, of_return).when(is_purchase & F.col("is_taken_back"), F.lit(CANCELLED))
    return marked.withColumn("cause", F.coalesce(F.col("cause"), cancelled))


def transactions(*, entries: DataFrame) -> DataFrame:
    """Select the rows that count.

    Grain in: `attributed_entries`. Grain out: one row per (order_id, payment_sequential), `schemas.TRANSACTIONS`.
    """
    return entries.where(F.col("exclusion_cause").isNull()).select(*columns_of(schemas.TRANSACTIONS))


def entry_totals(*, entries: DataFrame) -> DataFrame:
    """Rows and money by currency, kind and cause.

    Grain in: `attributed_entries`. Grain out: one row per ``currency``, ``kind`` and ``exclusion_cause``: ``rows``,
    ``amount`` (as it stands there), and ``worth``, in the currency of transactions.
    """
    return entries.groupBy("currency", "kind", "exclusion_cause").agg(
        F.count(F.lit(1)).alias("rows"), F.sum("amount").alias("amount"), F.sum("payment_value").alias("worth")
    )


def _cause_of_row(mapping: LedgerMapping, counted: Counted) -> Column:
    """The cause for which a row is excluded, whatever other rows there are; null if there is none."""
    of_kind = F.when(F.col("kind") == FEE, F.lit(FEES)).when(F.col("kind") == OTHER, F.lit(OTHER_TYPES))
    if mapping.returns == "ignore":
        of_kind = of_kind.when(F.col("kind") == RETURN, F.lit(RETURNS_IGNORED))
        of_kind = of_kind.when(F.col("kind") == REVERSAL, F.lit(REVERSALS_IGNORED))
    causes = [
        *(F.when(~_is_one_of(mapping, column), F.lit(_not_kept(column))) for column in mapping.keep),
        *(F.when(_is_one_of(mapping, column), F.lit(_dropped(column))) for column in mapping.drop),
        F.when(F.col("customer_unique_id").isNull(), F.lit(WITHOUT_CUSTOMER)),
        cause_of_day(F.to_date("purchase_time"), counted),
        of_kind,
    ]
    return F.coalesce(*causes)


def _is_one_of(mapping: LedgerMapping, column: str) -> Column:
    """Whether a row has one of the values that the mapping keeps or drops of a column of the file."""
    values = mapping.keep.get(column) or mapping.drop[column]
    text = F.col(mapping.column_of(column)).cast("string")
    return F.coalesce(reduce(or_, (has_value(text, value) for value in values)), F.lit(False))


def _not_kept(column: str) -> str:
    return f"{column} not kept"


def _dropped(column: str) -> str:
    return f"{column} dropped"
