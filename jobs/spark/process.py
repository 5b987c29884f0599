"""Spark's process (a JVM): whether it is gone, and how it ends."""

import logging
import signal
import socket
import subprocess
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import SimpleNamespace
from typing import Any

from py4j.clientserver import JavaClient
from py4j.protocol import Py4JError
from pyspark import SparkContext, java_gateway
from pyspark.core import context as pyspark_context
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from jobs.cli import interruptions

SPARK_FAILURES = (PySparkException, Py4JError, ConnectionError, EOFError)
"""What PySpark raises when a query fails, and when the JVM that ran it is gone."""

SECONDS_TO_ANSWER, SECONDS_TO_CANCEL, SECONDS_TO_END = 1.0, 3.0, 5.0


def is_gone() -> bool:
    """Whether Spark's process takes no connections any more."""
    parameters = _gateway().gateway_parameters
    try:
        socket.create_connection((parameters.address, parameters.port), timeout=SECONDS_TO_ANSWER).close()
    except TimeoutError:  # busy, as while it collects garbage
        return False
    except OSError:
        return True
    return False


def stop(session: SparkSession) -> None:
    """Stop a session whose process may be gone."""
    with warnings.catch_warnings(), suppress(*SPARK_FAILURES):
        warnings.simplefilter("ignore")  # PySpark warns of a process that it finds gone; the run says so itself
        session.stop()


def abandon(session: SparkSession, *, is_own: bool) -> None:
    """Have Spark drop what it works on, after an interruption.

    Args:
        session: whose queries are of no use any more.
        is_own: whether it was started here. Its process then ends too, if it belongs to this one.
    """
    gateway = _gateway()
    client = vars(gateway)["_gateway_client"]
    connection = client.get_thread_connection() if isinstance(client, JavaClient) else None
    if connection is not None:
        # It still gets the answer of the call that was interrupted, which the next call would take for its own.
        connection.close()
    process = _started()
    if is_own and process is not None:
        _end(process)
        return
    cancelling = threading.Thread(target=_cancel_jobs, args=(session,), daemon=True)
    cancelling.start()
    cancelling.join(SECONDS_TO_CANCEL)
    if not is_own:
        # Spark keeps the active session per thread of Java, and the new connection has another thread.
        with suppress(*SPARK_FAILURES):
            names = vars(session)
            names["_jvm"].org.apache.spark.sql.classic.SparkSession.setActiveSession(names["_jsparkSession"])


def let_end() -> subprocess.Popen[bytes] | None:
    """Have the process that was started here end in order. Whoever needs the end waits for it.

    Returns:
        The process; None if there is none.
    """
    process: subprocess.Popen[bytes] | None = _started()
    if process is None or process.stdin is None:
        return None
    with suppress(*SPARK_FAILURES):
        _gateway().shutdown()
    # The other end of this pipe tells it that its Python is gone.
    process.stdin.close()
    return process


def kill_started() -> None:
    """Kill the process that was started here, if it is there."""
    process = _started()
    if process is not None:
        process.kill()
        process.wait()


@contextmanager
def starting() -> Iterator[None]:
    """Start Spark so that it ends with what started it, and leaves signals alone.

    PySpark's handler of Ctrl-C calls the JVM, perhaps in the middle of another call on the same connection, and takes
    that call's answer for its own. And a JVM whose PySpark is interrupted while it starts never ends.
    """
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: Any, **named: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(*arguments, **named))
        interruptions.kill_at_the_deadline(started[-1])
        return started[-1]

    handlers = SimpleNamespace(SIGINT=signal.SIGINT, signal=lambda *_: None)
    # Py4J tells the root logger with a traceback what it raises next, and what the run says in one line.
    logging.getLogger().addFilter(_is_no_echo)
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        stack.enter_context(_in_place(vars(java_gateway), "Popen", start))
        if interruptions.is_working():
            stack.enter_context(_in_place(vars(pyspark_context), "signal", handlers))
        try:
            yield
        except BaseException:
            for process in started:
                _end(process)
            raise


def _is_no_echo(record: logging.LogRecord) -> bool:
    return not str(record.msg).endswith("while sending command.")


@contextmanager
def _in_place(names: dict[str, Any], name: str, replacement: Any) -> Iterator[None]:
    real = names[name]
    names[name] = replacement
    try:
        yield
    finally:
        names[name] = real


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()  # the kernel takes a moment to give back gigabytes


def _gateway() -> Any:
    """PySpark's connection to the process, which it shows to nobody."""
    return vars(SparkContext)["_gateway"]


def _started() -> Any:
    """The process, if this Python started it; else None."""
    gateway = _gateway()
    return None if gateway is None else vars(gateway).get("proc")


def _cancel_jobs(session: SparkSession) -> None:
    with suppress(*SPARK_FAILURES):
        session.sparkContext.cancelAllJobs()
