"""Redshift's wording of errors that PostgreSQL words otherwise.

A compute node reports the first invalid character of a number and never the whole text, so a failing cast cannot be
used to read a value. A serialization failure is error 1023. Other messages are PostgreSQL's, after Redshift's
``ERROR:``.
"""

import re

import psycopg
from psycopg import errors

BAD_TEXT = re.compile(r'invalid input syntax for (?:type )?([a-z ]+): "(.*)"', re.DOTALL)
NUMBERS = {
    "smallint": "Short",
    "integer": "Integer",
    "bigint": "Long",
    "numeric": "Decimal",
    "double precision": "Double",
}


class RedshiftError(Exception):
    """A statement failed. The message is Redshift's."""


def redshift_message(error: psycopg.Error, *, pid: int = 0) -> str:
    """The message with which the Data API reports an error of PostgreSQL."""
    primary = error.diag.message_primary or str(error).strip()
    match error:
        case errors.SerializationFailure() | errors.DeadlockDetected():
            text = (
                "1023\n  Detail: Serializable isolation violation on table - 108263, "
                f"transactions forming the cycle are: 2174, 2177 (pid:{pid})"
            )
        case errors.QueryCanceled():
            text = f"Query ({pid}) cancelled on user's request"
        case errors.NotNullViolation():
            text = f"Cannot insert a NULL value into column {error.diag.column_name}"
        case errors.UniqueViolation() if "pg_" in (error.diag.constraint_name or ""):
            text = "Relation already exists"  # two sessions created it concurrently
        case errors.DatetimeFieldOverflow() | errors.InvalidDatetimeFormat():
            text = "Error converting text to date"
        case errors.InvalidTextRepresentation():
            text = _bad_text_message(primary)
        case _:
            text = primary
    return f"ERROR: {text}"


def _bad_text_message(message: str) -> str:
    match = BAD_TEXT.match(message)
    if match is None:
        return "Invalid data"
    type_name, text = match.groups()
    if type_name not in NUMBERS:
        return f"Invalid data for type {type_name}"
    position = next((at for at, character in enumerate(text) if not _is_valid(character, at)), 0)
    return f"Invalid digit, Value '{text[position : position + 1]}', Pos {position}, Type: {NUMBERS[type_name]}"


def _is_valid(character: str, position: int) -> bool:
    return character.isdigit() or (character in "+-" and position == 0)
