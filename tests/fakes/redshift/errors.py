"""How Redshift words the errors that PostgreSQL words otherwise.

Compute nodes tell the first character of a text that is no number and never the text, so that a message smuggled into
a failing cast does not come back; a serialisation failure is error 1023. Other messages are PostgreSQL's, behind
Redshift's ``ERROR:``.
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
    """A statement failed, in Redshift's words."""


def in_redshifts_words(error: psycopg.Error, *, pid: int = 0) -> str:
    """What the Data API would say of a statement at which PostgreSQL failed so."""
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
            text = "Relation already exists"  # two sessions made it at once
        case errors.DatetimeFieldOverflow() | errors.InvalidDatetimeFormat():
            text = "Error converting text to date"
        case errors.InvalidTextRepresentation():
            text = _of_bad_text(primary)
        case _:
            text = primary
    return f"ERROR: {text}"


def _of_bad_text(message: str) -> str:
    found = BAD_TEXT.match(message)
    if found is None:
        return "Invalid data"
    if found[1] not in NUMBERS:
        return f"Invalid data for type {found[1]}"
    position = next((at for at, sign in enumerate(found[2]) if not _fits(sign, at)), 0)
    return f"Invalid digit, Value '{found[2][position : position + 1]}', Pos {position}, Type: {NUMBERS[found[1]]}"


def _fits(sign: str, position: int) -> bool:
    return sign.isdigit() or (sign in "+-" and position == 0)
