"""The Redshift Data API in front of a real PostgreSQL.

What it does as the service does: statements run in the background, a batch as one transaction (or, with AUTO_COMMIT,
each for itself); sub-statements ``<id>:1`` and on with states, errors and results of their own; ClientToken (the same
request again within 8 hours is the same execution, also when that failed); named parameters, bound and never pasted;
the limits of 40 statements and 200 KB; workgroups, clusters, databases and roles that were not told of are refused;
COPY.

What it does not: sessions that are kept alive, CSV results, events, secrets. What is assumed, for want of a source:
the words of most errors, that a token with another request is refused, and the states of the statements around a
failed one (those before it FINISHED, those after it ABORTED).

A test uses the fixtures ``data_api`` (this) and ``aws`` (which lets ``boto3.client("redshift-data")`` reach it), and
asks for trouble with `fail_statement`, `hold_statement`, `fail_commit`, `drop_after_commit` and
``data_api.service.faults``.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.http.faults import ServiceError, invalid
from tests.fakes.http.json_service import JsonService
from tests.fakes.redshift.copy_load import Bucketeer
from tests.fakes.redshift.descriptions import WORDS_OF_TARGET, described, listed
from tests.fakes.redshift.executions import CLOSED, Execution, Hold, Statement, Trouble
from tests.fakes.redshift.results import page
from tests.fakes.redshift.translation import parameters_in

TOKEN_LIFE = timedelta(hours=8)
LONGEST_STATEMENT = 200_000
NO_RESULT = "Query does not have result. Please check query status with DescribeStatement."


@dataclass
class Clock:
    """A clock that a test can move."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """The time as the service has it."""
        return datetime.now(UTC) + self.ahead


@dataclass
class DataApi:
    """The service, the warehouse behind it, and what is to go wrong with the next batch."""

    databases: Mapping[str, str]
    bucketeer: Bucketeer
    workgroups: frozenset[str] = frozenset({"segments"})
    clusters: frozenset[str] = frozenset({"segments-cluster"})
    clock: Clock = field(default_factory=Clock)
    page_rows: int = 1000
    executions: list[Execution] = field(default_factory=list)
    _trouble: Trouble = field(default_factory=Trouble)
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
        """Let statement ``number`` (from 1) of the next batch fail."""
        self._trouble.failures[number] = message

    def hold_statement(self, number: int) -> Hold:
        """Let statement ``number`` (from 1) of the next batch take until `Hold.release` is called."""
        hold = Hold(number)
        self._trouble.holds.append(hold)
        return hold

    def fail_commit(self, message: str = "ERROR: connection to the leader node was lost") -> None:
        """Let the commit of the next batch fail; nothing of it stays."""
        self._trouble.commit_failure = message

    def drop_after_commit(self, *, times: int = 1) -> None:
        """Let the next batch run to its end and its caller never hear of it; botocore asks up to three times."""
        self.service.faults.drop_after("BatchExecuteStatement", times=times, wait=self.wait)

    def wait(self) -> None:
        """Wait until nothing runs any more."""
        for execution in self.executions:
            assert execution.done.wait(60), f"{execution.id} does not end"

    def stop(self) -> None:
        """Cancel what still runs, and complain about what was wrong with the stand-in itself."""
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
            execution = self._remembered(request) or self._started(sqls, request, is_batch=is_batch)
        _wait(execution, request)
        answer = {"Id": execution.id, "CreatedAt": execution.created, "Status": execution.status}
        return answer | {name: request[name] for name in WORDS_OF_TARGET if name in request}

    def _started(self, sqls: list[str], request: dict[str, Any], *, is_batch: bool) -> Execution:
        trouble = Trouble()
        if is_batch:
            trouble, self._trouble = self._trouble, trouble
        execution = Execution(
            sqls,
            request=request,
            conninfo=self.databases.get(request["Database"]),
            bucketeer=self.bucketeer,
            trouble=trouble,
            is_batch=is_batch,
        )
        self.executions.append(execution)
        if "ClientToken" in request:
            self._tokens[request["ClientToken"]] = (self.clock.now(), _fingerprint(request), execution)
        execution.thread.start()
        return execution

    def _remembered(self, request: Mapping[str, Any]) -> Execution | None:
        """The execution that this token has started, if it is still known."""
        then, fingerprint, execution = self._tokens.get(request.get("ClientToken", ""), (None, "", None))
        if then is None or self.clock.now() - then > TOKEN_LIFE:
            return None
        if fingerprint != _fingerprint(request):
            raise invalid("The ClientToken was used with other parameters before")
        return execution

    def _check(self, sqls: list[str], request: Mapping[str, Any]) -> None:
        workgroup, cluster = request.get("WorkgroupName"), request.get("ClusterIdentifier")
        if (workgroup is None) == (cluster is None):
            raise invalid("Specify exactly one of ClusterIdentifier and WorkgroupName")
        if "Database" not in request:
            raise invalid("Database must be specified")
        if workgroup is not None and "DbUser" in request:
            raise invalid("DbUser is not supported with a serverless workgroup")
        if (workgroup or "").rpartition("/")[2] not in self.workgroups and cluster not in self.clusters:
            raise invalid("Redshift endpoint doesn't exist in this region.")
        if "SessionId" in request or "SessionKeepAliveSeconds" in request or request.get("ResultFormat") == "CSV":
            raise invalid("the stand-in has no sessions and no CSV results")
        too_long = [number for number, sql in enumerate(sqls, start=1) if len(sql.encode()) > LONGEST_STATEMENT]
        if too_long:
            raise invalid(f"Query size of statement {too_long[0]} exceeds the limit of 200 KB")
        names = [item["name"] for item in request.get("Parameters", [])]
        used = set().union(*map(parameters_in, sqls))
        unused = [name for name in names if name not in used]
        if unused:
            raise invalid(f"Parameters list contains unused parameters. Unused parameters: [{', '.join(unused)}]")
        missing = sorted(used - set(names))
        if missing:
            raise invalid(f"Cannot find parameter: {missing[0]}")
        if len(set(names)) < len(names):
            raise invalid("Parameters list contains duplicate names")

    def _execution(self, name: str) -> Execution:
        found = [execution for execution in self.executions if execution.id == name.partition(":")[0]]
        if not found:
            raise ServiceError("ResourceNotFoundException", "Query does not exist.")
        return found[0]

    def _statement(self, name: str) -> Statement:
        found = [statement for statement in self._execution(name).statements if statement.id == name]
        if not found:
            raise ServiceError(
                "ResourceNotFoundException",
                "Query does not have result. Please check query status with DescribeStatement.",
            )
        return found[0]

    def _describe_statement(self, request: dict[str, Any]) -> dict[str, Any]:
        execution = self._execution(request["Id"])
        _wait(execution, request)
        return described(execution)

    def _get_statement_result(self, request: dict[str, Any]) -> dict[str, Any]:
        statement = self._statement(request["Id"])
        if statement.status != "FINISHED" or statement.columns is None:
            raise ServiceError("ResourceNotFoundException", NO_RESULT)
        return page(statement, request.get("NextToken"), self.page_rows)

    def _cancel_statement(self, request: dict[str, Any]) -> dict[str, Any]:
        if ":" in request["Id"]:
            raise invalid("Sub-statements of a batch cannot be cancelled")
        execution = self._execution(request["Id"])
        if execution.status in CLOSED:
            raise invalid(
                f"Could not cancel a query that is already in {execution.status} state with ID: {execution.id}"
            )
        execution.cancel()
        return {"Status": True}

    def _list_statements(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted, name = request.get("Status", "ALL"), request.get("StatementName", "")
        found = [
            execution
            for execution in reversed(self.executions)
            if wanted in ("ALL", execution.status) and execution.request.get("StatementName", "").startswith(name)
        ]
        start = int(request.get("NextToken", "0"))
        end = start + (request.get("MaxResults") or 100)
        answer: dict[str, Any] = {"Statements": [listed(execution) for execution in found[start:end]]}
        return answer | ({"NextToken": str(end)} if end < len(found) else {})


def _wait(execution: Execution, request: Mapping[str, Any]) -> None:
    execution.done.wait(request.get("WaitTimeSeconds", 0))


def _fingerprint(request: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in request.items() if name != "WaitTimeSeconds"}, sort_keys=True)
