"""``--where``: one condition over the columns of rfm, checked before anything of a run is read."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobs.errors import ConfigurationError
from jobs.querying.engine import duckdb_package, first_line
from jobs.querying.views import quoted
from transforms.bounded_text import shown
from transforms.schemas import RFM

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LONGEST_CONDITION = 10_000
"""Characters."""

EXPECTED = f"expected one condition over the columns of rfm: {', '.join(RFM.fieldNames())}"

EXPRESSIONS = frozenset(
    {"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION"}
    | {"OPERATOR", "TYPE"}
)
"""The kinds of expression that a condition may have: no subquery, window, parameter, star or lambda among them."""

READ_A_CLOCK = frozenset({"age", "current_localtime", "current_localtimestamp"})
"""Functions that DuckDB lists as consistent, although their value changes from call to call."""

MACROS = frozenset({"date_add", "if", "nullif", "split_part"})
"""The macros of DuckDB that a condition may call. Others read the catalogue, the session or a clock."""


def check_condition(condition: str) -> frozenset[str]:
    """Check that a text is one condition, and return the columns that it reads.

    It is parsed and bound by DuckDB over an empty table with the columns of rfm. A condition has to have the same
    value whenever the same run is read: so no function of a clock or of chance, no setting, no file, no other table.

    Raises:
        ConfigurationError: It is none, with DuckDB's message; or the package duckdb is not installed.
    """
    duckdb = duckdb_package()
    settings = {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "threads": "1",
    }
    if len(condition) > LONGEST_CONDITION:
        raise _invalid(condition, f"found {len(condition):,} characters, expected at most {LONGEST_CONDITION:,}")
    try:
        with duckdb.connect(config=settings) as connection:
            connection.execute("set global TimeZone = 'UTC'")
            columns = ", ".join(f"{quoted(field.name)} {field.dataType.simpleString()}" for field in RFM.fields)
            connection.execute(f"create table rfm ({columns})")
            return _checked(connection, condition)
    except duckdb.Error as error:
        raise _invalid(condition, f"{first_line(error)}; {EXPECTED}") from None


def _checked(connection: "DuckDBPyConnection", condition: str) -> frozenset[str]:
    frame, _ = _parsed(connection, "true")
    # In parentheses nothing can follow the condition, and without them it cannot close them. Both read the same.
    (enclosed, expression), (bare, other) = (
        _parsed(connection, f"(\n{condition}\n)"),
        _parsed(connection, f"\n{condition}\n"),
    )
    if not enclosed == bare == frame or expression != other or expression is None:
        raise _invalid(condition, f"found more than a condition, {EXPECTED}")
    columns = set()
    for part in _expressions(expression):
        if part["class"] not in EXPRESSIONS:
            raise _invalid(condition, f"found {part['class'].lower().replace('_', ' ')}, {EXPECTED}")
        if part["class"] == "FUNCTION":
            _check_function(connection, condition, part)
        if part["class"] == "COLUMN_REF":
            columns.add(_column(condition, part["column_names"]))
    described = connection.execute(f"describe select (\n{condition}\n) from rfm").fetchall()
    if described[0][1] != "BOOLEAN":
        raise _invalid(condition, f"found a value of type {described[0][1].lower()}, {EXPECTED}")
    connection.execute(f"explain select 1 from rfm where (\n{condition}\n)")
    return frozenset(columns)


def _parsed(connection: "DuckDBPyConnection", condition: str) -> tuple[Any, Any]:
    """A query with the condition as DuckDB parses it: all but the condition, and the condition.

    Raises:
        ConfigurationError: It does not parse.
    """
    row = connection.execute("select json_serialize_sql(?)", [f"select 1 from rfm where {condition}"]).fetchone()
    tree: Any = json.loads(row[0] if row else "null")
    if tree["error"]:
        message = str(tree["error_message"]).strip().partition("\n")[0].rstrip(".!")
        raise _invalid(condition.strip("()\n"), f"{message}; {EXPECTED}")
    statements = [_without_places(statement) for statement in tree["statements"]]
    where = [statement["node"].pop("where_clause", None) for statement in statements]
    return statements, where[0]


def _without_places(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _without_places(value) for name, value in tree.items() if not name.startswith("query_location")}
    return [_without_places(value) for value in tree] if isinstance(tree, list) else tree


def _expressions(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict) and "class" in tree:
        yield tree
    parts: list[Any] = list(tree.values()) if isinstance(tree, dict) else tree if isinstance(tree, list) else []
    for part in parts:
        yield from _expressions(part)


def _check_function(connection: "DuckDBPyConnection", condition: str, function: dict[str, Any]) -> None:
    name = str(function["function_name"]).lower()
    if name in MACROS:
        return
    kinds = connection.execute(
        "select distinct function_type, stability from duckdb_functions() where lower(function_name) = ?", [name]
    ).fetchall()
    if not kinds:
        return  # DuckDB's own message names the nearest function
    if name in READ_A_CLOCK or any(kind != ("scalar", "CONSISTENT") for kind in kinds):
        raise _invalid(
            condition,
            f"found the function {name}, expected functions whose value depends on a customer's row alone. Compare "
            "with a day such as date '2018-10-17' in place of a clock",
        )


def _column(condition: str, path: list[str]) -> str:
    names = {name.lower(): name for name in RFM.fieldNames()}
    name = path[-1].lower() if len(path) == 1 or [part.lower() for part in path[:-1]] == ["rfm"] else ""
    if name not in names:
        raise _invalid(condition, f"found no column {shown('.'.join(path))}, {EXPECTED}")
    return names[name]


def _invalid(condition: str, problem: str) -> ConfigurationError:
    return ConfigurationError(f"invalid --where {shown(condition)}: {problem}")
