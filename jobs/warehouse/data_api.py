"""The Redshift Data API: SQL over HTTPS, so that no network path into the warehouse's VPC is needed.

A call hands statements in and another asks what became of them. All statements of a batch are one transaction. Only
what the SDK of AWS Glue 6.0 (boto3 1.42) knows is used.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_delay, wait_exponential

from jobs.aws.environment import region
from jobs.cli import console
from jobs.errors import OutsideSystemError
from jobs.warehouse.aws_errors import NoAnswerError, aws_failures
from jobs.warehouse.redshift_statements import Statement
from jobs.warehouse.target import RedshiftAddress

MOST_STATEMENTS = 40
"""How many a batch takes."""

CLOSED = ("FINISHED", "FAILED", "ABORTED")

# Throttling, errors of the service's own and broken connections: eight attempts take up to two minutes. What is tried
# again has its client token, so that it is done once.
RETRIES = Config(retries={"mode": "standard", "max_attempts": 8})

SECONDS_BETWEEN_LOOKS = (0.2, 5.0)
"""At first, and at most."""

SECONDS_TO_CANCEL = 30.0


class StatementError(Exception):
    """A statement failed, and with it the whole batch: nothing of it stays.

    Attributes:
        statement: its name; ``commit`` when all statements were done.
        batch: the batch's id.
        message: what Redshift says.
    """

    def __init__(self, statement: str, batch: str, message: str) -> None:
        super().__init__(message)
        self.statement, self.batch, self.message = statement, batch, message


class UnknownOutcomeError(OutsideSystemError):
    """A batch may be running still, and may yet be committed."""


class DataApi:
    """One database, by the Data API."""

    def __init__(self, address: RedshiftAddress) -> None:
        target = {
            "Database": address.database,
            "WorkgroupName": address.workgroup,
            "ClusterIdentifier": address.cluster,
            "DbUser": address.db_user,
            "SecretArn": address.secret_arn,
        }
        self._target = {name: value for name, value in target.items() if value is not None}
        with aws_failures(f"reach {address}"):
            self._client: Any = boto3.client("redshift-data", region_name=region(), config=RETRIES)

    def ask(self, statement: Statement, parameters: Mapping[str, str] | None = None) -> list[list[Any]]:
        """Run one query and return its rows.

        Raises:
            StatementError: It failed.
            OutsideSystemError: The service did.
        """
        bound = [{"name": name, "value": value} for name, value in (parameters or {}).items()]
        members = {"Parameters": bound} if bound else {}
        with aws_failures(statement.name):
            started = self._client.execute_statement(Sql=statement.sql, **members, **self._target)
            self._ended(started["Id"], [statement], title=statement.name)
            return self.rows(started["Id"])

    def batch(self, title: str, statements: Sequence[Statement], *, token: str) -> None:
        """Run statements as one transaction, and wait for its end.

        Args:
            title: what a person sees meanwhile.
            statements: at most 40.
            token: the same statements with the same token are run once, however often they are handed in (the
                service remembers for eight hours, failures too).

        Raises:
            StatementError: One failed; nothing of the batch stays.
            UnknownOutcomeError: The service does not tell how the batch ended, or whether it began.
            OutsideSystemError: The service refused it.
        """
        if len(statements) > MOST_STATEMENTS:
            raise ValueError(f"{len(statements)} statements in a batch, expected at most {MOST_STATEMENTS}")
        try:
            with aws_failures(title):
                started = self._client.batch_execute_statement(
                    Sqls=[statement.sql for statement in statements],
                    ClientToken=token,
                    StatementName=title[:500],
                    **self._target,
                )
        except NoAnswerError as error:
            raise UnknownOutcomeError(f"{error}. Whether it was begun is not known: see pipeline_runs") from None
        try:
            self._ended(started["Id"], statements, title=title)
        except OutsideSystemError as error:
            raise UnknownOutcomeError(
                f"{error}. Batch {started['Id']} was begun, and how it ends is not known: see pipeline_runs"
            ) from None
        except KeyboardInterrupt:
            self._cancel(started["Id"], title)
            raise

    def rows(self, statement_id: str) -> list[list[Any]]:
        """The result of a statement; of one in a batch by its own id, ``<batch>:<number>``."""
        pages = self._client.get_paginator("get_statement_result").paginate(Id=statement_id)
        return [[_value(field) for field in record] for page in pages for record in page["Records"]]

    def _ended(self, statement_id: str, statements: Sequence[Statement], *, title: str) -> None:
        """Wait until a statement or batch has ended, and raise unless it has ended well."""
        first, most = SECONDS_BETWEEN_LOOKS
        with console.statement_bar(title, len(statements)) as show:

            def look() -> dict[str, Any]:
                with aws_failures(f"follow {title}"):
                    found: dict[str, Any] = self._client.describe_statement(Id=statement_id)
                done = sum(part["Status"] == "FINISHED" for part in found.get("SubStatements", []))
                show(done, statements[min(done, len(statements) - 1)].name)
                return found

            wait = wait_exponential(multiplier=first, max=most)
            found = Retrying(retry=retry_if_result(_is_open), wait=wait)(look)
        if found["Status"] != "FINISHED":
            raise _failure(found, statements)

    def _cancel(self, statement_id: str, title: str) -> None:
        """Stop a batch that nobody waits for any more; what it did is undone by Redshift.

        Raises:
            OutsideSystemError: It was committed before it could be stopped, or it does not say how it ended.
        """
        with suppress(ClientError, BotoCoreError):
            self._client.cancel_statement(Id=statement_id)
        patience = Retrying(
            retry=retry_if_result(_is_open),
            wait=wait_exponential(multiplier=SECONDS_BETWEEN_LOOKS[0], max=1),
            stop=stop_after_delay(SECONDS_TO_CANCEL),
            retry_error_callback=_last_found,
        )
        with aws_failures(f"cancel {title}"):
            status = patience(self._client.describe_statement, Id=statement_id)["Status"]
        if status not in ("FAILED", "ABORTED"):
            raise OutsideSystemError(f"interrupted, but {title} is {status}: batch {statement_id}; see pipeline_runs")


def token_of(*parts: Any) -> str:
    """A client token: the same for the same parts. The service takes 64 characters."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _is_open(found: Mapping[str, Any]) -> bool:
    return found["Status"] not in CLOSED


def _last_found(state: RetryCallState) -> Any:
    return state.outcome.result() if state.outcome else {"Status": "unknown"}


def _failure(found: Mapping[str, Any], statements: Sequence[Statement]) -> StatementError:
    """What failed of a batch: the statement that says so, or else the commit."""
    parts = found.get("SubStatements") or [found]
    for statement, part in zip(statements, parts, strict=False):
        if part["Status"] == "FAILED" or part.get("Error"):
            return StatementError(statement.name, found["Id"], part.get("Error") or found.get("Error", ""))
    message = found.get("Error") or f"the batch was {found['Status'].lower()}"
    return StatementError("commit", found["Id"], message)


def _value(field: Mapping[str, Any]) -> Any:
    return None if field.get("isNull") else next(iter(field.values()))
