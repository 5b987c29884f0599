"""The SparkSession on a laptop, on Glue and on EMR: every setting with its reason, and the session's lifecycle."""

import logging
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from jobs.aws.environment import S3Settings, is_submitted
from jobs.cli import interruptions
from jobs.errors import ConfigurationError, DataError, OutsideSystemError, PipelineError
from jobs.spark.class_archive import java_options, spark_home
from jobs.spark.engines import AS_STARTED, CLASS_PATH, DRIVER_MEMORY, EngineSetup
from jobs.spark.java import java_home
from jobs.spark.java_names import keep_java_names
from jobs.spark.process import SPARK_FAILURES, abandon, is_gone, starting, stop
from jobs.spark.s3a import connection_settings, laptop_settings, s3a_error, s3a_jars
from jobs.storage.temporary import create_log

# The figures depend on these. They apply everywhere and override a platform's defaults.
RESULTS = {
    # Timestamps are wall-clock as in the source. Another time zone would shift them on reading and writing.
    "spark.sql.session.timeZone": "UTC",
    # An overflowing sum or a failing cast raises. Without ANSI mode the figure would silently be null.
    "spark.sql.ansi.enabled": "true",
    # Timestamps as INT96 and decimals as fixed-length bytes. AWS's own aws-sdk-pandas lets Redshift COPY files of these
    # types (`awswrangler/s3/_write_parquet.py` writes PyArrow's "spark" flavour). Whether COPY takes integers for
    # either is documented nowhere. INT96 also has no time zone, so readers anywhere show the source's wall-clock.
    "spark.sql.parquet.outputTimestampType": "INT96",
    "spark.sql.parquet.writeLegacyFormat": "true",
    # Pandas writes times in nanoseconds, which Spark refuses to read as anything but numbers.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    # No _SUCCESS marker in a table's folder: a loader that takes a prefix would try to load it too.
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}

# Only speed depends on these. What the job was submitted with takes precedence.
SPEED = {
    # Joins partitions below this size by a hash table, without sorting them first. Larger partitions are still
    # sorted, so no input makes a task run out of memory.
    "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": "256m",
    # Sizes the partitions of a cached frame like those of any other. By default it keeps every shuffle partition and
    # writes as many files. (No code here relies on the partitioning of a cached frame.)
    "spark.sql.optimizer.canChangeCachedPlanOutputPartitioning": "true",
}

# Spark reads these only while it creates a session. So what the job was submitted with cannot be looked up first.
STARTUP = {
    # Otherwise PySpark walks the Python stack for each named column, in case an error has to show it. That costs
    # several JVM calls per column, and thousands per contract. Errors here have messages of their own.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
}

JAVA_OPTIONS = "spark.driver.extraJavaOptions"

# On a laptop nobody else sets these.
LAPTOP = {
    "spark.master": "local[*]",
    "spark.driver.memory": DRIVER_MEMORY,
    "spark.driver.host": "localhost",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    # `jobs.cli.console` shows progress per step.
    "spark.ui.showConsoleProgress": "false",
    JAVA_OPTIONS: "-Duser.timezone=UTC -XX:+UseParallelGC",
    # Enough for tens of millions of rows on a few cores. Adaptive execution merges partitions that turn out small.
    "spark.sql.shuffle.partitions": "64",
}

FIRST_COMPILER_ALONE = "-XX:TieredStopAtLevel=1"
"""For small work, which is over before Java's second compiler pays off."""

OF_SMALL_WORK = {
    # A task opens a file for each partition of an exchange. Of 64, most would stay empty.
    "spark.sql.shuffle.partitions": "8",
}

DATA_CONDITIONS = (
    "ARITHMETIC_OVERFLOW",
    "NUMERIC_VALUE_OUT_OF_RANGE",
    "CAST_OVERFLOW",
    "MALFORMED_RECORD_IN_PARSING",
    "FAILED_READ_FILE",
)
"""Error conditions of Spark that the data causes: a value that does not fit, a file that is cut off."""

DISK_SIGNS = ("No space left on device", "Disk quota exceeded")
"""Java's words for a disk that is full, however deep among the causes of a failure."""


@dataclass(frozen=True)
class Workload:
    """What a session is started for.

    Attributes:
        reaches_s3: whether it reads or writes in S3. On a laptop Hadoop's filesystem for S3 is then fetched, once.
        is_small: whether it is over soon, since little is read.
    """

    reaches_s3: bool = False
    is_small: bool = False


ANYTHING = Workload()

_logs: dict[str, Path] = {}
"""The log of the Java that was started here, by the id of its application, for those who use its session later."""


@contextmanager
def spark_session(
    name: str, *, workload: Workload = ANYTHING, engine: EngineSetup = AS_STARTED
) -> Iterator[SparkSession]:
    """A session with the project's settings, stopped at the end if it was started here.

    Under ``spark-submit`` (EMR, Glue, a cluster) the submitter sets master, memory and Java, and may override `SPEED`.
    On a laptop the session starts a Java of its own. Its log goes to a file, which is kept only after a failure.

    Args:
        name: of the application.
        workload: what it is for.
        engine: what runs the plans, from `find_engine`.

    Raises:
        ConfigurationError: The engine is not one that this Spark was started with.
        OutsideSystemError: Java is missing, Spark does not start, or it fails while the session is in use.
        DataError: A value of the data does not fit its column.
    """
    os.environ["TZ"] = "UTC"
    time.tzset()
    active = SparkSession.getActiveSession()
    own_settings = _own_settings(workload, engine) if active is None else {}
    log = _logs.get(active.sparkContext.applicationId) if active else None if is_submitted() else create_log()
    keeps_log = True
    try:
        with interruptions.restored():
            session = _start(name, log, own_settings, engine)
            keep_java_names(session)
            if log is not None:
                _logs[session.sparkContext.applicationId] = log
        try:
            with interruptions.restored():
                yield session
        except KeyboardInterrupt:
            interruptions.tidy_up()
            abandon(session, is_own=active is None)
            raise
        except Exception as error:
            failure = _failure(error, log)
            if failure is None:
                raise
            raise failure from None
        finally:
            if active is None and not interruptions.received():
                stop(session)
        keeps_log = False
    except KeyboardInterrupt:
        keeps_log = False
        raise
    finally:
        if log is not None and active is None and not keeps_log:
            log.unlink(missing_ok=True)


def failure_of_spark(error: Exception) -> PipelineError | None:
    """The error that an operator can mend, where Spark caused it while a session was in use; else None."""
    return _failure(error, None)


def _failure(error: Exception, log: Path | None) -> PipelineError | None:
    """The error that ends the run, where Spark caused it: its failure, or that its process is gone."""
    if isinstance(error, ConfigurationError | DataError):
        return None
    if not is_gone():
        # Between the two questions it may die too, so the second is asked again.
        with suppress(*SPARK_FAILURES):
            return _pipeline_error(error, log) if isinstance(error, SPARK_FAILURES) else None
    log_note = f" (its log: {log})" if log else ""
    return OutsideSystemError(f"Spark's process died{log_note}; {interruptions.state()}. {_memory_advice()}")


def _memory_advice() -> str:
    setting = "spark.driver.memory" if is_submitted() else f"SPARK_DRIVER_MEMORY, now {LAPTOP['spark.driver.memory']}"
    return f"Memory is the usual cause: raise {setting}, or give the machine more"


def _s3_settings() -> dict[str, str]:
    settings = S3Settings.from_environment()
    return connection_settings(settings) if is_submitted() else laptop_settings(settings, s3a_jars(java_home()))


def _own_settings(workload: Workload, engine: EngineSetup) -> dict[str, str]:
    """The settings of a session that is started here, beside those of all sessions."""
    s3_settings = _s3_settings() if workload.reaches_s3 else {}
    if is_submitted():
        return s3_settings
    laptop = {**LAPTOP, **engine.laptop, **(OF_SMALL_WORK if workload.is_small else {})}
    options = [laptop[JAVA_OPTIONS], java_options(java_home(), laptop.get(CLASS_PATH, ""))]
    options += [FIRST_COMPILER_ALONE] if workload.is_small else []
    return {**laptop, JAVA_OPTIONS: " ".join(options), **SPEED, **s3_settings}


def _start(name: str, log: Path | None, own_settings: Mapping[str, str], engine: EngineSetup) -> SparkSession:
    builder = SparkSession.builder.appName(name).config(map={**own_settings, **STARTUP, **RESULTS})
    if is_submitted() or SparkSession.getActiveSession():
        return _get_session(builder, engine)
    return _start_on_laptop(builder, log)


def _get_session(builder: SparkSession.Builder, engine: EngineSetup) -> SparkSession:
    """The session of a submitted job, or the one that is active already."""
    try:
        with starting():
            session = builder.getOrCreate()
    except Exception as error:
        raise OutsideSystemError(f"Spark did not start as it was submitted ({_first_line(error)})") from error
    submitted = session.sparkContext.getConf()
    for key, value in SPEED.items():
        if not submitted.contains(key):
            session.conf.set(key, value)
    for key, value in engine.for_session(submitted).items():
        session.conf.set(key, value)
    return session


def _start_on_laptop(builder: SparkSession.Builder, log: Path | None) -> SparkSession:
    # Another Spark on this machine may have another version than this PySpark.
    os.environ["SPARK_HOME"] = str(spark_home())
    # PySpark logs each error as JSON with its stack before it raises it. A run ends with one line instead.
    logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
    os.environ["JAVA_HOME"] = java_home()
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    # Any Python worker is this very Python.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        with _stderr_to(log), starting():
            return builder.getOrCreate()
    except Exception as error:  # a JVM that dies meanwhile shows in many: a name in it that is no function, for one
        raise OutsideSystemError(
            f"Spark did not start with the Java in {os.environ['JAVA_HOME']} ({_first_line(error)}); its log is {log}"
        ) from error


def _pipeline_error(error: Exception, log: Path | None) -> PipelineError:
    """The error that ends the run, with the exit code of its cause: S3, the data, or Spark itself."""
    match = re.search(r"\[([A-Z][A-Z_]+)", _first_line(error))
    condition = (error.getCondition() if isinstance(error, PySparkException) else None) or (match[1] if match else "")
    log_note = f" Spark's log: {log}" if log else ""
    texts = _with_causes(error)
    full = next((sign for sign in DISK_SIGNS if sign in texts), None)
    if full:
        return OutsideSystemError(
            f"Spark failed: {full}. Free some, or name other folders for --output and TMPDIR.{log_note}"
        )
    if "OutOfMemoryError" in texts:
        return OutsideSystemError(f"Spark failed: its memory was not enough. {_memory_advice()}.{log_note}")
    is_of_data = condition.startswith(DATA_CONDITIONS)
    # A file in S3 that Spark could not read may be cut off, or S3 may have failed: the causes tell.
    may_be_of_s3 = condition.startswith("FAILED_READ_FILE") or not is_of_data
    of_s3 = s3a_error(texts) if may_be_of_s3 else None
    if of_s3 is not None:
        return type(of_s3)(f"{of_s3}.{log_note}")
    if is_of_data:
        return DataError(f"the data is not fit to use: {_first_line(error)}.{log_note}")
    return OutsideSystemError(f"Spark failed: {_first_line(error)}.{log_note}")


def _with_causes(error: Exception) -> str:
    """The error's text and that of its causes. A failed task's causes are in the text of the query that failed."""
    cause = error.java_exception if isinstance(error, Py4JJavaError) else getattr(error, "_origin", None)
    texts: list[str] = []
    with suppress(*SPARK_FAILURES, AttributeError):
        texts.append(str(error))
        while cause is not None and len(texts) < 20:
            texts.append(cause.toString())
            cause = cause.getCause()
    return "\n".join(texts)


def _first_line(error: Exception) -> str:
    if isinstance(error, ConnectionError | EOFError | Py4JError) and not isinstance(error, Py4JJavaError):
        return f"its process died. {_memory_advice()}"
    # Py4J's own first line names a Java object; that object's text says what went wrong.
    text = ""
    with suppress(*SPARK_FAILURES):  # a process that is gone cannot be asked
        text = str(error.java_exception) if isinstance(error, Py4JJavaError) else str(error)
    line = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    # Spark goes on with the advice to turn ANSI mode off. The figure would then silently be null.
    return line.partition(" If necessary set")[0].rstrip(".")


@contextmanager
def _stderr_to(log: Path | None) -> Iterator[None]:
    """Give a process that starts meanwhile ``log`` as its stderr, for as long as it lives.

    The JVM inherits stderr and logs there. On a laptop that would bury the run's own lines.
    """
    if log is None:
        yield
        return
    sys.stderr.flush()
    own_stderr = os.dup(2)
    try:
        with log.open("ab") as file:
            os.dup2(file.fileno(), 2)
        yield
    finally:
        os.dup2(own_stderr, 2)
        os.close(own_stderr)
