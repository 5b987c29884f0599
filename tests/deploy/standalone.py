"""Spark's standalone cluster on loopback: processes of a master and workers, and executors that can be killed."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import psutil
import pyspark

from jobs.spark.java import java_home

SPARK_HOME = Path(pyspark.__file__).parent
SPARK_SUBMIT = SPARK_HOME / "bin" / "spark-submit"
MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
LOOPBACK = "127.0.0.1"
MEMORY = "1g"
SECONDS_TO_START = 120


def environment(folder: Path) -> dict[str, str]:
    """The variables that Spark's own scripts need, without the environment of the tests but for how Java compiles."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "JAVA_HOME": java_home(),
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_DAEMON_MEMORY": "512m",
        "JDK_JAVA_OPTIONS": os.environ["JDK_JAVA_OPTIONS"],
    }


@dataclass(frozen=True)
class StandaloneCluster:
    """A running cluster.

    Attributes:
        url: of the master, as ``--master`` takes it.
        workers: the workers' processes.
    """

    url: str
    workers: tuple[psutil.Process, ...]

    def executors(self, worker: int) -> list[psutil.Process]:
        """The live executors of a worker."""
        executors = []
        for child in self.workers[worker].children():
            with suppress(psutil.NoSuchProcess):
                if EXECUTOR in child.cmdline():
                    executors.append(child)
        return executors

    def kill_executor(self, worker: int) -> None:
        """Kill a worker's executor without notice, as the loss of a machine does."""
        (executor,) = self.executors(worker)
        executor.kill()


@contextmanager
def standalone_cluster(folder: Path, *, workers: int) -> Iterator[StandaloneCluster]:
    """A master and workers of one core each, which end with all their children.

    The system chooses all ports, and the master's log names them.
    """
    folder.mkdir()
    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes.append(_start(folder, "master", MASTER, "--port", "0"))
        url = _wait_for(folder / "master.log", r"Starting Spark master at (spark://\S+)")
        page = _wait_for(folder / "master.log", r"MasterWebUI.* started at (http://\S+)")
        for number in range(workers):
            name = f"worker-{number}"
            options = ("--cores", "1", "--memory", MEMORY, "--work-dir", str(folder / name))
            processes.append(_start(folder, name, WORKER, *options, url))
        _wait_until_alive(f"{page.rstrip('/')}/json/", workers)
        yield StandaloneCluster(url, tuple(psutil.Process(process.pid) for process in processes[1:]))
    finally:
        for process in processes:
            # The group holds the daemon, and for a worker its executors too.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _start(folder: Path, name: str, daemon: str, *options: str) -> subprocess.Popen[bytes]:
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [SPARK_HOME / "bin" / "spark-class", daemon, "--host", LOOPBACK, "--webui-port", "0", *options],
            cwd=folder,
            env=environment(folder),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_for(log: Path, pattern: str) -> str:
    deadline = time.monotonic() + SECONDS_TO_START
    while (match := re.search(pattern, log.read_text())) is None:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    return match[1]


def _wait_until_alive(page: str, workers: int) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while (alive := json.load(urlopen(page, timeout=10))["aliveworkers"]) < workers:
        assert time.monotonic() < deadline, f"{alive} of {workers} workers registered"
        time.sleep(0.1)
