"""JSON within bounds, and values that a message can show."""

import time

import pytest

from transforms.bounded_text import DEEPEST, JSONTextError, cut, parse_object, shown


def test_an_object_is_parsed_with_its_numbers_and_its_text() -> None:
    text = '{"a": [1, -2.5, "\\u00e9", null, true], "b": {"c": 12345678901234567890}}'
    assert parse_object(text, longest=100) == {"a": [1, -2.5, "é", None, True], "b": {"c": 12345678901234567890}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid JSON: it is empty"),
        (" \n", "invalid JSON: it is empty"),
        ('{"run_id": "2018-', "invalid JSON: Unterminated string starting at: line 1 column 12"),
        ("[1]", "found [1] (expected an object in JSON)"),
        ("7", "found 7 (expected an object in JSON)"),
        ('{"a": NaN}', "found the number NaN (expected finite numbers only)"),
        ('{"a": -Infinity}', "found the number -Infinity"),
        ('{"a": 1e999}', "found the number 1e999"),
        ('{"a": ' + "9" * 5000 + "}", "found a number of 5,000 digits (expected at most 64)"),
        ('{"a": 0.' + "3" * 5000 + "}", "found a number of 5,002 digits (expected at most 64)"),
        ('{"a": ' + "[" * 33 + "]" * 33 + "}", "nested deeper than 32"),
        ('{"a": ' + "[" * 100_000, "nested deeper than 32"),
        ('{"a":' * 100_000, "nested deeper than 32"),
        ('{"a": 1}' + " " * 1_000_000, "found 1,000,008 characters (expected at most 1,000,000)"),
        ("{'a': 1}", "invalid JSON: Expecting property name"),
        ('{"a": 1}\0', "invalid JSON: Extra data"),
    ],
)
def test_what_is_no_object_or_exceeds_a_bound_is_an_error_in_a_few_words(text: str, message: str) -> None:
    started = time.monotonic()
    with pytest.raises(JSONTextError) as error:
        parse_object(text, longest=1_000_000)
    assert str(error.value).startswith(message)
    assert len(str(error.value)) < 150
    assert time.monotonic() - started < 2


def test_brackets_within_a_text_are_no_nesting() -> None:
    text = '{"a": "' + "[" * 100 + '\\"[{", "b": ' + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1) + "}"
    assert parse_object(text, longest=1000)["a"] == "[" * 100 + '"[{'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "'plain'"),
        ("é", "'é'"),
        ("\x1b[2J\0", "'\\x1b[2J\\x00'"),
        ("\ud800", "'\\ud800'"),
        ("x" * 1_000_000, "'" + "x" * 58 + "…"),
        (7, "7"),
        (None, "None"),
        ([1, "a"], "[1, 'a']"),
        ({"a": [1]}, "{'a': [1]}"),
        ([["a" * 100] * 10] * 10_000_000, "[[" + "'" + "a" * 56 + "…"),
    ],
)
def test_a_value_is_shown_in_few_printable_characters(value: object, text: str) -> None:
    assert shown(value) == text
    assert len(shown(value)) <= 60


def test_a_number_that_python_does_not_write_is_shown_in_words() -> None:
    assert shown([10**5000]) == "[a number of thousands of digits]"


def test_a_text_is_cut_and_its_control_characters_are_written_out() -> None:
    assert cut("a\x1b[31mb\nc", longest=60) == "a\\x1b[31mb\\nc"
    assert cut("abcdef", longest=4) == "abc…"
