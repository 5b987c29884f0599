"""A client of the Redshift Data API, which runs SQL over HTTPS and needs no network path into the warehouse's VPC.

One call submits statements, and another one returns their status. The statements of a batch are one transaction. The
client uses only what boto3 1.42 knows, the version on AWS Glue 6.0.
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
from jobs.cli import console, interruptions
from jobs.errors import OutsideSystemError
from jobs.warehouse.aws_errors import NoAnswerError, aws_failures
from jobs.warehouse.redshift_statements import Statement
from jobs.warehouse.target import RedshiftAddress

MAX_STATEMENTS = 40
"""The service's limit for one batch."""

MAX_TITLE_LENGTH = 500
"""The service's limit for the name of a batch."""

FINAL_STATUSES = ("FINISHED", "FAILED", "ABORTED")

RETRIES = Config(retries={"mode": "standard", "max_attempts": 8})
"""For throttling, failures of the service and broken connections. Eight attempts take up to two minutes.

A repeated call has the same client token, so the service runs it once.
"""

POLL_SECONDS = (0.2, 5.0)
"""The first wait between two status calls, and the longest."""

CANCEL_TIMEOUT_SECONDS = 30.0

LOOK_FIRST = "check pipeline_runs (of an audience: the table audiences) before you publish again"


class StatementError(Exception):
    """A statement failed, and Redshift rolled the whole batch back.

    Attributes:
        statement: the statement's name; ``commit`` if all statements finished.
        batch: the id of the batch.
        message: Redshift's error message.
    """

    def __init__(self, statement: str, batch: str, message: str) -> None:
        super().__init__(message)
        self.statement, self.batch, self.message = statement, batch, message


class UnknownOutcomeError(OutsideSystemError):
    """A batch may still be running, and may yet be committed."""


class DataApiClient:
    """A client for one database."""

    def __init__(self, address: RedshiftAddress) -> None:
        members = {
            "Database": address.database,
            "WorkgroupName": address.workgroup,
            "ClusterIdentifier": address.cluster,
            "DbUser": address.db_user,
            "SecretArn": address.secret_arn,
        }
        self._database = {name: value for name, value in members.items() if value is not None}
        with aws_failures(f"reach {address}"):
            self._client: Any = boto3.client("redshift-data", region_name=region(), config=RETRIES)

    def query(self, statement: Statement, parameters: Mapping[str, str]) -> list[list[Any]]:
        """Run one query and return its rows.

        Raises:
            StatementError: The query failed.
            OutsideSystemError: The service failed or refused it.
        """
        bound = [{"name": name, "value": value} for name, value in parameters.items()]
        members = {"Parameters": bound} if bound else {}
        with aws_failures(statement.name):
            submitted = self._client.execute_statement(Sql=statement.sql, **members, **self._database)
            self._wait(submitted["Id"], [statement], title=statement.name)
            return self.result_rows(submitted["Id"])

    def run_batch(self, title: str, statements: Sequence[Statement], *, token: str) -> None:
        """Run statements as one transaction, and wait until it ends.

        Args:
            title: what the batch does, for the progress bar and for errors.
            statements: at most 40 statements.
            token: the client token. The service runs the same statements with the same token once, however often they
                are submitted. It remembers a token for eight hours, also if the batch failed.

        Raises:
            StatementError: A statement failed. The batch is rolled back.
            UnknownOutcomeError: The service does not report how the batch ended, or whether it started.
            OutsideSystemError: The service refused the batch.
        """
        if len(statements) > MAX_STATEMENTS:
            raise ValueError(f"found {len(statements)} statements in a batch, expected at most {MAX_STATEMENTS}")
        try:
            with aws_failures(title):
                submitted = self._client.batch_execute_statement(
                    Sqls=[statement.sql for statement in statements],
                    ClientToken=token,
                    StatementName=title[:MAX_TITLE_LENGTH],
                    **self._database,
                )
        except NoAnswerError as error:
            raise UnknownOutcomeError(f"{error}. The batch may have started; {LOOK_FIRST}") from None
        try:
            self._wait(submitted["Id"], statements, title=title)
        except OutsideSystemError as error:
            raise UnknownOutcomeError(
                f"{error}. Batch {submitted['Id']} has started, and its outcome is unknown; {LOOK_FIRST}"
            ) from None
        except KeyboardInterrupt:
            interruptions.tidy_up(within=CANCEL_TIMEOUT_SECONDS + interruptions.SECONDS_TO_TIDY_UP)
            self._cancel(submitted["Id"], title)
            raise

    def result_rows(self, statement_id: str) -> list[list[Any]]:
        """The rows that a statement returned. The id of a statement in a batch is ``<batch>:<number>``."""
        pages = self._client.get_paginator("get_statement_result").paginate(Id=statement_id)
        return [[_value(field) for field in record] for page in pages for record in page["Records"]]

    def _wait(self, statement_id: str, statements: Sequence[Statement], *, title: str) -> None:
        """Wait until a statement or batch ends, and raise unless it finished."""
        first_wait, longest_wait = POLL_SECONDS
        with console.statement_bar(title, len(statements)) as show:

            def poll() -> dict[str, Any]:
                with aws_failures(f"follow {title}"):
                    description: dict[str, Any] = self._client.describe_statement(Id=statement_id)
                done = sum(part["Status"] == "FINISHED" for part in description.get("SubStatements", []))
                show(done, statements[min(done, len(statements) - 1)].name)
                return description

            polling = Retrying(
                retry=retry_if_result(_is_running), wait=wait_exponential(multiplier=first_wait, max=longest_wait)
            )
            description = polling(poll)
        if description["Status"] != "FINISHED":
            raise _statement_error(description, statements)

    def _cancel(self, statement_id: str, title: str) -> None:
        """Cancel a batch, which Redshift then rolls back.

        Raises:
            OutsideSystemError: The batch was committed already, or the service does not report how it ended.
        """
        with suppress(ClientError, BotoCoreError):
            self._client.cancel_statement(Id=statement_id)
        polling = Retrying(
            retry=retry_if_result(_is_running),
            wait=wait_exponential(multiplier=POLL_SECONDS[0], max=1),
            stop=stop_after_delay(CANCEL_TIMEOUT_SECONDS),
            retry_error_callback=_last_description,
        )
        with aws_failures(f"cancel {title}"):
            status = polling(self._client.describe_statement, Id=statement_id)["Status"]
        if status not in ("FAILED", "ABORTED"):
            raise OutsideSystemError(
                f"interrupted, but {title} is {status} (batch {statement_id}). Check pipeline_runs before you publish "
                "again"
            )


def client_token(*parts: Any) -> str:
    """A hash of the parts, in the 64 characters that the service takes as a client token."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _is_running(description: Mapping[str, Any]) -> bool:
    return description["Status"] not in FINAL_STATUSES


def _last_description(state: RetryCallState) -> Any:
    return state.outcome.result() if state.outcome else {"Status": "unknown"}


def _statement_error(description: Mapping[str, Any], statements: Sequence[Statement]) -> StatementError:
    """The error of the statement that failed, or of the commit if none did."""
    parts = description.get("SubStatements") or [description]
    for statement, part in zip(statements, parts, strict=False):
        if part["Status"] == "FAILED" or part.get("Error"):
            return StatementError(statement.name, description["Id"], part.get("Error") or description.get("Error", ""))
    message = description.get("Error") or f"the batch was {description['Status'].lower()}"
    return StatementError("commit", description["Id"], message)


def _value(field: Mapping[str, Any]) -> Any:
    return None if field.get("isNull") else next(iter(field.values()))
