"""The columns of a table, as PostgreSQL's catalogue has them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tests.fakes.redshift.errors import RedshiftError

TYPE = re.compile(r"(?P<base>[a-z ]+?)(?:\((?P<first>\d+)(?:,(?P<second>\d+))?\))?(?P<rest> without time zone)?")


@dataclass(frozen=True)
class Column:
    """A column that is loaded into."""

    name: str
    type: str
    not_null: bool

    @property
    def _parts(self) -> re.Match[str]:
        parts = TYPE.fullmatch(self.type)
        assert parts is not None, self.type
        return parts

    @property
    def base(self) -> str:
        """The type's name without its sizes."""
        return self._parts["base"] + (self._parts["rest"] or "")

    @property
    def length(self) -> int | None:
        """How many bytes a text may have."""
        return int(self._parts["first"]) if self.base.startswith("character") else None

    @property
    def precision(self) -> int:
        """A decimal's digits."""
        return int(self._parts["first"] or 0)

    @property
    def scale(self) -> int:
        """A decimal's digits behind the point."""
        return int(self._parts["second"] or 0)


def columns_of(connection: psycopg.Connection, table: Sequence[str], names: Sequence[str]) -> list[Column]:
    """The columns of a table in its order, or those of these names in theirs.

    Raises:
        RedshiftError: There is no such table or column.
    """
    relation = sql.Identifier(*table).as_string(connection)
    rows = connection.execute(
        "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute "
        "where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum",
        [relation],
    ).fetchall()
    if not rows:
        raise RedshiftError(f"ERROR: Cannot COPY into nonexistent table {table[-1]}")
    columns = {name: Column(name, type_name, not_null) for name, type_name, not_null in rows}
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise RedshiftError(f'ERROR: column "{unknown[0]}" of relation "{table[-1]}" does not exist')
    return [columns[name] for name in names] if names else list(columns.values())
