"""The tables of a run as frames of Spark, in a session whose time zone is UTC."""

from contextlib import ExitStack

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from jobs.errors import ConfigurationError, OutsideSystemError
from jobs.notebooks.run_tables import RunTables
from jobs.spark.process import SPARK_FAILURES
from jobs.spark.session import Workload, failure_of_spark, spark_session
from jobs.storage.local import LocalFolder
from jobs.storage.uris import escape_glob
from transforms.repeat_purchases import repeat_purchases
from transforms.schemas import ADDED_AFTER_0_1, TABLES

TIME_ZONE = "spark.sql.session.timeZone"
NO_S3A = "S3AFileSystem not found"
"""What Java says where the libraries of jobs/spark/s3a.xml are missing."""

UTC_NAMES = ("UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z", "+00:00")


class Frames:
    """The tables of a run in Spark."""

    def __init__(self, tables: RunTables, kept: ExitStack) -> None:
        """Take a run.

        Args:
            tables: the run's.
            kept: what stops a session that is started here.
        """
        self._tables = tables
        self._kept = kept

    def table(self, name: str, session: SparkSession | None) -> DataFrame:
        """A table; see `OpenedRun.spark`. Its files are found now, and read by each query."""
        store = self._tables.store
        uri = escape_glob(store.folder.uri(*self._tables.checked_path(name).split("/")))
        used = self._utc_session(session)
        schema = self._schema(name)
        try:
            return (used.read if schema is None else used.read.schema(schema)).parquet(uri)
        except SPARK_FAILURES as error:
            if NO_S3A in str(error):
                raise ConfigurationError(
                    f"table {name} is in S3, and this session of Spark has no S3A to read it. Stop the session, and "
                    "leave session= out: run.spark then starts one that has"
                ) from None
            raise failure_of_spark(error) or OutsideSystemError(f"Spark cannot read table {name}") from None

    def repeat_purchases(self, session: SparkSession | None) -> DataFrame:
        """`repeat_purchases` over the run's purchases; see `OpenedRun.repeat_purchases`."""
        return repeat_purchases(purchases=self.table("purchases", session), as_of=self._tables.manifest.as_of)

    def _schema(self, table: str) -> StructType | None:
        """The columns of a table's files; None for a quarantine and a ledger, whose columns are the user's."""
        schema = TABLES.get(table)
        if schema is None:
            return None
        lacks = ADDED_AFTER_0_1.get(table, frozenset()) if self._tables.manifest.segments is None else frozenset[str]()
        return StructType([field for field in schema.fields if field.name not in lacks])

    def _utc_session(self, session: SparkSession | None) -> SparkSession:
        """The session to read with.

        Raises:
            ConfigurationError: Its time zone is not UTC.
        """
        used = session or SparkSession.getActiveSession() or self._start()
        zone = used.conf.get(TIME_ZONE)
        if zone not in UTC_NAMES:
            raise ConfigurationError(
                f"Spark's session has the time zone {zone}, expected UTC: it would shift times, which are wall-clock. "
                f'Set it: session.conf.set("{TIME_ZONE}", "UTC")'
            )
        return used

    def _start(self) -> SparkSession:
        is_in_s3 = not isinstance(self._tables.store.folder, LocalFolder)
        return self._kept.enter_context(spark_session("notebook", workload=Workload(is_in_s3)))
