"""Tables of Spark's catalogue: Hive's, the Glue Data Catalog's, Iceberg's. A run reads one state of a table."""

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DateType, IntegralType, StringType, TimestampNTZType, TimestampType

from jobs.errors import ConfigurationError, DataError

TABLE_URI = re.compile(r"table:(?P<name>.*)", re.IGNORECASE | re.DOTALL)
NAME = re.compile(r"(?:[A-Za-z0-9_-]{1,128}|`[^`]{1,128}`)(?:\.(?:[A-Za-z0-9_-]{1,128}|`[^`]{1,128}`)){0,3}")


def table_name(uri: str) -> str | None:
    """The name in ``table:NAME``; None for what names files.

    Raises:
        ConfigurationError: It is no name of a table.
    """
    match = TABLE_URI.fullmatch(uri)
    if match is None:
        return None
    if not NAME.fullmatch(match["name"]):
        raise ConfigurationError(
            f"--input {uri[:200]}: expected the name of a table as Spark's catalogue has it, such as "
            "table:bank.transactions or table:glue_catalog.bank.transactions"
        )
    return match["name"]


@dataclass(frozen=True)
class CatalogueTable:
    """A table of the catalogue, and what of it a run reads.

    Attributes:
        name: with its database, and its catalogue where it is not Spark's own.
        snapshot: of an Iceberg table, the one that is read by each query of the run; None before it is pinned, and of
            a table without snapshots.
        partition: the column by day of which days before ``first_day`` are not read; None reads everything.
        first_day: the first day that is read.
    """

    name: str
    snapshot: int | None = None
    partition: str | None = None
    first_day: date | None = None

    def pinned(self, session: SparkSession) -> "CatalogueTable":
        """The table as it is now, whatever is written to it while the run reads.

        Only Iceberg keeps snapshots that can be read by their ids.

        Raises:
            ConfigurationError: The catalogue has no such table.
            DataError: The table has no snapshot, since nothing was written to it.
        """
        try:
            session.table(self.name)
        except AnalysisException as error:
            raise ConfigurationError(
                f"--input table:{self.name}: Spark's catalogue has no such table ({_condition(error)}). Check its name "
                "and the settings of the catalogue (docs/ledger.md)"
            ) from None
        try:
            references = session.table(f"{self.name}.refs")
            current = references.where(F.col("name") == "main").select("snapshot_id").collect()
        except AnalysisException:
            return self  # a table without snapshots
        if not current:
            raise DataError(f"--input table:{self.name}: an Iceberg table without a snapshot, expected rows in it")
        return replace(self, snapshot=current[0]["snapshot_id"])

    def read(self, session: SparkSession) -> DataFrame:
        """The rows, without those of partitions that are not read."""
        reader = session.read if self.snapshot is None else session.read.option("versionAsOf", str(self.snapshot))
        rows = reader.table(self.name)
        if self.partition is None or self.first_day is None:
            return rows
        if self.partition not in rows.columns:
            raise DataError(
                f"table {self.name}: no column {self.partition} (found: {', '.join(rows.columns)}), expected that of "
                "partitioned_by in the mapping"
            )
        day = F.col(f"`{self.partition}`")
        match rows.schema[self.partition].dataType:
            case StringType():
                # Days as text, such as 20181017, sort as days do. What is no day is read.
                is_read = day >= self.first_day.isoformat()
            case IntegralType():
                is_read = day >= int(f"{self.first_day:%Y%m%d}")
            case DateType() | TimestampType() | TimestampNTZType():
                # A day and a time compare without a cast of the column, so that files are passed over.
                is_read = day >= F.lit(self.first_day)
            case other:
                raise DataError(
                    f"table {self.name}: {self.partition} is {other.simpleString()}, expected a day for partitioned_by"
                )
        return rows.where(day.isNull() | is_read)

    def as_json(self) -> dict[str, Any]:
        """The table's entry in the manifest."""
        return {"name": self.name, "snapshot": None if self.snapshot is None else str(self.snapshot)}


def _condition(error: AnalysisException) -> str:
    return error.getCondition() or str(error).splitlines()[0][:200]
