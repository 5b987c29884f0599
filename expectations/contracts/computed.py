"""The contracts of computed tables: no nulls, a key, and bounds. A row that fails one is a fault of the code."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from pyspark.sql.types import StructType

from expectations.contracts.contract import Contract, FileContract
from expectations.rules import (
    Between,
    ExcludedAtMost,
    HasValues,
    NotAfter,
    NotNull,
    RowCountBetween,
    Rule,
    ShareOfOneAtMost,
    Unique,
)
from transforms import schemas
from transforms.rfm.dimensions import DIMENSIONS
from transforms.schemas import MAY_BE_NULL


def computed_contract(*, table: str, schema: StructType, rules: Sequence[Rule] = ()) -> Contract:
    """The contract of a computed table: no nulls, rules of its own, and the key of `schemas.KEYS`.

    A rule of ``rules`` that covers several columns covers their nulls too. Columns of `MAY_BE_NULL` may be null.
    """
    may_be_null = {name for rule in rules if isinstance(rule, HasValues) for name in rule.names} | {*MAY_BE_NULL}
    not_null = (NotNull(name, severity="stop") for name in schema.fieldNames() if name not in may_be_null)
    return Contract(table, schema, (*not_null, *rules, Unique(schemas.KEYS[table], severity="stop")))


TRANSACTIONS = computed_contract(table="transactions", schema=schemas.TRANSACTIONS)

PURCHASES = computed_contract(table="purchases", schema=schemas.PURCHASES)

RFM = computed_contract(
    table="rfm",
    schema=schemas.RFM,
    rules=(
        Between("recency_weeks", low=0, severity="stop"),
        Between("purchase_count", low=1, severity="stop"),
        # True of a card that was fitted to the same customers. For any other card, see `with_another_card`.
        *(Between(dimension, low=0, high=5, severity="stop") for dimension in DIMENSIONS),
        # One rule for all that comes with scores, since every rule costs each row time. A score outside 1..5 is in no
        # cell, and so in no segment.
        HasValues(
            "scores and segment",
            (
                *("as_of", "first_purchase_time", "days_since_last_purchase", "tenure_days"),
                *("r_score", "f_score", "m_score", "rfm_score", "segment_code", "segment"),
                *("r_band", "f_band", "m_band"),
            ),
            severity="stop",
        ),
        NotAfter("first_purchase_time", other="last_purchase_time", severity="stop"),
        ShareOfOneAtMost("purchase_count", share=0.05, severity="warn"),
        ExcludedAtMost("orders without payments", share=0.005, severity="warn"),
    ),
)

SEGMENT_HISTORY = computed_contract(
    table="segment_history",
    schema=schemas.SEGMENT_HISTORY,
    rules=(
        HasValues("segment", ("segment_code", "segment", "segment_since"), severity="stop"),
        Between("runs_in_segment", low=1, severity="stop"),
    ),
)

SEGMENT_CHANGES = computed_contract(
    table="segment_changes",
    schema=schemas.SEGMENT_CHANGES,
    rules=(HasValues("day and cause", ("from_as_of", "cause"), severity="stop"),),
)

CUSTOMER_SEGMENTS = computed_contract(
    table="customer_segments",
    schema=schemas.CUSTOMER_SEGMENTS,
    rules=(Between("cluster", low=0, severity="stop"), Between("distance", low=0, severity="stop")),
)


def with_row_count(contract: Contract, *, rows: int, of: str) -> Contract:
    """The contract with one more rule: the table has exactly ``rows`` rows, as counted from ``of``."""
    return replace(contract, rules=(*contract.rules, RowCountBetween(low=rows, high=rows, of=of)))


def with_unpaid_orders(contract: Contract, *, share: float) -> Contract:
    """The contract with the share of orders without payments that the run measured, for its rule to validate."""
    rules = (replace(rule, measured=share) if isinstance(rule, ExcludedAtMost) else rule for rule in contract.rules)
    return replace(contract, rules=tuple(rules))


def without_unpaid_orders(contract: Contract) -> Contract:
    """The contract for a source that has no orders without payments, since it has no orders."""
    return replace(contract, rules=tuple(rule for rule in contract.rules if not isinstance(rule, ExcludedAtMost)))


def with_another_card(rfm: Contract) -> Contract:
    """The contract of rfm for a card that was fitted to other customers: figures outside 0..5 only warn."""
    ranges = {f"between({dimension})" for dimension in DIMENSIONS}
    rules = (replace(rule, severity="warn") if rule.label in ranges else rule for rule in rfm.rules)
    return replace(rfm, rules=tuple(rules))


COMPUTED_CONTRACTS = (TRANSACTIONS, PURCHASES, RFM, SEGMENT_HISTORY, SEGMENT_CHANGES, CUSTOMER_SEGMENTS)
"""In the order in which the tables are computed."""


def all_contracts(of_files: Sequence[FileContract]) -> Mapping[str, Contract]:
    """All contracts of a run by table: those of its raw tables first, as they are checked, then computed tables."""
    return MappingProxyType({contract.table: contract for contract in (*of_files, *COMPUTED_CONTRACTS)})
