"""Rows as the Data API gives them: typed fields, page by page; decimals and moments as text."""

from decimal import Decimal
from typing import Any

import psycopg

from tests.fakes.redshift.executions import Statement

TYPE_NAMES = {
    16: "bool",
    20: "int8",
    21: "int2",
    23: "int4",
    25: "varchar",
    700: "float4",
    701: "float8",
    1042: "bpchar",
    1043: "varchar",
    1082: "date",
    1114: "timestamp",
    1184: "timestamptz",
    1700: "numeric",
}
"""Redshift's names of types by PostgreSQL's numbers."""


def page(statement: Statement, token: str | None, rows_in_page: int) -> dict[str, Any]:
    """A page of a statement's rows, and the token of the next if there is one."""
    start = int(token or 0)
    end = start + rows_in_page
    answer: dict[str, Any] = {
        "Records": [[_field(value) for value in row] for row in statement.rows[start:end]],
        "ColumnMetadata": [_column(column) for column in statement.columns or []],
        "TotalNumRows": len(statement.rows),
    }
    return answer | ({"NextToken": str(end)} if end < len(statement.rows) else {})


def size_of(statement: Statement) -> int:
    """Bytes of a result; -1 where there is none."""
    if statement.columns is None:
        return -1
    return sum(len(str(value).encode()) for row in statement.rows for value in row if value is not None)


def _field(value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {"isNull": True}
        case bool():
            return {"booleanValue": value}
        case int():
            return {"longValue": value}
        case float():
            return {"doubleValue": value}
        case Decimal():
            return {"stringValue": f"{value:f}"}
    return {"stringValue": str(value)}


def _column(column: psycopg.Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "label": column.name,
        "typeName": TYPE_NAMES.get(column.type_code, "varchar"),
        "nullable": 1,
        "precision": column.precision or column.display_size or 0,
        "scale": column.scale or 0,
        "length": 0,
        "schemaName": "",
        "tableName": "",
        "isCaseSensitive": column.type_code in (25, 1043),
        "isCurrency": False,
        "isSigned": column.type_code in (20, 21, 23, 700, 701, 1700),
    }
