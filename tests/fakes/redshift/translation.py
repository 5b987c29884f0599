"""Translates Redshift's SQL to PostgreSQL's with sqlglot, and rejects statements that do not parse as Redshift's.

Like Redshift:

- Names fold to lower case, even in quotation marks. A backslash in a literal escapes.
- Keys are not enforced. ``varchar`` is ``varchar(256)`` and ``numeric`` is ``numeric(18,0)``.
- ``DATEDIFF`` counts boundaries, and weeks begin on Sunday. ``GETDATE()`` is the statement's time.
- ``TRUNCATE`` commits. ``VACUUM`` and ``ALTER TABLE APPEND`` fail in a transaction.

Unlike Redshift:

- An average of integers keeps its fraction, and decimal quotients have PostgreSQL's digits.
- A varchar counts characters instead of bytes, except in COPY.
- A view must find its tables, even WITH NO SCHEMA BINDING.
- sqlglot does not parse all of Redshift, so ``SORTKEY AUTO`` and column keys (``a int distkey``) are rejected.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tests.fakes.redshift.errors import RedshiftError

WITHOUT_EFFECT = (
    exp.DistKeyProperty,
    exp.DistStyleProperty,
    exp.SortKeyProperty,
    exp.BackupProperty,
    exp.AutoRefreshProperty,
    # Redshift uses keys as hints for its planner and does not enforce them.
    exp.PrimaryKey,
    exp.ForeignKey,
    exp.UniqueColumnConstraint,
)
COLUMN_CONSTRAINTS_WITHOUT_EFFECT = (exp.EncodeColumnConstraint, exp.UniqueColumnConstraint, exp.Reference)
DEFAULT_LENGTHS = {"VARCHAR": "256", "NVARCHAR": "256", "TEXT": "256", "BPCHAR": "256"}
SETTINGS = {"search_path", "statement_timeout"}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
PARAMETER = re.compile(r"'(?:[^'\\]|''|\\.)*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|::|:(?P<name>[0-9a-zA-Z_]+)", re.DOTALL)
LOCK = re.compile(r"\s*lock\s+(?:table\s+)?(?P<tables>[\w.\",\s]+?)\s*;?\s*", re.IGNORECASE)


class TransactionEffect(Enum):
    """The effect of a statement on its transaction."""

    NONE = auto()
    COMMIT_AFTERWARDS = auto()
    COMMIT = auto()
    ROLLBACK = auto()


@dataclass(frozen=True)
class Translation:
    """A statement for PostgreSQL.

    Attributes:
        sql: The text, with ``$1``, ``$2`` and so on for the parameters; empty if PostgreSQL has nothing to execute.
        parameters: The name of the parameter for each placeholder.
        effect: The effect on the transaction.
    """

    sql: str
    parameters: tuple[str, ...] = ()
    effect: TransactionEffect = TransactionEffect.NONE


def parameters_in(sql: str) -> set[str]:
    """The parameter names of a statement: each ``:name`` outside of literals, quoted names and comments."""
    return {match["name"] for match in PARAMETER.finditer(sql) if match["name"]}


def translate(sql: str) -> Translation:
    """Translate one statement.

    Raises:
        RedshiftError: Redshift would reject the statement, or the fake does not support it.
    """
    lock = LOCK.fullmatch(sql)
    if lock:
        tables = ", ".join(_table(name).sql(dialect="postgres") for name in lock["tables"].split(","))
        return Translation(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
    tree = _parsed(sql)
    match tree:
        case exp.Commit():
            return Translation("", effect=TransactionEffect.COMMIT)
        case exp.Rollback():
            return Translation("", effect=TransactionEffect.ROLLBACK)
        case exp.Transaction():
            return Translation("")
        case exp.Set() if not any(name in sql.lower() for name in SETTINGS):
            return Translation("")
    is_truncate = isinstance(tree, exp.TruncateTable)
    names: list[str] = []
    tree = tree.transform(_as_postgres).transform(_numbered, names)
    if isinstance(tree, exp.Create):
        properties = tree.args.get("properties")
        if properties is not None and not properties.expressions:
            tree.set("properties", None)
        tree.set("no_schema_binding", None)
    try:
        text = tree.sql(dialect="postgres", unsupported_level=sqlglot.ErrorLevel.RAISE, comments=False)
    except (SqlglotError, ValueError) as error:
        raise RedshiftError(f"ERROR: the fake cannot translate this to PostgreSQL: {error}") from None
    effect = TransactionEffect.COMMIT_AFTERWARDS if is_truncate else TransactionEffect.NONE
    return Translation(text, tuple(names), effect)


def _parsed(sql: str) -> exp.Expression:
    first_words = " ".join(sql.lower().split()[:4])
    if first_words.startswith("vacuum"):
        raise RedshiftError("ERROR: VACUUM cannot run inside a transaction block")
    if re.fullmatch(r"alter table [\w.\"]+ append", first_words):
        raise RedshiftError("ERROR: ALTER TABLE APPEND cannot run inside a transaction block")
    try:
        trees = [tree for tree in sqlglot.parse(sql, read="redshift", error_level=sqlglot.ErrorLevel.RAISE) if tree]
    except SqlglotError as error:
        details = getattr(error, "errors", None) or [{}]
        near = details[0].get("highlight") or str(error).splitlines()[0]
        raise RedshiftError(f'ERROR: syntax error at or near "{near}"') from None
    if len(trees) != 1:
        reason = "cannot insert multiple commands into a prepared statement" if trees else "the statement is empty"
        raise RedshiftError(f"ERROR: {reason}")
    if isinstance(trees[0], exp.Command):
        raise RedshiftError(
            f'ERROR: syntax error at or near "{sql.split(maxsplit=1)[0]}" (or the fake does not support it)'
        )
    return trees[0]


def _table(name: str) -> exp.Table:
    table = exp.to_table(name.strip(), dialect="redshift")
    return table.transform(_as_postgres)


def _as_postgres(node: exp.Expression) -> exp.Expression | None:
    if isinstance(node, WITHOUT_EFFECT):
        return None
    if isinstance(node, exp.Constraint) and any(isinstance(item, WITHOUT_EFFECT) for item in node.expressions):
        return None
    translate = next((TRANSLATIONS[kind] for kind in TRANSLATIONS if isinstance(node, kind)), None)
    return translate(node) if translate else node


def _identifier(node: exp.Identifier) -> exp.Identifier:
    return exp.to_identifier(node.this.lower(), quoted=node.args.get("quoted"))


def _clock(node: exp.CurrentTimestamp) -> exp.Expression:
    is_sysdate = node.args.get("sysdate")
    clock = "transaction_timestamp()" if is_sysdate else "date_trunc('second', statement_timestamp())"
    return sqlglot.parse_one(f"cast({clock} at time zone 'UTC' as timestamp)", read="postgres")


def _constraint(node: exp.ColumnConstraint) -> exp.ColumnConstraint | None:
    kind = node.args.get("kind")
    if isinstance(kind, COLUMN_CONSTRAINTS_WITHOUT_EFFECT):
        return None
    if isinstance(kind, exp.PrimaryKeyColumnConstraint):
        return exp.ColumnConstraint(kind=exp.NotNullColumnConstraint())
    return node


def _data_type(node: exp.DataType) -> exp.DataType:
    name = node.this.name if isinstance(node.this, exp.DataType.Type) else ""
    if name == "DECIMAL" and not node.expressions:
        return exp.DataType.build("decimal(18, 0)")
    if name not in DEFAULT_LENGTHS:
        return node
    length = node.expressions[0].name if node.expressions else DEFAULT_LENGTHS[name]
    return exp.DataType.build(f"varchar({65535 if length.lower() == 'max' else length})")


def _boundaries(node: exp.DateDiff | exp.TsOrDsDiff) -> exp.Expression:
    """Count the boundaries of a unit between two timestamps; sqlglot's translation counts elapsed units."""
    unit = (node.text("unit") or "day").lower()
    start, end = (exp.cast(side.copy(), "timestamp").sql("postgres") for side in (node.expression, node.this))
    if unit in MONTHS:
        first, last = (
            f"floor((extract(year from {at}) * 12 + extract(month from {at}) - 1) / {MONTHS[unit]})"
            for at in (start, end)
        )
        return sqlglot.parse_one(f"cast({last} - {first} as bigint)", read="postgres")
    if unit not in ("day", "week"):
        raise RedshiftError(f"ERROR: the fake has no DATEDIFF({unit})")
    # 1970-01-04 was a Sunday.
    first, last = (f"cast({at} as date) - date '1970-01-04'" for at in (start, end))
    if unit == "week":
        first, last = (f"floor(({days}) / 7.0)" for days in (first, last))
    return sqlglot.parse_one(f"cast(({last}) - ({first}) as bigint)", read="postgres")


def _numbered(node: exp.Expression, names: list[str]) -> exp.Expression:
    if isinstance(node, exp.Placeholder) and node.this:
        names.append(node.name)
        return exp.Parameter(this=exp.Literal.number(len(names)))
    return node


TRANSLATIONS: dict[type[exp.Expression], Callable[[Any], exp.Expression | None]] = {
    exp.ColumnConstraint: _constraint,
    exp.Identifier: _identifier,
    exp.DataType: _data_type,
    exp.DateDiff: _boundaries,
    exp.TsOrDsDiff: _boundaries,
    exp.CurrentTimestamp: _clock,
}
