"""The SparkSession, on a laptop, on Glue and on EMR: one place for every Spark setting, each with its why."""

import logging
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyspark
from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from jobs.aws.environment import S3Settings, is_submitted
from jobs.errors import DataError, OutsideSystemError, PipelineError
from jobs.spark.java import java_home
from jobs.spark.s3a import connection_settings, laptop_settings, s3a_error, s3a_jars

# What the figures depend on. They hold everywhere, whatever a platform's defaults are.
MEANING = {
    # Timestamps are wall-clock as in the source; a session elsewhere would shift them on reading and writing.
    "spark.sql.session.timeZone": "UTC",
    # A sum that does not fit or a cast that fails raises; without it the figure would silently be null.
    "spark.sql.ansi.enabled": "true",
    # Timestamps as INT96 and decimals as bytes of a fixed length. Of what Redshift's COPY takes this much is known:
    # AWS's own aws-sdk-pandas copies files of just these types (`awswrangler/s3/_write_parquet.py` writes PyArrow's
    # "spark" flavour). Whether COPY takes integers for either is said nowhere. INT96 also names no time zone, so that
    # readers show the wall-clock of the source wherever they are.
    "spark.sql.parquet.outputTimestampType": "INT96",
    "spark.sql.parquet.writeLegacyFormat": "true",
    # Only data files in a table's folder: a loader that takes a prefix would try to load the marker too.
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}

# How fast it is. Whoever submits the job may say otherwise.
SPEED = {
    # Partitions below this size are joined by a hash table and not sorted first; larger ones still are, so that
    # no input makes a task run out of memory.
    "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": "256m",
    # A frame that is kept for two readers is cut by its size, as all others are; by default it keeps every shuffle
    # partition, and writes as many files. (Nothing here relies on how a kept frame is partitioned.)
    "spark.sql.optimizer.canChangeCachedPlanOutputPartitioning": "true",
}

# What Spark takes only while a session is made, so that nobody can be asked first.
AT_START = {
    # Else PySpark walks the Python stack for each column that is named, to tell it in an error: several calls to the
    # JVM for each, thousands for a contract. Here errors are told in words of our own.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
}

# A laptop, where nobody else sets these.
LAPTOP = {
    "spark.master": "local[*]",
    "spark.driver.memory": os.environ.get("SPARK_DRIVER_MEMORY", "4g"),
    "spark.driver.host": "localhost",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    # Progress is shown per step, by `jobs.cli.console`.
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:+UseParallelGC",
    # Enough for tens of millions of rows on a few cores; adaptive execution joins those that turn out small.
    "spark.sql.shuffle.partitions": "64",
}


CONDITIONS_OF_DATA = (
    "ARITHMETIC_OVERFLOW",
    "NUMERIC_VALUE_OUT_OF_RANGE",
    "CAST_OVERFLOW",
    "MALFORMED_RECORD_IN_PARSING",
    "FAILED_READ_FILE",
)
"""What Spark raises when the data is not fit to use: a value that does not fit, a file that breaks off."""


SPARK_FAILURES = (PySparkException, Py4JError, ConnectionError, EOFError)
"""What PySpark raises when a query fails, and when the JVM that ran it is gone."""


@contextmanager
def spark_session(name: str, *, reaches_s3: bool = False) -> Iterator[SparkSession]:
    """A session with the project's settings, stopped at the end if it was started here.

    Under ``spark-submit`` (EMR, Glue, a cluster) master, memory and Java are the submitter's, and `SPEED` gives way to
    what was submitted. On a laptop the session starts its own Java, which logs into a file that is kept on failure.

    Args:
        name: of the application.
        reaches_s3: whether it reads or writes in S3. On a laptop Hadoop's filesystem for that is then fetched, once.

    Raises:
        OutsideSystemError: Java is missing, Spark does not start, or it fails while the session is in use.
        DataError: A value of the data did not fit where it belongs.
    """
    os.environ["TZ"] = "UTC"
    time.tzset()
    running = SparkSession.getActiveSession()
    of_s3 = _settings_of_s3() if reaches_s3 and running is None else {}
    log = None if running or is_submitted() else _fresh_log()
    session = _started(name, log, of_s3)
    try:
        yield session
    except SPARK_FAILURES as error:
        raise _named(error, log) from error
    finally:
        if running is None:
            with suppress(*SPARK_FAILURES):  # a JVM that is gone cannot be stopped
                session.stop()
    if log is not None:
        log.unlink(missing_ok=True)


def _settings_of_s3() -> dict[str, str]:
    settings = S3Settings.from_environment()
    return connection_settings(settings) if is_submitted() else laptop_settings(settings, s3a_jars(java_home()))


def _started(name: str, log: Path | None, of_s3: dict[str, str]) -> SparkSession:
    builder = SparkSession.builder.appName(name)
    if is_submitted() or SparkSession.getActiveSession():
        try:
            session = builder.config(map={**AT_START, **of_s3, **MEANING}).getOrCreate()
        except (*SPARK_FAILURES, RuntimeError, OSError) as error:
            raise OutsideSystemError(f"Spark did not start as it was submitted ({_first_line(error)})") from error
        given = session.sparkContext.getConf()
        for key, value in SPEED.items():
            if not given.contains(key):
                session.conf.set(key, value)
        return session
    builder = builder.config(map={**LAPTOP, **SPEED, **AT_START, **of_s3, **MEANING})
    # Not another Spark that this machine may have: its version would not be this PySpark's.
    os.environ["SPARK_HOME"] = str(Path(pyspark.__file__).parent)
    # PySpark prints each error as JSON, stack and all, before it raises it; here it is told once, in a line.
    logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
    os.environ["JAVA_HOME"] = java_home()
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    # Workers, if ever one is needed, are this very Python.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        with _stderr_to(log):
            return builder.getOrCreate()
    except (*SPARK_FAILURES, RuntimeError, OSError) as error:
        raise OutsideSystemError(
            f"Spark did not start with the Java in {os.environ['JAVA_HOME']} ({_first_line(error)}); its log is {log}"
        ) from error


def _named(error: Exception, log: Path | None) -> PipelineError:
    """What failed in Spark, as an error that ends a run with the right exit code."""
    found = re.search(r"\[([A-Z][A-Z_]+)", _first_line(error))
    condition = (error.getCondition() if isinstance(error, PySparkException) else None) or (found[1] if found else "")
    where = f" Spark's log: {log}" if log else ""
    # A file of S3 that Spark could not read may be a file that breaks off, or an S3 that does: the causes tell.
    may_be_s3 = condition.startswith("FAILED_READ_FILE") or not condition.startswith(CONDITIONS_OF_DATA)
    of_s3 = s3a_error(_all_of(error)) if may_be_s3 else None
    if of_s3 is not None:
        return type(of_s3)(f"{of_s3}.{where}")
    if condition.startswith(CONDITIONS_OF_DATA):
        return DataError(f"the data is not fit to use: {_first_line(error)}.{where}")
    return OutsideSystemError(f"Spark failed: {_first_line(error)}.{where}")


def _all_of(error: Exception) -> str:
    """What failed and why it did, causes too: a failed task's are told in the message of the query that failed."""
    java = error.java_exception if isinstance(error, Py4JJavaError) else getattr(error, "_origin", None)
    told, cause = [str(error)], java
    with suppress(*SPARK_FAILURES, AttributeError):
        while cause is not None and len(told) < 20:
            told.append(cause.toString())
            cause = cause.getCause()
    return "\n".join(told)


def _first_line(error: Exception) -> str:
    # Py4J's own first line names a Java object; what went wrong is what that object says.
    text = str(error.java_exception) if isinstance(error, Py4JJavaError) else str(error)
    line = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    # Spark goes on to advise that ANSI mode be turned off; then the figure would be null, and nobody told.
    return line.partition(" If necessary set")[0].rstrip(".")


@contextmanager
def _stderr_to(log: Path | None) -> Iterator[None]:
    """Let a process started meanwhile have ``log`` for its stderr, for as long as it lives.

    The JVM inherits stderr and writes its log there; on a laptop that would bury the run's own lines.
    """
    if log is None:
        yield
        return
    sys.stderr.flush()
    own = os.dup(2)
    try:
        with log.open("ab") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(own, 2)
        os.close(own)


def _fresh_log() -> Path:
    handle, name = tempfile.mkstemp(prefix="spark-", suffix=".log")
    os.close(handle)
    return Path(name)
