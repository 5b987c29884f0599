"""Log lines: their fields, their quoting, and where they go."""

import io
import json
import logging
import sys
from decimal import Decimal

import pytest

from jobs.cli.logs import configure_logs, log_event

log = logging.getLogger("jobs.some.module")


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_line_has_the_event_and_its_figures_and_quotes_what_has_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("keyvalue")
    log_event(log, "step finished", run_id="2018-10-17-x", rows_out=3, money_out=Decimal("40.5000"), rows_in=None)
    time, _, rest = capsys.readouterr().err.partition(" ")
    assert time.startswith("time=20")
    assert rest == 'level=INFO event="step finished" run_id=2018-10-17-x rows_out=3 money_out=40.5000\n'


def test_a_line_of_json_has_the_same_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("json")
    log_event(log, "rule failed", level=logging.WARNING, rule='in_set("a=b")', rows=1)
    line = json.loads(capsys.readouterr().err)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "WARNING", "event": "rule failed", "rule": 'in_set("a=b")', "rows": 1}


def test_a_line_break_in_a_value_does_not_break_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("keyvalue")
    log_event(log, "rule failed", rule="matches(a\nb)")
    assert capsys.readouterr().err.count("\n") == 1


def test_a_second_configuration_takes_the_place_of_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("keyvalue")
    configure_logs("keyvalue")
    log_event(log, "run started")
    assert capsys.readouterr().err.count("\n") == 1


def test_a_terminal_has_progress_bars_and_no_log_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    configure_logs("keyvalue")
    log_event(log, "run started")
    assert terminal.getvalue() == ""
