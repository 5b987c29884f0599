"""Measure a command: time, memory and bytes written, of its process and of all processes that it starts."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from jobs.errors import OutsideSystemError

SAMPLE_SECONDS = 0.1
LAST_SAMPLE_SECONDS = 0.01
SURVIVOR_TIMEOUT = 60.0
"""Seconds for which processes of a contender may run on after it."""

LOG_LINES = 30


@dataclass(frozen=True)
class Measurement:
    """The cost of one run.

    Attributes:
        wall_seconds: Seconds from the start of the process to its end.
        cpu_seconds: User and system time of all its processes, with those that outlive the first one.
        peak_bytes: The largest sum of resident memory over all its processes in one sample. Pages that two processes
            share count twice. A peak shorter than `SAMPLE_SECONDS` may be missed.
        written_bytes: What all its processes wrote, temporary files included; None where the system does not count it.
        started_at: The time of its start, in seconds since 1970.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    written_bytes: int | None
    started_at: float


def measure(command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str]) -> Measurement:
    """Run a command and measure it.

    Args:
        command: The command line.
        folder: The folder in which it runs.
        log: The file for its output.
        environment: Its environment variables.

    Raises:
        OutsideSystemError: The command failed. The end of its log is written to stderr.
    """
    with log.open("wb") as output:
        started, started_at = time.perf_counter(), time.time()
        child = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    sampler = _MemorySampler(psutil.Process(child.pid))
    sampler.start()
    try:
        written_bytes = _written_until_its_end(child.pid)
        # wait4 also returns the kernel's resource usage of the child, which child.wait() discards.
        _, status, usage = os.wait4(child.pid, 0)
        wall_seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
    finally:
        sampler.stop()
        if child.returncode is None:
            _kill([psutil.Process(child.pid), *sampler.descendants])
            child.wait()
    # The kernel's usage covers the child and the descendants that were waited for. PySpark ends without waiting for its
    # JVM, which does nearly all of the work, so the usage of survivors is added.
    survivors = _cost_of_survivors(sampler.descendants)
    cpu_seconds = usage.ru_utime + usage.ru_stime + survivors.cpu_seconds
    if child.returncode != 0:
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        sys.stderr.write("\n".join([*lines, ""]))
        raise OutsideSystemError(
            f"{' '.join(command)} ended with exit code {child.returncode}; its last lines are above"
        )
    if written_bytes is not None:
        written_bytes += survivors.written_bytes
    return Measurement(wall_seconds, cpu_seconds, sampler.peak_bytes, written_bytes, started_at)


class _MemorySampler(threading.Thread):
    """Samples the memory of a process and its descendants until it is stopped."""

    def __init__(self, root: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.descendants: set[psutil.Process] = set()
        self.peak_bytes = 0
        self._root = root
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.is_set():
            self._sample()
            self._done.wait(SAMPLE_SECONDS)

    def stop(self) -> None:
        self._done.set()
        self.join()

    def _sample(self) -> None:
        with suppress(psutil.NoSuchProcess):
            self.descendants.update(self._root.children(recursive=True))
        resident = 0
        for process in (self._root, *self.descendants):
            with suppress(psutil.Error):
                resident += process.memory_info().rss
        self.peak_bytes = max(self.peak_bytes, resident)


def _written_until_its_end(pid: int) -> int | None:
    """Wait for the end of a child without collecting it, and return the bytes that it and its own children wrote.

    The kernel counts every write, whatever becomes of the file, and adds the counts of children that were waited for.
    """
    if not hasattr(os, "waitid"):
        return None
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return int(psutil.Process(pid).io_counters().write_chars)


@dataclass(frozen=True)
class _Cost:
    cpu_seconds: float
    written_bytes: int


def _cost_of_survivors(descendants: Iterable[psutil.Process]) -> _Cost:
    """Wait until the processes that still run have ended, and return what they took.

    Each sample counts a process and the children for which it waited. A zombie keeps its figures until its parent
    collects it, so nothing counts twice. The time between the last sample and the end is lost: a hundredth of a second.
    The wait also keeps a JVM that shuts down from slowing the next contender.
    """
    seconds: dict[psutil.Process, float] = {}
    written: dict[psutil.Process, int] = {}
    running = list(descendants)
    deadline = time.monotonic() + SURVIVOR_TIMEOUT
    while running:
        still_running = []
        for process in running:
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                seconds[process] = times.user + times.system + times.children_user + times.children_system
                with suppress(psutil.AccessDenied, AttributeError):
                    written[process] = process.io_counters().write_chars
                if process.status() != psutil.STATUS_ZOMBIE:
                    still_running.append(process)
        running = still_running
        if time.monotonic() > deadline:
            _kill(running)
            raise OutsideSystemError(
                f"still running {SURVIVOR_TIMEOUT:.0f} s after its parent: {', '.join(map(str, running))}"
            )
        time.sleep(LAST_SAMPLE_SECONDS)
    return _Cost(sum(seconds.values()), sum(written.values()))


def _kill(processes: Sequence[psutil.Process]) -> None:
    """Kill processes, and wait until they have released the folder of results."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=SURVIVOR_TIMEOUT)
