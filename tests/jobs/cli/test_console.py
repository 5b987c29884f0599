"""Tables on a terminal."""

import pytest

from jobs.cli import console


def test_a_narrow_terminal_wraps_text_and_cuts_no_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    name, figures = "Customers whom somebody named at very great length", ("96,095", "100.0%", "15,961,131.12")
    console.show_table("Segments", ("segment", "customers", "share", "revenue"), [(name, *figures)])
    shown = capsys.readouterr().out
    assert all(figure in shown for figure in figures)
    assert all(word in shown for word in name.split())
    assert "…" not in shown
