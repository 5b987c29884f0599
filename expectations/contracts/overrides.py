"""A user's own rules: a YAML file that changes those of the contracts and adds to them.

    payments:
      change:
        between(payment_value): {high: 50000, severity: warn}
      add:
        - {kind: mean_between, column: payment_value, low: 50, high: 500, severity: warn}

A rule is named by its label, as in ``quality.json``; columns are named as in the file that the table comes from. What a
rule is about can not be changed, and none can be taken away: `warn` is the mildest that there is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from expectations.contracts.contract import Contract, FileContract
from expectations.rules import KINDS, HasAllFields, IsText, ParsesAs, RefersTo, Rule

ADDABLE = {name: kind for name, kind in KINDS.items() if kind not in (HasAllFields, IsText, ParsesAs)}
"""Kinds of which a table can have more; the others hold for every file as they are."""

ABOUT = frozenset({"column", "other", "key", "table", "over", "type", "of"})
"""What a rule is about, which its label says; another is another rule."""


class OverridesError(ValueError):
    """The file is no set of rules; the message names the line, what was found and what was expected."""


def with_overrides(*, contracts: Mapping[str, Contract], text: str, name: str) -> dict[str, Contract]:
    """The contracts with a user's rules in force.

    Args:
        contracts: all contracts, by table.
        text: the YAML.
        name: what the file is called in errors.

    Raises:
        OverridesError: It is no YAML, or says something that no contract can mean.
    """
    return _Overlay(contracts, name).read(text)


class _Overlay:
    def __init__(self, contracts: Mapping[str, Contract], name: str) -> None:
        self._contracts = dict(contracts)
        self._name = name

    def read(self, text: str) -> dict[str, Contract]:
        try:
            content = YAML().load(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._fail(mark.line if mark else 0, f"no YAML: {error.problem}")
        except YAMLError as error:
            self._fail(0, f"no YAML: {str(error).splitlines()[0]}")
        for table, line, sections in self._items(content, 0, "tables"):
            if table not in self._contracts:
                self._fail(line, f"no table {table!r} (expected one of: {', '.join(self._contracts)})")
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
            known = ", ".join(rule.label for rule in contract.rules)
            self._fail(line, f"{contract.table} has no rule {label!r} (found: {known})")
        given = {field: value for field, _, value in self._items(values, line, "what to change")}
        changeable = [field for field in _fields(type(rule)) if field not in ABOUT]
        for field in given:
            if field not in changeable:
                expected = ", ".join(changeable)
                self._fail(_line_of(values, field, line), f"{label} has no {field!r} to change (expected: {expected})")
        kept = {field: getattr(rule, field) for field in _fields(type(rule))}
        changed = self._made(type(rule), {**kept, **given}, values, line, label)
        self._see_that_it_fits(contract, changed, line)
        rules = tuple(changed if other.label == label else other for other in contract.rules)
        self._contracts[contract.table] = replace(contract, rules=rules)

    def _add_all(self, table: str, rules: Any, line: int) -> None:
        if not isinstance(rules, CommentedSeq):
            self._fail(line, f"add: found {rules!r}, expected a list of rules")
        for position, values in enumerate(rules):
            self._add(self._contracts[table], values, rules.lc.item(position)[0])

    def _add(self, contract: Contract, values: Any, line: int) -> None:
        given = {field: value for field, _, value in self._items(values, line, "a rule with its kind")}
        kind = ADDABLE.get(str(given.pop("kind", None)))
        if kind is None:
            self._fail(line, f"kind is {values.get('kind')!r} (expected one of: {', '.join(ADDABLE)})")
        addable = [field for field in _fields(kind) if field != "of"]
        for field in given:
            if field not in addable:
                expected = ", ".join(addable)
                self._fail(_line_of(values, field, line), f"{kind.kind} has no {field!r} (expected: {expected})")
        rule = self._made(kind, given, values, line, kind.kind)
        if contract.rule(rule.label) is not None:
            self._fail(line, f"{contract.table} has a rule {rule.label} already: change that one")
        self._see_that_it_fits(contract, rule, line)
        self._contracts[contract.table] = replace(contract, rules=(*contract.rules, rule))

    def _made(self, kind: type[Rule], given: Mapping[str, Any], values: Any, line: int, label: str) -> Rule:
        for name, value in given.items():
            if isinstance(value, bool) and name != "null_passes":
                self._fail(_line_of(values, name, line), f"{label}: {name} is {value}, expected no true or false")
        try:
            return TypeAdapter(kind).validate_python(dict(given))
        except ValidationError as error:
            problems = error.errors()
            field = problems[0]["loc"][0] if problems[0]["loc"] else None
            of_field = [each for each in problems if not each["loc"] or each["loc"][0] == field]
            why = " or ".join(dict.fromkeys(each["msg"].removeprefix("Value error, ") for each in of_field))
            found = "" if field is None or problems[0]["type"] == "missing" else f" is {given[str(field)]!r}"
            self._fail(_line_of(values, field, line), f"{label}: {field or ''}{found}: {why}".replace(": : ", ": "))

    def _see_that_it_fits(self, contract: Contract, rule: Rule, line: int) -> None:
        why_not = contract.why_not(rule)
        if why_not is None and isinstance(rule, RefersTo):
            earlier = list(self._contracts)[: list(self._contracts).index(contract.table)]
            keys = {name: self._contracts[name] for name in earlier}
            known = {name: other.key[0] for name, other in keys.items() if isinstance(other, FileContract)}
            if known.get(rule.table) != rule.key or not isinstance(contract, FileContract):
                why_not = f"no key {rule.key!r} of a table {rule.table!r} that is checked before {contract.table}"
        if why_not is not None:
            self._fail(line, f"{contract.table}: {rule.label}: {why_not}")

    def _items(self, content: Any, line: int, expected: str) -> Iterator[tuple[str, int, Any]]:
        """The keys of a mapping, each with its line and what stands under it."""
        if not isinstance(content, CommentedMap) or not content:
            found = "nothing" if content is None else repr(content)
            self._fail(line, f"found {found}, expected {expected}")
        for key, value in content.items():
            yield str(key), _line_of(content, key, line), value

    def _fail(self, line: int, message: str) -> NoReturn:
        raise OverridesError(f"{self._name}, line {line + 1}: {message}")


def _fields(kind: type[Rule]) -> list[str]:
    return [field.name for field in fields(kind)]


def _line_of(values: CommentedMap, field: Any, line: int) -> int:
    # What is merged in from elsewhere (<<) has no place of its own here.
    return values.lc.key(field)[0] if field in (values.lc.data or {}) else line
