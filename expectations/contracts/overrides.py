"""A user's overrides of the rules: a YAML file that changes rules of the contracts and adds rules to them.

    payments:
      change:
        between(payment_value): {high: 50000, severity: warn}
      add:
        - {kind: mean_between, column: payment_value, low: 50, high: 500, severity: warn}
    orders:
      columns:
        order_purchase_timestamp: {format: M/d/yyyy H:mm}

A rule is named by its label, a column by its name in the file that the table comes from. What a rule is about cannot be
changed, and no rule can be removed: `warn` is the mildest severity.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from expectations.contracts.contract import Contract, FileContract
from expectations.contracts.yaml_text import YAMLTextError, load_yaml
from expectations.rules import (
    KINDS,
    ExcludedAtMost,
    HasAllFields,
    HasNoNul,
    HasValues,
    IsText,
    IsWellQuoted,
    ParsesAs,
    RefersTo,
    Rule,
)
from expectations.rules.cell_forms import ColumnForm
from transforms.bounded_text import cut, shown

LONGEST_MESSAGE = 380
"""Characters of a message after the name of the file and the line."""

_OF_THE_PROJECT = (HasAllFields, IsText, IsWellQuoted, HasNoNul, HasValues, ParsesAs, ExcludedAtMost)
ADDABLE = {name: kind for name, kind in KINDS.items() if kind not in _OF_THE_PROJECT}
"""The kinds of rule that can be added. The others apply once to every file, or to what the project computes."""

_FORM_FIELDS = "format, pad_zeros_to or may_be_missing"

SUBJECT_FIELDS = frozenset(
    {
        *("column", "other", "key", "names", "table", "over", "type", "of", "measured"),
        # Of rules of a ledger, which its mapping makes.
        *("factors", "sign", "of_purchases", "mapping", "currency", "time", "rate", "rates", "zones"),
    }
)
"""The fields that say what a rule is about. A rule with another subject is another rule."""


class OverridesError(ValueError):
    """The file is not a valid set of overrides. The message names the line, what was found and what was expected."""


def with_overrides(*, contracts: Mapping[str, Contract], text: str, name: str) -> dict[str, Contract]:
    """The contracts with a user's overrides applied.

    Args:
        contracts: all contracts, by table.
        text: the YAML.
        name: the name of the file in error messages.

    Raises:
        OverridesError: The text is not YAML, or a change or a new rule is not valid for its contract.
    """
    return _OverridesReader(contracts, name).read(text)


class _OverridesReader:
    """Applies one file to the contracts. Every error names the line that caused it."""

    def __init__(self, contracts: Mapping[str, Contract], name: str) -> None:
        self._contracts = dict(contracts)
        self._name = name

    def read(self, text: str) -> dict[str, Contract]:
        try:
            content = load_yaml(text)
        except YAMLTextError as error:
            self._fail(error.line, str(error))
        for table, line, sections in self._items(content, 0, "tables"):
            if table not in self._contracts:
                self._fail(line, f"unknown table {shown(table)} (expected one of: {', '.join(self._contracts)})")
            for section, section_line, rules in self._items(sections, line, "change, add and columns"):
                match section:
                    case "change":
                        for label, rule_line, values in self._items(rules, section_line, "rules by their labels"):
                            self._change(self._contracts[table], label, values, rule_line)
                    case "add":
                        self._add_all(table, rules, section_line)
                    case "columns":
                        for column, column_line, values in self._items(rules, section_line, "columns by their names"):
                            self._declare(self._contracts[table], column, values, column_line)
                    case _:
                        self._fail(section_line, f"found {shown(section)}, expected change, add or columns")
        return self._contracts

    def _change(self, contract: Contract, label: str, values: Any, line: int) -> None:
        rule = contract.rule(label)
        if rule is None:
            labels = ", ".join(rule.label for rule in contract.rules)
            self._fail(line, f"{contract.table} has no rule {shown(label)} (found: {labels})")
        changes = {field: value for field, _, value in self._items(values, line, "fields to change")}
        changeable = [field for field in _field_names(type(rule)) if field not in SUBJECT_FIELDS]
        for field in changes:
            if field not in changeable:
                expected = ", ".join(changeable)
                self._fail(
                    _line_of(values, field, line), f"{label} has no {shown(field)} to change (expected: {expected})"
                )
        current = {field: getattr(rule, field) for field in _field_names(type(rule))}
        changed = self._build_rule(type(rule), {**current, **changes}, values, line, label)
        self._check_compatible(contract, changed, line)
        rules = tuple(changed if other.label == label else other for other in contract.rules)
        self._contracts[contract.table] = replace(contract, rules=rules)

    def _declare(self, contract: Contract, column: str, values: Any, line: int) -> None:
        if not isinstance(contract, FileContract):
            self._fail(line, f"columns: {contract.table} is computed, expected a table that comes from a file")
        declared = {name: value for name, _, value in self._items(values, line, "how the column is written")}
        self._refuse_booleans(declared, values, line, column)
        try:
            form = TypeAdapter(ColumnForm).validate_python(declared)
        except ValidationError as error:
            problem = error.errors()[0]
            name = str(problem["loc"][0]) if problem["loc"] else ""
            cause = problem["msg"].removeprefix("Value error, ")
            self._fail(
                _line_of(values, name, line),
                f"{column}: {name}: {cause} (expected: {_FORM_FIELDS})".replace(": : ", ": "),
            )
        incompatibility = contract.form_incompatibility(column, form)
        if incompatibility is not None:
            self._fail(line, incompatibility)
        self._contracts[contract.table] = replace(contract, forms={**contract.forms, column: form})

    def _add_all(self, table: str, rules: Any, line: int) -> None:
        if not isinstance(rules, CommentedSeq):
            self._fail(line, f"add: found {shown(rules)}, expected a list of rules")
        for position, values in enumerate(rules):
            self._add(self._contracts[table], values, rules.lc.item(position)[0])

    def _add(self, contract: Contract, values: Any, line: int) -> None:
        arguments = {field: value for field, _, value in self._items(values, line, "a rule with its kind")}
        kind = ADDABLE.get(str(arguments.pop("kind", None)))
        if kind is None:
            self._fail(line, f"kind is {shown(values.get('kind'))} (expected one of: {', '.join(ADDABLE)})")
        addable = [field for field in _field_names(kind) if field != "of"]
        for field in arguments:
            if field not in addable:
                expected = ", ".join(addable)
                self._fail(_line_of(values, field, line), f"{kind.kind} has no {shown(field)} (expected: {expected})")
        rule = self._build_rule(kind, arguments, values, line, kind.kind)
        if contract.rule(rule.label) is not None:
            self._fail(line, f"{contract.table} already has a rule {rule.label}: put the new values under change")
        self._check_compatible(contract, rule, line)
        self._contracts[contract.table] = replace(contract, rules=(*contract.rules, rule))

    def _build_rule(self, kind: type[Rule], arguments: Mapping[str, Any], values: Any, line: int, label: str) -> Rule:
        self._refuse_booleans(arguments, values, line, label)
        try:
            return TypeAdapter(kind).validate_python(dict(arguments))
        except ValidationError as error:
            problems = error.errors()
            field = problems[0]["loc"][0] if problems[0]["loc"] else None
            of_field = [problem for problem in problems if not problem["loc"] or problem["loc"][0] == field]
            cause = " or ".join(dict.fromkeys(problem["msg"].removeprefix("Value error, ") for problem in of_field))
            is_missing = field is None or problems[0]["type"] == "missing"
            actual = "" if is_missing else f" is {shown(arguments[str(field)])}"
            self._fail(_line_of(values, field, line), f"{label}: {field or ''}{actual}: {cause}".replace(": : ", ": "))

    def _refuse_booleans(self, arguments: Mapping[str, Any], values: Any, line: int, label: str) -> None:
        for name, value in arguments.items():
            # Pydantic would take true for the number 1.
            if isinstance(value, bool) and name not in ("null_passes", "may_be_missing"):
                self._fail(_line_of(values, name, line), f"{label}: {name} is {value}, expected no boolean")

    def _check_compatible(self, contract: Contract, rule: Rule, line: int) -> None:
        cause = contract.incompatibility(rule)
        if cause is None and isinstance(rule, RefersTo):
            earlier = list(self._contracts)[: list(self._contracts).index(contract.table)]
            candidates = {name: self._contracts[name] for name in earlier}
            keys = {name: other.key[0] for name, other in candidates.items() if isinstance(other, FileContract)}
            if keys.get(rule.table) != rule.key or not isinstance(contract, FileContract):
                cause = f"no key {rule.key!r} of a table {rule.table!r} that is checked before {contract.table}"
        if cause is not None:
            self._fail(line, f"{contract.table}: {rule.label}: {cause}")

    def _items(self, content: Any, line: int, expected: str) -> Iterator[tuple[str, int, Any]]:
        """Each key of a mapping with its line and its value."""
        if not isinstance(content, CommentedMap) or not content:
            actual = "nothing" if content is None else shown(content)
            self._fail(line, f"found {actual}, expected {expected}")
        for key, value in content.items():
            yield str(key), _line_of(content, key, line), value

    def _fail(self, line: int, message: str) -> NoReturn:
        raise OverridesError(f"{self._name}, line {line + 1}: {cut(message, longest=LONGEST_MESSAGE)}")


def _field_names(kind: type[Rule]) -> list[str]:
    return [field.name for field in fields(kind)]


def _line_of(values: CommentedMap, field: Any, line: int) -> int:
    # A value that is merged in from an anchor (<<) has no line of its own here.
    return values.lc.key(field)[0] if field in (values.lc.data or {}) else line
