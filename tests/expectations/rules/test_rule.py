"""Rules that cannot be built, and rules that columns of a type cannot have."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from expectations import rules
from expectations.rules import Cells, Rule
from expectations.rules.ledger_rules import HasKind, HasRate, HasSign, IsMoney
from tests.expectations.rules.reasons import TIME, WHOLE, raw_columns
from transforms.schemas import MONEY


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: rules.Matches("a", "("), r"pattern is not a regular expression \(missing \)"),
        (lambda: rules.Matches("a", "(?P<x>1)"), r"pattern has \(\?P, which only Python knows"),
        (lambda: rules.InSet("a", ()), "values is empty, so that nothing could pass"),
        (lambda: rules.Between("a"), "neither low nor high is set, so that everything would pass"),
        (lambda: rules.Between("a", low=2, high=1), "low 2 is above high 1, so that nothing could pass"),
        (lambda: rules.Between("a", low=1, high=date(2018, 1, 1)), "low 1 and high 2018-01-01 differ in type"),
        (lambda: rules.RowCountBetween(low=2, high=1), "low 2 is above high 1"),
        (lambda: rules.MeanBetween("a"), "neither low nor high is set"),
        (lambda: rules.NullShareAtMost("a", 1.5), "share is 1.5, expected 0 to 1"),
        (lambda: rules.NullShareAtMost("a", float("nan")), "share is nan, expected 0 to 1"),
        (
            lambda: rules.RowCountBetween(low=1, severity="quarantine"),
            "expected stop or warn: there is no row to quarantine",
        ),
    ],
)
def test_a_rule_that_nothing_or_everything_would_pass_cannot_be_built(build: Callable[[], Rule], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("rule", "cells", "incompatibility"),
    [
        (rules.Between("a", low=0), raw_columns(), "a is text, expected a column of numbers or times"),
        (rules.Between("a", low=0), raw_columns(TIME), "bound 0, expected a day"),
        (rules.Between("a", high=date(2018, 1, 1)), raw_columns(WHOLE), "bound 2018-01-01, expected a number"),
        (rules.NotAfter("a", "b"), raw_columns(TIME, WHOLE), "a is timestamp and b is int, expected one type"),
        (rules.MeanBetween("a", low=0), raw_columns(), "a is string, expected a number"),
        (rules.Between("a", low=0), raw_columns(MONEY), None),
    ],
)
def test_a_rule_states_why_columns_of_a_type_cannot_have_it(
    rule: Rule, cells: Cells, incompatibility: str | None
) -> None:
    assert rule.incompatibility(cells) == incompatibility


def test_every_kind_of_rule_can_be_named_in_a_file_of_rules_but_those_that_a_mapping_makes() -> None:
    kinds = {kind.kind: kind for kind in concrete(Rule)}
    of_ledgers = {kind.kind for kind in (HasKind, HasRate, HasSign, IsMoney)}
    assert {name: kind for name, kind in kinds.items() if name not in of_ledgers} == rules.KINDS


def concrete(base: type[Rule]) -> Iterator[type[Rule]]:
    """All kinds of rule below one."""
    for kind in base.__subclasses__():
        if "kind" in vars(kind):
            yield kind
        yield from concrete(kind)
