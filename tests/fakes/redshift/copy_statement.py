"""What a COPY statement of Redshift's says: where from, into what, in which format.

Parameters that Redshift allows for each format are taken, in any order; every other word is refused, as Redshift
refuses REGION or MAXERROR with Parquet. Of the text format only CSV is known here, and of authorisation only
IAM_ROLE, as Redshift itself advises.
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
WITH_TEXT = {"IAM_ROLE", "REGION", "DATEFORMAT", "TIMEFORMAT", "DELIMITER", "QUOTE", "NULL", "ENCODING"}
WITH_NUMBER = {"IGNOREHEADER", "MAXERROR"}
WITH_SWITCH = {"STATUPDATE", "COMPUPDATE"}
OF_PARQUET = {"PARQUET", "IAM_ROLE", "MANIFEST", "STATUPDATE", "EXPLICIT_IDS", "FILLRECORD", "ACCEPTINVCHARS"}
NOT_SERVED = {"DELIMITER", "QUOTE", "NULL", "ENCODING", "EXPLICIT_IDS", "FILLRECORD", "ACCEPTINVCHARS"}
"""What Redshift takes and this stand-in does not; it says so rather than load something else."""


@dataclass
class CopyStatement:
    """One COPY, parsed."""

    table: list[str]
    columns: list[str]
    source: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The table's name, as messages give it."""
        return self.table[-1]

    @property
    def is_parquet(self) -> bool:
        """Whether the objects are Parquet; CSV otherwise."""
        return "PARQUET" in self.options


def is_copy(sql: str) -> bool:
    """Whether a statement is a COPY."""
    return COPY.match(sql) is not None


def copy_statement(sql: str) -> CopyStatement:
    """Parse a COPY.

    Raises:
        RedshiftError: It does not parse, or parameters are missing or do not go together.
    """
    words = _Words(sql)
    words.expect("COPY")
    table = [words.name()]
    while words.take("."):
        table.append(words.name())
    columns = []
    if words.take("("):
        columns.append(words.name())
        while words.take(","):
            columns.append(words.name())
        words.expect(")")
    words.expect("FROM")
    statement = CopyStatement(table, columns, words.text())
    while not words.at_end():
        _option(words, statement.options)
    _check(statement)
    return statement


def _option(words: "_Words", options: dict[str, str]) -> None:
    name = words.word()
    if name == "FORMAT":
        words.take("AS")
        name = words.word()
        if name not in ("PARQUET", "CSV"):
            raise words.wrong(name)
    if name in options:
        raise RedshiftError("ERROR: conflicting or redundant options")
    if name in WITH_TEXT:
        words.take("AS")
        options[name] = words.text()
    elif name in WITH_NUMBER:
        words.take("AS")
        options[name] = words.number()
    elif name in WITH_SWITCH:
        options[name] = "OFF" if words.take("OFF") else "ON"
        words.take("ON")
    elif name in FLAGS:
        options[name] = ""
    else:
        raise words.wrong(name)


def _check(statement: CopyStatement) -> None:
    options = statement.options
    if "IAM_ROLE" not in options:
        raise RedshiftError("ERROR: COPY requires authorization: IAM_ROLE is missing")
    if {"PARQUET", "CSV"} <= set(options):
        raise RedshiftError("ERROR: conflicting or redundant options")
    if not {"PARQUET", "CSV"} & set(options):
        raise RedshiftError("ERROR: the stand-in loads PARQUET and CSV only")
    if not statement.source.startswith("s3://"):
        raise RedshiftError("ERROR: the stand-in loads from s3:// only")
    foreign = sorted(set(options) - OF_PARQUET) if statement.is_parquet else []
    if foreign:
        raise RedshiftError(f"ERROR: {foreign[0]} argument is not supported for PARQUET based COPY")
    missing = sorted(set(options) & NOT_SERVED)
    if missing:
        raise RedshiftError(f"ERROR: the stand-in does not know COPY's {missing[0]}")


class _Words:
    """A statement's words, read from the left."""

    def __init__(self, sql: str) -> None:
        self._tokens = list(sqlglot.tokenize(sql, read="redshift"))
        if self._tokens and self._tokens[-1].token_type is TokenType.SEMICOLON:
            self._tokens.pop()
        self._at = 0

    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def wrong(self, found: str) -> RedshiftError:
        return RedshiftError(f'ERROR: syntax error at or near "{found}"')

    def take(self, word: str) -> bool:
        """Go past this word if it comes next."""
        here = not self.at_end() and self._tokens[self._at].text.upper() == word
        here = here and self._tokens[self._at].token_type is not TokenType.STRING
        self._at += here
        return here

    def expect(self, word: str) -> None:
        if not self.take(word):
            raise self.wrong("end of input" if self.at_end() else self._tokens[self._at].text)

    def _next(self) -> Token:
        if self.at_end():
            raise self.wrong("end of input")
        self._at += 1
        return self._tokens[self._at - 1]

    def word(self) -> str:
        token = self._next()
        if (
            token.token_type in (TokenType.STRING, TokenType.NUMBER, TokenType.IDENTIFIER)
            or not token.text.isidentifier()
        ):
            raise self.wrong(token.text)
        return token.text.upper()

    def name(self) -> str:
        """An identifier: Redshift folds it to lower case, even in quotation marks."""
        token = self._next()
        plain = token.token_type is not TokenType.STRING and re.fullmatch(r"[a-zA-Z_#][\w$#]*", token.text)
        if token.token_type is not TokenType.IDENTIFIER and not plain:
            raise self.wrong(token.text)
        return token.text.lower()

    def text(self) -> str:
        token = self._next()
        if token.token_type is not TokenType.STRING:
            raise self.wrong(token.text)
        return token.text

    def number(self) -> str:
        token = self._next()
        if token.token_type is not TokenType.NUMBER or not token.text.isdigit():
            raise self.wrong(token.text)
        return token.text
