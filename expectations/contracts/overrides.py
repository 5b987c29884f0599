"""A user's overrides of the rules: a YAML file that changes rules of the contracts and adds rules to them.

    payments:
      change:
        between(payment_value): {high: 50000, severity: warn}
      add:
        - {kind: mean_between, column: payment_value, low: 50, high: 500, severity: warn}

A rule is named by its label, a column by its name in the file that the table comes from. What a rule is about cannot be
changed, and no rule can be removed: `warn` is the mildest severity.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from expectations.contracts.contract import Contract, FileContract
from expectations.rules import KINDS, HasAllFields, HasNoNul, IsText, ParsesAs, RefersTo, Rule

ADDABLE = {name: kind for name, kind in KINDS.items() if kind not in (HasAllFields, IsText, HasNoNul, ParsesAs)}
"""The kinds of rule that can be added. The others apply once to every file."""

SUBJECT_FIELDS = frozenset({"column", "other", "key", "table", "over", "type", "of"})
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
            content = YAML().load(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._fail(mark.line if mark else 0, f"invalid YAML: {error.problem}")
        except YAMLError as error:
            self._fail(0, f"invalid YAML: {str(error).splitlines()[0]}")
        for table, line, sections in self._items(content, 0, "tables"):
            if table not in self._contracts:
                self._fail(line, f"unknown table {table!r} (expected one of: {', '.join(self._contracts)})")
            for section, section_line, rules in self._items(sections, line, "change and add"):
                match section:
                    case "change":
                        for label, rule_line, values in self._items(rules, section_line, "rules by their labels"):
                            self._change(self._contracts[table], label, values, rule_line)
                    case "add":
                        self._add_all(table, rules, section_line)
                    case _:
                        self._fail(section_line, f"found {section!r}, expected change or add")
        return self._contracts

    def _change(self, contract: Contract, label: str, values: Any, line: int) -> None:
        rule = contract.rule(label)
        if rule is None:
            labels = ", ".join(rule.label for rule in contract.rules)
            self._fail(line, f"{contract.table} has no rule {label!r} (found: {labels})")
        changes = {field: value for field, _, value in self._items(values, line, "fields to change")}
        changeable = [field for field in _field_names(type(rule)) if field not in SUBJECT_FIELDS]
        for field in changes:
            if field not in changeable:
                expected = ", ".join(changeable)
                self._fail(_line_of(values, field, line), f"{label} has no {field!r} to change (expected: {expected})")
        current = {field: getattr(rule, field) for field in _field_names(type(rule))}
        changed = self._build_rule(type(rule), {**current, **changes}, values, line, label)
        self._check_compatible(contract, changed, line)
        rules = tuple(changed if other.label == label else other for other in contract.rules)
        self._contracts[contract.table] = replace(contract, rules=rules)

    def _add_all(self, table: str, rules: Any, line: int) -> None:
        if not isinstance(rules, CommentedSeq):
            self._fail(line, f"add: found {rules!r}, expected a list of rules")
        for position, values in enumerate(rules):
            self._add(self._contracts[table], values, rules.lc.item(position)[0])

    def _add(self, contract: Contract, values: Any, line: int) -> None:
        arguments = {field: value for field, _, value in self._items(values, line, "a rule with its kind")}
        kind = ADDABLE.get(str(arguments.pop("kind", None)))
        if kind is None:
            self._fail(line, f"kind is {values.get('kind')!r} (expected one of: {', '.join(ADDABLE)})")
        addable = [field for field in _field_names(kind) if field != "of"]
        for field in arguments:
            if field not in addable:
                expected = ", ".join(addable)
                self._fail(_line_of(values, field, line), f"{kind.kind} has no {field!r} (expected: {expected})")
        rule = self._build_rule(kind, arguments, values, line, kind.kind)
        if contract.rule(rule.label) is not None:
            self._fail(line, f"{contract.table} already has a rule {rule.label}: put the new values under change")
        self._check_compatible(contract, rule, line)
        self._contracts[contract.table] = replace(contract, rules=(*contract.rules, rule))

    def _build_rule(self, kind: type[Rule], arguments: Mapping[str, Any], values: Any, line: int, label: str) -> Rule:
        for name, value in arguments.items():
            # Pydantic would take true for the number 1.
            if isinstance(value, bool) and name != "null_passes":
                self._fail(_line_of(values, name, line), f"{label}: {name} is {value}, expected no boolean")
        try:
            return TypeAdapter(kind).validate_python(dict(arguments))
        except ValidationError as error:
            problems = error.errors()
            field = problems[0]["loc"][0] if problems[0]["loc"] else None
            of_field = [problem for problem in problems if not problem["loc"] or problem["loc"][0] == field]
            cause = " or ".join(dict.fromkeys(problem["msg"].removeprefix("Value error, ") for problem in of_field))
            is_missing = field is None or problems[0]["type"] == "missing"
            actual = "" if is_missing else f" is {arguments[str(field)]!r}"
            self._fail(_line_of(values, field, line), f"{label}: {field or ''}{actual}: {cause}".replace(": : ", ": "))

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
            actual = "nothing" if content is None else repr(content)
            self._fail(line, f"found {actual}, expected {expected}")
        for key, value in content.items():
            yield str(key), _line_of(content, key, line), value

    def _fail(self, line: int, message: str) -> NoReturn:
        raise OverridesError(f"{self._name}, line {line + 1}: {message}")


def _field_names(kind: type[Rule]) -> list[str]:
    return [field.name for field in fields(kind)]


def _line_of(values: CommentedMap, field: Any, line: int) -> int:
    # A value that is merged in from an anchor (<<) has no line of its own here.
    return values.lc.key(field)[0] if field in (values.lc.data or {}) else line
