"""What a command is measured to cost."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.measurement import measure
from jobs.errors import OutsideSystemError

WRITES = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "open('child', 'wb').write(bytes(3_000_000))"], check=True)
open("own", "wb").write(bytes(2_000_000))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not count written bytes per process")
def test_the_bytes_that_a_command_and_its_children_write_are_counted_once(tmp_path: Path) -> None:
    figures = measure([sys.executable, "-c", WRITES], folder=tmp_path, log=tmp_path / "log", environment=os.environ)
    assert figures.written_bytes is not None
    assert 5_000_000 <= figures.written_bytes < 5_100_000


def test_a_command_that_fails_ends_the_benchmark(tmp_path: Path) -> None:
    with pytest.raises(OutsideSystemError, match="ended with exit code 7"):
        measure([sys.executable, "-c", "exit(7)"], folder=tmp_path, log=tmp_path / "log", environment=os.environ)
