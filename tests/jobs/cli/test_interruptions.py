"""Ctrl-C and SIGTERM: one line, the right exit code and no traceback, whatever the program does just then."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.cli import interruptions
from jobs.cli.main import run_main
from jobs.errors import DataError, OutsideSystemError

PROJECT = Path(__file__).parents[3]
BOTH = pytest.mark.parametrize(
    ("number", "word", "code"), [(signal.SIGINT, "interrupted", 130), (signal.SIGTERM, "terminated", 143)]
)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@BOTH
def test_a_signal_ends_the_program_in_one_line(
    number: int, word: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main("job", lambda: send(number)) == code
    assert capsys.readouterr().err == f"job: {word}; what was there before is as it was\n"


@BOTH
def test_handlers_are_put_back_when_the_program_ends(number: int, word: str, code: int) -> None:
    before = signal.getsignal(number)
    assert run_main("job", lambda: send(number)) == code, word
    assert signal.getsignal(number) is before


def test_the_line_says_what_is_true_when_the_signal_comes(capsys: pytest.CaptureFixture[str]) -> None:
    def body() -> None:
        interruptions.state_is("run r is complete and current")
        send(signal.SIGTERM)

    assert run_main("job", body) == 143
    assert capsys.readouterr().err == "job: terminated; run r is complete and current\n"


@pytest.mark.parametrize(
    "error", [OutsideSystemError("Spark failed"), DataError("x"), RuntimeError("Query interrupted"), OSError("y")]
)
def test_an_error_that_a_library_made_of_the_signal_is_not_told(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def body() -> None:
        try:
            send(signal.SIGINT)
        except KeyboardInterrupt:
            raise error from None

    assert run_main("job", body) == 130
    assert capsys.readouterr().err == "job: interrupted; what was there before is as it was\n"


def test_a_signal_that_python_swallows_in_a_finalizer_is_raised_again(capfd: pytest.CaptureFixture[str]) -> None:
    class Finalized:
        def __del__(self) -> None:
            send(signal.SIGINT)

    def body() -> None:
        Finalized()
        time.sleep(20)

    started = time.monotonic()
    assert run_main("job", body) == 130
    assert time.monotonic() - started < 5
    assert capfd.readouterr().err == "job: interrupted; what was there before is as it was\n"


def test_a_signal_that_a_library_swallows_is_raised_at_the_next_check(capsys: pytest.CaptureFixture[str]) -> None:
    reached = []

    def body() -> None:
        try:
            send(signal.SIGTERM)
        except KeyboardInterrupt:
            reached.append("swallowed")
        interruptions.check()
        reached.append("went on")

    assert run_main("job", body) == 143
    assert reached == ["swallowed"]
    assert capsys.readouterr().err.startswith("job: terminated; ")


def test_a_signal_waits_until_what_was_begun_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    done = []

    def body() -> None:
        with interruptions.held_back():
            send(signal.SIGINT)
            done.append("moved")
            interruptions.state_is("it moved")
        done.append("went on")

    assert run_main("job", body) == 130
    assert done == ["moved"]
    assert capsys.readouterr().err == "job: interrupted; it moved\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_further_signals_do_not_disturb_the_tidying_up(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    tidied = []

    def body() -> None:
        try:
            send(signal.SIGINT)
        except KeyboardInterrupt:
            interruptions.tidy_up()
            for turn in range(3):
                send(number)
                tidied.append(turn)
            raise

    assert run_main("job", body) == 130
    assert tidied == [0, 1, 2]
    assert capsys.readouterr().err.count("\n") == 1


def test_what_tidying_up_found_is_told_with_the_code_of_the_signal(capsys: pytest.CaptureFixture[str]) -> None:
    def body() -> None:
        try:
            send(signal.SIGTERM)
        except KeyboardInterrupt:
            interruptions.tidy_up()
            raise OutsideSystemError("interrupted, but the load is FINISHED") from None

    assert run_main("job", body) == 143
    assert capsys.readouterr().err == "job: interrupted, but the load is FINISHED\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device", "/tmp/x"), "No space left on device (/tmp/x)"),
        (PermissionError(13, "Permission denied", "/tmp/y"), "Permission denied (/tmp/y)"),
        (shutil.Error([("a", "b", "No space left"), ("c", "d", "x")]), "No space left (a and 1 more)"),
        (OSError("no usable temporary directory"), "no usable temporary directory"),
    ],
)
def test_an_error_of_the_disk_is_one_line_with_its_cause(
    error: OSError, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def body() -> None:
        raise error

    assert run_main("job", body) == 4
    assert capsys.readouterr().err == f"job: cannot read or write a file: {told}\n"


PROGRAM = """
import atexit, os, signal, sys, time
sys.argv = ["-m"]
import jobs
from jobs.cli import interruptions
from jobs.cli.main import run_main
interruptions.SECONDS_TO_TIDY_UP = 0.5

def send(): os.kill(os.getpid(), signal.{number})
def sleep(): time.sleep(20)
def done(): interruptions.state_is("run r is complete and current")
def hang():
    try: send()
    except KeyboardInterrupt:
        interruptions.tidy_up()
        sleep()
def end(body):
    code = run_main("job", body)
    sys.exit(code)
{moment}
"""


@pytest.mark.parametrize(
    ("moment", "number", "end"),
    [
        ("send(); sleep()", signal.SIGINT, (130, "olist-rfm: interrupted; what was there before is as it was")),
        ("atexit.register(send); end(done)", signal.SIGINT, (130, "job: interrupted; run r is complete and current")),
        (
            "run_main('job', done); send(); sleep()",
            signal.SIGTERM,
            (143, "job: terminated; run r is complete and current"),
        ),
        ("end(hang)", signal.SIGTERM, (143, "job: terminated; what was there before is as it was")),
    ],
    ids=["while modules are imported", "while the interpreter exits", "after main", "while tidying up hangs"],
)
def test_a_process_ends_in_one_line_before_and_after_its_program(
    moment: str, number: signal.Signals, end: tuple[int, str]
) -> None:
    program = PROGRAM.format(number=number.name, moment=moment)
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=15
    )
    assert (ran.returncode, ran.stderr) == (end[0], f"{end[1]}\n")


def test_a_program_within_a_program_leaves_signals_to_the_outer_one() -> None:
    def outer() -> None:
        assert run_main("inner", lambda: None) == 0
        send(signal.SIGINT)

    assert run_main("outer", outer) == 130
