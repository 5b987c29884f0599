"""Executions as the Data API describes them: whole, and in a list."""

from typing import Any

from tests.fakes.redshift.executions import Execution, Statement
from tests.fakes.redshift.results import size_of

WORDS_OF_TARGET = ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn")


def listed(execution: Execution) -> dict[str, Any]:
    """An execution, as ListStatements has it."""
    texts = [statement.sql for statement in execution.statements]
    answer = {
        "Id": execution.id,
        "Status": execution.status,
        "CreatedAt": execution.created,
        "UpdatedAt": execution.updated,
        "IsBatchStatement": execution.is_batch,
        "StatementName": execution.request.get("StatementName"),
        **({"QueryStrings": texts} if execution.is_batch else {"QueryString": texts[0]}),
    }
    return {name: value for name, value in answer.items() if value is not None}


def described(execution: Execution) -> dict[str, Any]:
    """An execution with its statements, as DescribeStatement has it."""
    statements = execution.statements
    answer = {
        "Id": execution.id,
        "Status": execution.status,
        "CreatedAt": execution.created,
        "UpdatedAt": execution.updated,
        "Duration": sum(int(statement.seconds * 1e9) for statement in statements),
        "Error": execution.error,
        "RedshiftPid": execution.pid,
        "HasResultSet": any(statement.columns is not None for statement in statements),
        "QueryParameters": execution.request.get("Parameters"),
        **{name: execution.request[name] for name in WORDS_OF_TARGET if name in execution.request},
    }
    if execution.is_batch:
        answer |= {"SubStatements": [_sub_statement(item) for item in statements], "ExecutionMode": execution.mode}
        answer |= {"ResultRows": -1, "ResultSize": -1}
    else:
        answer |= {
            "QueryString": statements[0].sql,
            "ResultRows": statements[0].count,
            "ResultSize": size_of(statements[0]),
        }
    return {name: value for name, value in answer.items() if value is not None}


def _sub_statement(statement: Statement) -> dict[str, Any]:
    answer = {
        "Id": statement.id,
        "Status": statement.status,
        "CreatedAt": statement.created,
        "UpdatedAt": statement.updated,
        "Duration": int(statement.seconds * 1e9),
        "Error": statement.error,
        "QueryString": statement.sql,
        "ResultRows": statement.count,
        "ResultSize": size_of(statement),
        "HasResultSet": statement.columns is not None,
    }
    return {name: value for name, value in answer.items() if value is not None}
