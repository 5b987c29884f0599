"""The Redshift Data API over a real PostgreSQL.

Like the service:

- Statements run in the background. A batch is one transaction or, with AUTO_COMMIT, one transaction per statement.
- Sub-statements ``<id>:1``, ``<id>:2`` and so on have states, errors and results of their own.
- The same request with the same ClientToken within 8 hours is the same execution, even if that failed.
- Named parameters are bound, never inserted into the text.
- A batch has at most 40 statements of at most 200 KB. COPY works.
- Unknown workgroups, clusters, databases and roles are rejected.

It has no sessions that are kept alive, no CSV results, no events and no secrets.

Three things are assumptions without a source. They are the wording of most errors, the rejection of a token with
another request, and the states around a failed statement (FINISHED before it, ABORTED after it).

A test uses the fixture ``data_api``, which ``boto3.client("redshift-data")`` then reaches. It injects faults with
`DataApi.fail_statement`, `DataApi.hold_statement`, `DataApi.fail_commit`, `DataApi.drop_after_commit` and
``data_api.service.faults``.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.http.faults import ServiceError, validation_error
from tests.fakes.http.protocols import JsonService
from tests.fakes.redshift.copy_load import CopySource
from tests.fakes.redshift.executions import ENDED, Execution, ExecutionFaults, Hold, Statement
from tests.fakes.redshift.responses import description, list_entry, result_page, target_of
from tests.fakes.redshift.translation import parameters_in

TOKEN_LIFETIME = timedelta(hours=8)
MAX_STATEMENT_BYTES = 200_000
NO_RESULT = "Query does not have result. Please check query status with DescribeStatement."


@dataclass
class Clock:
    """The clock of the service, which a test can move ahead."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """The current time of the service."""
        return datetime.now(UTC) + self.ahead


@dataclass
class DataApi:
    """The service, the warehouse behind it, and the faults of the next batch.

    Attributes:
        databases: The connection string of each database.
        copy_source: The S3 and the roles of COPY.
        workgroups: The workgroups that exist.
        clusters: The clusters that exist.
        clock: The clock by which client tokens expire.
        page_rows: The number of rows on a page of results.
        executions: All executions, oldest first.
    """

    databases: Mapping[str, str]
    copy_source: CopySource
    workgroups: frozenset[str] = frozenset({"segments"})
    clusters: frozenset[str] = frozenset({"segments-cluster"})
    clock: Clock = field(default_factory=Clock)
    page_rows: int = 1000
    executions: list[Execution] = field(default_factory=list)
    _next_faults: ExecutionFaults = field(default_factory=ExecutionFaults)
    _tokens: dict[str, tuple[datetime, str, Execution]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.service = JsonService(
            "redshift-data",
            {
                "BatchExecuteStatement": self._batch_execute_statement,
                "ExecuteStatement": self._execute_statement,
                "DescribeStatement": self._describe_statement,
                "GetStatementResult": self._get_statement_result,
                "CancelStatement": self._cancel_statement,
                "ListStatements": self._list_statements,
            },
        )

    def fail_statement(self, number: int, message: str = "ERROR: Disk Full") -> None:
        """Fail statement ``number`` of the next batch, counted from 1."""
        self._next_faults.failures[number] = message

    def hold_statement(self, number: int) -> Hold:
        """Hold statement ``number`` of the next batch, counted from 1, until `Hold.release` is called."""
        hold = Hold(number)
        self._next_faults.holds.append(hold)
        return hold

    def fail_commit(self, message: str = "ERROR: connection to the leader node was lost") -> None:
        """Fail the commit of the next batch, which rolls it back."""
        self._next_faults.commit_failure = message

    def drop_after_commit(self, *, times: int = 1) -> None:
        """Run the next batch to its end, then drop the connection. botocore sends the request up to three times."""
        self.service.faults.drop_after("BatchExecuteStatement", times=times, wait=self.wait)

    def wait(self) -> None:
        """Wait until every execution has ended."""
        for execution in self.executions:
            assert execution.done.wait(60), f"{execution.id} does not end"

    def stop(self) -> None:
        """Cancel the executions that still run, and fail if the fake itself had defects."""
        for execution in self.executions:
            if not execution.done.is_set():
                execution.cancel()
            assert not execution.defect, execution.defect

    def _batch_execute_statement(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._submit(request["Sqls"], request, is_batch=True)

    def _execute_statement(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._submit([request["Sql"]], request, is_batch=False)

    def _submit(self, sqls: list[str], request: dict[str, Any], *, is_batch: bool) -> dict[str, Any]:
        self._check(sqls, request)
        with self._lock:
            execution = self._earlier_execution(request) or self._new_execution(sqls, request, is_batch=is_batch)
        _wait(execution, request)
        response = {"Id": execution.id, "CreatedAt": execution.created, "Status": execution.status}
        return response | target_of(execution)

    def _new_execution(self, sqls: list[str], request: dict[str, Any], *, is_batch: bool) -> Execution:
        faults = ExecutionFaults()
        if is_batch:
            faults, self._next_faults = self._next_faults, faults
        execution = Execution(
            sqls,
            request=request,
            conninfo=self.databases.get(request["Database"]),
            copy_source=self.copy_source,
            faults=faults,
            is_batch=is_batch,
        )
        self.executions.append(execution)
        if "ClientToken" in request:
            self._tokens[request["ClientToken"]] = (self.clock.now(), _fingerprint(request), execution)
        execution.thread.start()
        return execution

    def _earlier_execution(self, request: Mapping[str, Any]) -> Execution | None:
        """The execution that the request's token has started, if the token has not expired."""
        started, fingerprint, execution = self._tokens.get(request.get("ClientToken", ""), (None, "", None))
        if started is None or self.clock.now() - started > TOKEN_LIFETIME:
            return None
        if fingerprint != _fingerprint(request):
            raise validation_error("The ClientToken was used with other parameters before")
        return execution

    def _check(self, sqls: list[str], request: Mapping[str, Any]) -> None:
        workgroup, cluster = request.get("WorkgroupName"), request.get("ClusterIdentifier")
        if (workgroup is None) == (cluster is None):
            raise validation_error("Specify exactly one of ClusterIdentifier and WorkgroupName")
        if "Database" not in request:
            raise validation_error("Database must be specified")
        if workgroup is not None and "DbUser" in request:
            raise validation_error("DbUser is not supported with a serverless workgroup")
        if (workgroup or "").rpartition("/")[2] not in self.workgroups and cluster not in self.clusters:
            raise validation_error("Redshift endpoint doesn't exist in this region.")
        if "SessionId" in request or "SessionKeepAliveSeconds" in request or request.get("ResultFormat") == "CSV":
            raise validation_error("the fake has no sessions and no CSV results")
        too_long = [number for number, sql in enumerate(sqls, start=1) if len(sql.encode()) > MAX_STATEMENT_BYTES]
        if too_long:
            raise validation_error(f"Query size of statement {too_long[0]} exceeds the limit of 200 KB")
        names = [item["name"] for item in request.get("Parameters", [])]
        used = set().union(*map(parameters_in, sqls))
        unused = [name for name in names if name not in used]
        if unused:
            raise validation_error(
                f"Parameters list contains unused parameters. Unused parameters: [{', '.join(unused)}]"
            )
        missing = sorted(used - set(names))
        if missing:
            raise validation_error(f"Cannot find parameter: {missing[0]}")
        if len(set(names)) < len(names):
            raise validation_error("Parameters list contains duplicate names")

    def _execution(self, name: str) -> Execution:
        for execution in self.executions:
            if execution.id == name.partition(":")[0]:
                return execution
        raise ServiceError("ResourceNotFoundException", "Query does not exist.")

    def _statement(self, name: str) -> Statement:
        for statement in self._execution(name).statements:
            if statement.id == name:
                return statement
        raise ServiceError("ResourceNotFoundException", NO_RESULT)

    def _describe_statement(self, request: dict[str, Any]) -> dict[str, Any]:
        execution = self._execution(request["Id"])
        _wait(execution, request)
        return description(execution)

    def _get_statement_result(self, request: dict[str, Any]) -> dict[str, Any]:
        statement = self._statement(request["Id"])
        if statement.status != "FINISHED" or statement.columns is None:
            raise ServiceError("ResourceNotFoundException", NO_RESULT)
        return result_page(statement, request.get("NextToken"), self.page_rows)

    def _cancel_statement(self, request: dict[str, Any]) -> dict[str, Any]:
        if ":" in request["Id"]:
            raise validation_error("Sub-statements of a batch cannot be cancelled")
        execution = self._execution(request["Id"])
        if execution.status in ENDED:
            raise validation_error(
                f"Could not cancel a query that is already in {execution.status} state with ID: {execution.id}"
            )
        execution.cancel()
        return {"Status": True}

    def _list_statements(self, request: dict[str, Any]) -> dict[str, Any]:
        status, name = request.get("Status", "ALL"), request.get("StatementName", "")
        executions = [
            execution
            for execution in reversed(self.executions)
            if status in ("ALL", execution.status) and execution.request.get("StatementName", "").startswith(name)
        ]
        start = int(request.get("NextToken", "0"))
        end = start + (request.get("MaxResults") or 100)
        response: dict[str, Any] = {"Statements": [list_entry(execution) for execution in executions[start:end]]}
        return response | ({"NextToken": str(end)} if end < len(executions) else {})


def _wait(execution: Execution, request: Mapping[str, Any]) -> None:
    execution.done.wait(request.get("WaitTimeSeconds", 0))


def _fingerprint(request: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in request.items() if name != "WaitTimeSeconds"}, sort_keys=True)
