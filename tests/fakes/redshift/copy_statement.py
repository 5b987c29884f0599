"""Parses COPY statements: source, target table, and options.

The parser accepts the options that Redshift allows for each format, in any order, and rejects all others. For instance,
Redshift rejects REGION and MAXERROR with Parquet. CSV is the only text format here. IAM_ROLE is the only authorization,
and the one that Redshift recommends.
"""

import re
from dataclasses import dataclass, field

import sqlglot
from sqlglot.tokens import Token, TokenType

from tests.fakes.redshift.errors import RedshiftError

COPY = re.compile(r"\s*copy\s", re.IGNORECASE)
FLAGS = {
    "CSV",
    "PARQUET",
    "MANIFEST",
    "EMPTYASNULL",
    "BLANKSASNULL",
    "TRUNCATECOLUMNS",
    "GZIP",
    "EXPLICIT_IDS",
    "FILLRECORD",
}
TEXT_OPTIONS = {"IAM_ROLE", "REGION", "DATEFORMAT", "TIMEFORMAT", "DELIMITER", "QUOTE", "NULL", "ENCODING"}
NUMBER_OPTIONS = {"IGNOREHEADER", "MAXERROR"}
SWITCH_OPTIONS = {"STATUPDATE", "COMPUPDATE"}
PARQUET_OPTIONS = {"PARQUET", "IAM_ROLE", "MANIFEST", "STATUPDATE", "EXPLICIT_IDS", "FILLRECORD", "ACCEPTINVCHARS"}
UNSUPPORTED = {"DELIMITER", "QUOTE", "NULL", "ENCODING", "EXPLICIT_IDS", "FILLRECORD", "ACCEPTINVCHARS"}
"""Options of Redshift that the fake rejects, since it would load other rows than Redshift."""


@dataclass
class CopyStatement:
    """A parsed COPY.

    Attributes:
        table: The table's name, with its schema if there is one.
        columns: The column list; empty if the statement has none.
        source: The URL of an object, a prefix or a manifest.
        options: The options by name, in upper case. Flags have an empty value.
    """

    table: list[str]
    columns: list[str]
    source: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The table's name without its schema, as error messages have it."""
        return self.table[-1]

    @property
    def is_parquet(self) -> bool:
        """Whether the objects are Parquet files; they are CSV files otherwise."""
        return "PARQUET" in self.options


def is_copy(sql: str) -> bool:
    """Whether a statement is a COPY."""
    return COPY.match(sql) is not None


def parse_copy(sql: str) -> CopyStatement:
    """Parse a COPY.

    Raises:
        RedshiftError: The statement has a syntax error, or its options are incomplete or conflict.
    """
    tokens = _Tokens(sql)
    tokens.expect("COPY")
    table = [tokens.name()]
    while tokens.take("."):
        table.append(tokens.name())
    columns = []
    if tokens.take("("):
        columns.append(tokens.name())
        while tokens.take(","):
            columns.append(tokens.name())
        tokens.expect(")")
    tokens.expect("FROM")
    statement = CopyStatement(table, columns, tokens.text())
    while not tokens.at_end():
        _option(tokens, statement.options)
    _check(statement)
    return statement


def _option(tokens: "_Tokens", options: dict[str, str]) -> None:
    name = tokens.word()
    if name == "FORMAT":
        tokens.take("AS")
        name = tokens.word()
        if name not in ("PARQUET", "CSV"):
            raise tokens.syntax_error(name)
    if name in options:
        raise RedshiftError("ERROR: conflicting or redundant options")
    if name in TEXT_OPTIONS:
        tokens.take("AS")
        options[name] = tokens.text()
    elif name in NUMBER_OPTIONS:
        tokens.take("AS")
        options[name] = tokens.number()
    elif name in SWITCH_OPTIONS:
        options[name] = "OFF" if tokens.take("OFF") else "ON"
        tokens.take("ON")
    elif name in FLAGS:
        options[name] = ""
    else:
        raise tokens.syntax_error(name)


def _check(statement: CopyStatement) -> None:
    options = statement.options
    if "IAM_ROLE" not in options:
        raise RedshiftError("ERROR: COPY requires authorization: IAM_ROLE is missing")
    if {"PARQUET", "CSV"} <= set(options):
        raise RedshiftError("ERROR: conflicting or redundant options")
    if not {"PARQUET", "CSV"} & set(options):
        raise RedshiftError("ERROR: the fake loads PARQUET and CSV only")
    if not statement.source.startswith("s3://"):
        raise RedshiftError("ERROR: the fake loads from s3:// only")
    not_for_parquet = sorted(set(options) - PARQUET_OPTIONS) if statement.is_parquet else []
    if not_for_parquet:
        raise RedshiftError(f"ERROR: {not_for_parquet[0]} argument is not supported for PARQUET based COPY")
    unsupported = sorted(set(options) & UNSUPPORTED)
    if unsupported:
        raise RedshiftError(f"ERROR: the fake does not support {unsupported[0]} of COPY")


class _Tokens:
    """The tokens of a statement, consumed from the left."""

    def __init__(self, sql: str) -> None:
        self._tokens = list(sqlglot.tokenize(sql, read="redshift"))
        if self._tokens and self._tokens[-1].token_type is TokenType.SEMICOLON:
            self._tokens.pop()
        self._position = 0

    def at_end(self) -> bool:
        return self._position == len(self._tokens)

    def syntax_error(self, text: str) -> RedshiftError:
        return RedshiftError(f'ERROR: syntax error at or near "{text}"')

    def take(self, word: str) -> bool:
        """Consume the next token if it is this word."""
        if self.at_end():
            return False
        token = self._tokens[self._position]
        is_word = token.text.upper() == word and token.token_type is not TokenType.STRING
        self._position += is_word
        return is_word

    def expect(self, word: str) -> None:
        if not self.take(word):
            raise self.syntax_error("end of input" if self.at_end() else self._tokens[self._position].text)

    def _next(self) -> Token:
        if self.at_end():
            raise self.syntax_error("end of input")
        self._position += 1
        return self._tokens[self._position - 1]

    def word(self) -> str:
        token = self._next()
        if (
            token.token_type in (TokenType.STRING, TokenType.NUMBER, TokenType.IDENTIFIER)
            or not token.text.isidentifier()
        ):
            raise self.syntax_error(token.text)
        return token.text.upper()

    def name(self) -> str:
        """Consume an identifier. Redshift folds it to lower case, even in quotation marks."""
        token = self._next()
        unquoted = token.token_type is not TokenType.STRING and re.fullmatch(r"[a-zA-Z_#][\w$#]*", token.text)
        if token.token_type is not TokenType.IDENTIFIER and not unquoted:
            raise self.syntax_error(token.text)
        return token.text.lower()

    def text(self) -> str:
        token = self._next()
        if token.token_type is not TokenType.STRING:
            raise self.syntax_error(token.text)
        return token.text

    def number(self) -> str:
        token = self._next()
        if token.token_type is not TokenType.NUMBER or not token.text.isdigit():
            raise self.syntax_error(token.text)
        return token.text
