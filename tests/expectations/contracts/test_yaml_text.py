"""YAML within bounds: what would grow, turn in a circle or be no value of its type is an error in one short line."""

import time

import pytest

from expectations.contracts.olist import CONTRACTS
from expectations.contracts.overrides import OverridesError, with_overrides
from expectations.contracts.yaml_text import YAMLTextError, load_yaml


def bomb(*, levels: int) -> str:
    """Nine aliases on each line, each of which stands for nine of the line before."""
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (bomb(levels=9), 4, "more than 10,000 values with all aliases, expected fewer"),
        ("a: &a [*a]", 0, "found *a within &a, expected no circle"),
        ("x: 1\na: &a {<<: *a}", 1, "found *a within &a, expected no circle"),
        ("x: 1\na: &a\n  b: &b\n    c: [*b, *a]", 3, "found *b within &b, expected no circle"),
        ("[" * 90_000, 0, "nested deeper than 12, expected at most that"),
        ("- " * 40_000, 0, "nested deeper than 12, expected at most that"),
        ("{a: " * 20_000, 0, "nested deeper than 12, expected at most that"),
        ("a: " + "9" * 5000, 0, "found a value of 5,000 characters, expected at most 64"),
        ("a: 0x" + "f" * 5000, 0, "found a value of 5,002 characters, expected at most 64"),
        ("a: '" + "y" * 5000 + "'", 0, "found a value of 5,000 characters, expected at most 4,000"),
        ("a: 1\n" * 50_000, 0, "found 250,000 characters, expected at most 100,000"),
        ("a: 2018-13-45", 0, "invalid YAML: found a value that is none of its type (month must be in 1..12)"),
        ("a: 2018-01-01T99:00:00Z", 0, "invalid YAML: found a value that is none of its type (hour must be in 0..23)"),
        ("a: !!float x", 0, "invalid YAML: found a value that is none of its type (could not convert string to floa"),
        ("a: \0", 0, "invalid YAML: unacceptable character #x0000: special characters are not allowed"),
        ("a: \x1b[2J", 0, "invalid YAML: unacceptable character #x001b: special characters are not allowed"),
        ("--- a\n--- b", 1, "invalid YAML: but found another document"),
        ("a: 1\nb: *c", 1, "invalid YAML: found undefined alias 'c'"),
        ("a: 1\na: " + "[" + "x, " * 500 + "]", 1, 'invalid YAML: found duplicate key "a" with value'),
    ],
)
def test_what_exceeds_a_bound_or_is_no_yaml_is_an_error_on_its_line(text: str, line: int, message: str) -> None:
    started = time.monotonic()
    with pytest.raises(YAMLTextError) as error:
        load_yaml(text)
    assert str(error.value).startswith(message)
    assert error.value.line == line
    assert len(str(error.value)) <= 200
    assert str(error.value).isprintable()
    assert time.monotonic() - started < 2


def test_an_anchor_may_be_used_often_as_long_as_it_stays_small() -> None:
    content = load_yaml("a: &a {low: 1, high: 2}\n" + "".join(f"b{number}: *a\n" for number in range(500)))
    assert content["b499"] == {"low": 1, "high": 2}


def test_an_anchor_that_is_set_again_costs_no_line_on_the_terminal(recwarn: pytest.WarningsRecorder) -> None:
    assert load_yaml("a: &a 1\nb: *a\nc: &a 2\nd: *a\n") == {"a": 1, "b": 1, "c": 2, "d": 2}
    assert not recwarn.list


@pytest.mark.parametrize(
    "text",
    [
        "x" * 3000 + ": {}",
        "payments: {change: {" + "y" * 900 + ": {severity: warn}}}",
        "payments: {change: {between(payment_value): {" + "z" * 900 + ": 1}}}",
        "payments: {change: {between(payment_value): {high: " + "z" * 900 + "}}}",
        "payments: {change: {between(payment_value): {high: [" + "[1, 2], " * 900 + "]}}}",
        "payments: {add: " + "w" * 900 + "}",
        "payments: {add: [{kind: " + "k" * 900 + "}]}",
        "payments: {" + "s" * 900 + ": 1}",
        'payments: {change: {"a\\e[2Jb\\0": {severity: warn}}}',
        "payments: " + "[1, " * 5 + "]" * 5,
        bomb(levels=4),
    ],
)
def test_a_message_never_repeats_more_of_the_file_than_a_line_has_room_for(text: str) -> None:
    with pytest.raises(OverridesError) as error:
        with_overrides(contracts=CONTRACTS, text=text, name="mine.yml")
    assert len(str(error.value)) < 400
    assert str(error.value).isprintable()
    assert str(error.value).startswith("mine.yml, line ")
