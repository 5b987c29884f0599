"""The kinds of rule that a contract is made of.

Each is data, and says one thing twice: as a Spark column (null where it is kept, a `schemas.REASON` where it is
broken), and as expectations that Great Expectations evaluates over the same rows. Three-valued logic ends here: a check
that comes out as NULL has failed, unless the rule says that nothing is fine.
"""

from expectations.rules.of_columns import Between, NotAfter, NotNull, ParsesAs
from expectations.rules.of_rows import HasAllFields, IsText, RefersTo, Unique
from expectations.rules.of_tables import MeanBetween, NullShareAtMost, RowCountBetween, TableRule
from expectations.rules.of_texts import InSet, Matches
from expectations.rules.rule import Cells, Expected, RowRule, Rule, Severity

KINDS: dict[str, type[Rule]] = {
    kind.kind: kind
    for kind in (
        HasAllFields,
        IsText,
        NotNull,
        ParsesAs,
        Matches,
        InSet,
        Between,
        NotAfter,
        Unique,
        RefersTo,
        RowCountBetween,
        NullShareAtMost,
        MeanBetween,
    )
}
"""All kinds there are, by name."""

__all__ = [
    "KINDS",
    "Between",
    "Cells",
    "Expected",
    "HasAllFields",
    "InSet",
    "IsText",
    "Matches",
    "MeanBetween",
    "NotAfter",
    "NotNull",
    "NullShareAtMost",
    "ParsesAs",
    "RefersTo",
    "RowCountBetween",
    "RowRule",
    "Rule",
    "Severity",
    "TableRule",
    "Unique",
]
