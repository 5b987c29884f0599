"""The kinds of rule that a contract is made of. No table, no evaluation: `contracts` and `validation` have those.

Each rule is data, and has two forms. One is a Spark column: null if the row passes, else a `schemas.REASON`. The other
is a list of expectations that Great Expectations evaluates over the same rows. Three-valued logic ends here: a check
that comes out as null has failed, unless the rule states that null passes.
"""

from expectations.rules.cells import Cells
from expectations.rules.column_rules import Between, HasValues, NotAfter, NotNull, ParsesAs
from expectations.rules.row_rules import HasAllFields, IsText, IsWellQuoted, RefersTo, Unique
from expectations.rules.rule import GxExpectation, RowRule, Rule, Severity
from expectations.rules.table_rules import (
    ExcludedAtMost,
    MeanBetween,
    NullShareAtMost,
    RowCountBetween,
    ShareOfOneAtMost,
    TableRule,
)
from expectations.rules.text_rules import HasNoNul, InSet, Matches, MaxBytes

KINDS: dict[str, type[Rule]] = {
    kind.kind: kind
    for kind in (
        HasAllFields,
        IsText,
        IsWellQuoted,
        HasNoNul,
        NotNull,
        HasValues,
        ParsesAs,
        Matches,
        InSet,
        MaxBytes,
        Between,
        NotAfter,
        Unique,
        RefersTo,
        RowCountBetween,
        NullShareAtMost,
        MeanBetween,
        ShareOfOneAtMost,
        ExcludedAtMost,
    )
}
"""Every kind of rule that a file of overrides may add, or change, by name. Those of a ledger come from its mapping."""

__all__ = [
    "KINDS",
    "Between",
    "Cells",
    "ExcludedAtMost",
    "GxExpectation",
    "HasAllFields",
    "HasNoNul",
    "HasValues",
    "InSet",
    "IsText",
    "IsWellQuoted",
    "Matches",
    "MaxBytes",
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
    "ShareOfOneAtMost",
    "TableRule",
    "Unique",
]
