"""Names and texts inside SQL: the one place where either becomes part of a statement."""

import re

NAME = re.compile(r"[a-z_][a-z0-9_]*")
LONGEST_NAME = 127
"""Redshift's longest identifier, in bytes."""


def is_name(text: str) -> bool:
    """Whether a text can name a schema, table or column here: lower case, since Redshift folds even quoted names."""
    return len(text) <= LONGEST_NAME and NAME.fullmatch(text) is not None


def identifier(name: str) -> str:
    """A name as SQL has it, in quotes, so that no reserved word is in the way.

    Raises:
        ValueError: It is no name; whoever asked a person for it has not checked it.
    """
    if not is_name(name):
        raise ValueError(f"{name!r} is no identifier")
    return f'"{name}"'


def qualified(schema: str, name: str) -> str:
    """A table or view by its schema and name."""
    return f"{identifier(schema)}.{identifier(name)}"


def listed(names: list[str]) -> str:
    """Names, quoted, with commas between them."""
    return ", ".join(map(identifier, names))


def literal(text: str) -> str:
    """A text as SQL has it, in quotes.

    Redshift reads a backslash as the start of an escape and PostgreSQL does not; so none is let in.

    Raises:
        ValueError: There is a backslash or a control character in it.
    """
    if "\\" in text or not text.isprintable():
        raise ValueError(f"{text!r} has a backslash or a control character in it")
    quoted = text.replace("'", "''")
    return f"'{quoted}'"
