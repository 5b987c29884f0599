"""The Data API's responses: descriptions of executions, and pages of typed rows."""

from decimal import Decimal
from typing import Any

import psycopg

from tests.fakes.redshift.executions import Execution, Statement

TARGET_MEMBERS = ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn")

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
"""Redshift's type names by PostgreSQL's type numbers."""


def list_entry(execution: Execution) -> dict[str, Any]:
    """The entry of an execution in ListStatements."""
    texts = [statement.sql for statement in execution.statements]
    entry = {
        "Id": execution.id,
        "Status": execution.status,
        "CreatedAt": execution.created,
        "UpdatedAt": execution.updated,
        "IsBatchStatement": execution.is_batch,
        "StatementName": execution.request.get("StatementName"),
        **({"QueryStrings": texts} if execution.is_batch else {"QueryString": texts[0]}),
    }
    return _without_none(entry)


def description(execution: Execution) -> dict[str, Any]:
    """The response of DescribeStatement: an execution with its statements."""
    statements = execution.statements
    members = {
        "Id": execution.id,
        "Status": execution.status,
        "CreatedAt": execution.created,
        "UpdatedAt": execution.updated,
        "Duration": sum(int(statement.seconds * 1e9) for statement in statements),
        "Error": execution.error,
        "RedshiftPid": execution.pid,
        "HasResultSet": any(statement.columns is not None for statement in statements),
        "QueryParameters": execution.request.get("Parameters"),
        **target_of(execution),
    }
    if execution.is_batch:
        members |= {"SubStatements": [_sub_statement(item) for item in statements], "ExecutionMode": execution.mode}
        members |= {"ResultRows": -1, "ResultSize": -1}
    else:
        members |= {
            "QueryString": statements[0].sql,
            "ResultRows": statements[0].count,
            "ResultSize": _result_size(statements[0]),
        }
    return _without_none(members)


def target_of(execution: Execution) -> dict[str, Any]:
    """The warehouse and the user for which an execution was requested."""
    return {name: execution.request[name] for name in TARGET_MEMBERS if name in execution.request}


def result_page(statement: Statement, token: str | None, max_rows: int) -> dict[str, Any]:
    """A page of a statement's rows, with the token of the next page if there is one.

    Decimals and timestamps are text, as in the Data API.
    """
    start = int(token or 0)
    end = start + max_rows
    page: dict[str, Any] = {
        "Records": [[_field(value) for value in row] for row in statement.rows[start:end]],
        "ColumnMetadata": [_column_metadata(column) for column in statement.columns or []],
        "TotalNumRows": len(statement.rows),
    }
    return page | ({"NextToken": str(end)} if end < len(statement.rows) else {})


def _sub_statement(statement: Statement) -> dict[str, Any]:
    members = {
        "Id": statement.id,
        "Status": statement.status,
        "CreatedAt": statement.created,
        "UpdatedAt": statement.updated,
        "Duration": int(statement.seconds * 1e9),
        "Error": statement.error,
        "QueryString": statement.sql,
        "ResultRows": statement.count,
        "ResultSize": _result_size(statement),
        "HasResultSet": statement.columns is not None,
    }
    return _without_none(members)


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _result_size(statement: Statement) -> int:
    """The size of a result in bytes; -1 if the statement has none."""
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


def _column_metadata(column: psycopg.Column) -> dict[str, Any]:
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
