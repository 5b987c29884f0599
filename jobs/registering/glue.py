"""A client of the Glue Data Catalog for one database. Every call may be repeated."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from jobs.aws import errors
from jobs.aws.environment import region
from jobs.errors import ConfigurationError
from jobs.registering.table_inputs import Json

RETRIES = Config(retries={"mode": "standard", "max_attempts": 8})
"""For throttling, failures of the service and broken connections. Eight attempts take up to two minutes."""

MOST_CREATED, MOST_UPDATED, MOST_DELETED = 100, 100, 25
"""The service's limits for one call about partitions."""

CHANGED_MEANWHILE = ("ConcurrentModificationException", "AlreadyExistsException")
NOT_THERE = "EntityNotFoundException"

ADVICE: errors.Advice = MappingProxyType(
    {
        errors.DENIED: "Grant what docs/catalogue.md lists: in IAM, and in Lake Formation if that governs the database",
        errors.INVALID_REQUEST: "Check --catalogue and the region (AWS_REGION)",
    }
)


class ChangedMeanwhileError(Exception):
    """Another registration changed a table between the time when this one read it and now."""


class GlueCatalogue:
    """The tables of a database of the Glue Data Catalog."""

    def __init__(self, database: str) -> None:
        """Make a client; nothing is called.

        Raises:
            ConfigurationError: There is no region.
            OutsideSystemError: The AWS SDK failed.
        """
        self.database = database
        with self._calls("reach"):
            self._client: Any = boto3.client("glue", region_name=region(), config=RETRIES)

    def tables(self, names: Sequence[str]) -> dict[str, Json]:
        """Those tables of the database that have one of the names, by name.

        Raises:
            ConfigurationError: There is no such database.
            OutsideSystemError: The service failed or refused.
        """
        with self._calls("read the tables of"):
            pages = self._client.get_paginator("get_tables").paginate(DatabaseName=self.database)
            return {table["Name"]: table for page in pages for table in page["TableList"] if table["Name"] in names}

    def create_table(self, table: Json) -> None:
        """Create a table.

        Raises:
            ChangedMeanwhileError: It exists by now.
        """
        with self._calls(f"create table {table['Name']} in"):
            self._client.create_table(DatabaseName=self.database, TableInput=table)

    def update_table(self, table: Json, *, present: Json) -> None:
        """Change a table, and keep parameters that others gave it.

        Args:
            table: what it becomes.
            present: as it was read.

        Raises:
            ChangedMeanwhileError: It is not as it was read any more.
        """
        parameters = {**present.get("Parameters", {}), **table["Parameters"]}
        version = {"VersionId": present["VersionId"]} if "VersionId" in present else {}
        with self._calls(f"change table {table['Name']} in"):
            self._client.update_table(
                DatabaseName=self.database, TableInput={**table, "Parameters": parameters}, SkipArchive=True, **version
            )

    def partitions(self, table: str) -> dict[str, Json]:
        """The partitions of a table, by run."""
        with self._calls(f"read the partitions of table {table} in"):
            pages = self._client.get_paginator("get_partitions").paginate(DatabaseName=self.database, TableName=table)
            return {partition["Values"][0]: partition for page in pages for partition in page["Partitions"]}

    def create_partitions(self, table: str, partitions: Sequence[Json]) -> None:
        """Add partitions. One that exists by now was added by another registration of the run."""
        for batch in _batches(partitions, MOST_CREATED):
            self._change_partitions(
                table, "batch_create_partition", {"PartitionInputList": batch}, is_done="AlreadyExistsException"
            )

    def update_partitions(self, table: str, partitions: Sequence[Json]) -> None:
        """Change partitions. One that is gone was removed by another registration."""
        for batch in _batches(partitions, MOST_UPDATED):
            entries = [{"PartitionValueList": each["Values"], "PartitionInput": each} for each in batch]
            self._change_partitions(table, "batch_update_partition", {"Entries": entries}, is_done=NOT_THERE)

    def delete_partitions(self, table: str, run_ids: Sequence[str]) -> None:
        """Remove the partitions of runs. One that is gone was removed by another registration."""
        for batch in _batches(run_ids, MOST_DELETED):
            values = [{"Values": [run_id]} for run_id in batch]
            self._change_partitions(table, "batch_delete_partition", {"PartitionsToDelete": values}, is_done=NOT_THERE)

    def _change_partitions(self, table: str, operation: str, request: Mapping[str, Any], *, is_done: str) -> None:
        """Make a change to partitions. The service answers 200 also where it could not change some of them."""
        with self._calls(f"change the partitions of table {table} in"):
            answer = getattr(self._client, operation)(DatabaseName=self.database, TableName=table, **request)
            for failure in answer.get("Errors", []):
                detail = failure["ErrorDetail"]
                if detail["ErrorCode"] != is_done:
                    error = {"Code": detail["ErrorCode"], "Message": detail.get("ErrorMessage", "")}
                    raise ClientError({"Error": error}, "".join(map(str.capitalize, operation.split("_"))))

    @contextmanager
    def _calls(self, action: str) -> Iterator[None]:
        subject = f"could not {action} database {self.database} of the Glue Data Catalog"
        with errors.aws_errors(subject, advice=ADVICE):
            try:
                yield
            except ClientError as error:
                code = errors.error_code(error)
                if code in CHANGED_MEANWHILE:
                    raise ChangedMeanwhileError(str(error)) from error
                if code == NOT_THERE:
                    raise self._not_there(error) from None
                raise

    def _not_there(self, error: ClientError) -> ConfigurationError:
        answer = " ".join(str(error.response["Error"].get("Message", "")).split()).rstrip(".")
        return ConfigurationError(
            f"--catalogue {self.database}: no such database, or a table of it is gone ({error.operation_name}: "
            f"{answer}), expected a database of the Glue Data Catalog in {region()}. Check the name and AWS_REGION, or "
            "create it (docs/catalogue.md)"
        )


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
