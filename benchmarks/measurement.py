"""Run a command and measure it: wall-clock, CPU and memory of its process and of all that it starts."""

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

SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_BETWEEN_LAST_LOOKS = 0.01
PATIENCE = 60.0
"""Seconds for which what a contender left running may go on after it."""

LINES_OF_LOG = 30


@dataclass(frozen=True)
class Measurement:
    """What one run took.

    Attributes:
        wall_seconds: from the start of the process to its end, as its user waits.
        cpu_seconds: user and system time of all its processes, those included that outlive the first.
        peak_bytes: the largest sum of resident memory over all its processes at one look. Pages that two processes
            share count twice; a peak shorter than `SECONDS_BETWEEN_LOOKS` may be missed.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str]) -> Measurement:
    """Run a command in a folder, its output into a log, and measure it.

    Raises:
        OutsideSystemError: It failed; the end of its log goes to stderr.
    """
    with log.open("wb") as output:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    memory = _MemoryWatch(psutil.Process(child.pid))
    memory.start()
    try:
        # Not child.wait(): the kernel's own account of the child, which it gives to whoever collects the child.
        _, status, usage = os.wait4(child.pid, 0)
        wall_seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
    finally:
        memory.stop()
        if child.returncode is None:
            _end([psutil.Process(child.pid), *memory.descendants])
            child.wait()
    # The kernel's account is exact for the child and for all that it, or a child of its own, waited for. PySpark ends
    # without waiting for its JVM, which does nearly all the work, so what outlives the child is added to it.
    cpu_seconds = usage.ru_utime + usage.ru_stime + _cpu_of_survivors(memory.descendants)
    if child.returncode != 0:
        lines = log.read_text(errors="replace").splitlines()[-LINES_OF_LOG:]
        sys.stderr.write("\n".join([*lines, ""]))
        raise OutsideSystemError(
            f"{' '.join(command)} ended with exit code {child.returncode}; its last lines are above"
        )
    return Measurement(wall_seconds, cpu_seconds, memory.peak_bytes)


class _MemoryWatch(threading.Thread):
    """Looks at a process and its descendants until it is stopped."""

    def __init__(self, root: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.descendants: set[psutil.Process] = set()
        self.peak_bytes = 0
        self._root = root
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.is_set():
            self._look()
            self._done.wait(SECONDS_BETWEEN_LOOKS)

    def stop(self) -> None:
        self._done.set()
        self.join()

    def _look(self) -> None:
        with suppress(psutil.NoSuchProcess):
            self.descendants.update(self._root.children(recursive=True))
        resident = 0
        for process in (self._root, *self.descendants):
            with suppress(psutil.Error):
                resident += process.memory_info().rss
        self.peak_bytes = max(self.peak_bytes, resident)


def _cpu_of_survivors(descendants: Iterable[psutil.Process]) -> float:
    """Follow to their end those processes that still run, and return the CPU seconds that they had.

    Each look counts a process and the children that it waited for, and a process that has ended but that nobody
    waited for keeps its figures until it is collected. So nothing counts twice, and what is lost is the time between
    the last look and the end, a hundredth of a second. This also keeps a JVM on its way out from slowing down
    whoever is next.
    """
    seconds: dict[psutil.Process, float] = {}
    running = list(descendants)
    deadline = time.monotonic() + PATIENCE
    while running:
        still_running = []
        for process in running:
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                seconds[process] = times.user + times.system + times.children_user + times.children_system
                if process.status() != psutil.STATUS_ZOMBIE:
                    still_running.append(process)
        running = still_running
        if time.monotonic() > deadline:
            _end(running)
            raise OutsideSystemError(f"still running {PATIENCE:.0f} s after its parent: {', '.join(map(str, running))}")
        time.sleep(SECONDS_BETWEEN_LAST_LOOKS)
    return sum(seconds.values())


def _end(processes: Sequence[psutil.Process]) -> None:
    """Kill processes and wait until they are gone, and with them their hold on the folder of results."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=PATIENCE)
