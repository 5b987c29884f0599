"""What comes from outside reaches the terminal as text: no markup, no control character, and one line."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from jobs.cli import console
from jobs.cli.main import run_main
from jobs.cli.printable import LONGEST_LINE, counted, one_line, printable
from jobs.errors import DataError
from jobs.sample import main as sample

MARKUP = "/a[/b]/[bold red]x[/]/[link=http://x]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("São Paulo [/b] 😀", "São Paulo [/b] 😀"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\0b\x7f\x9b", r"a\x00b\x7f\x9b"),
        ("a\r\nb\tc\u2028d\u202ee", r"a b c\u2028d\u202ee"),
        ("a\udcffb", r"a\udcffb"),
    ],
)
def test_a_character_without_a_printed_form_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(text).isprintable()
    printable(text).encode()


def test_an_error_is_one_printable_line_whatever_it_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise DataError(f"x.csv: found \x1b]0;owned\x07{MARKUP}\0\n{'column, ' * 5000}. Rename it")

    assert run_main("ingest", fail) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(rf"ingest: x.csv: found \x1b]0;owned\x07{MARKUP}\x00 column, ")
    assert line.endswith(". Rename it")
    assert len(line) < LONGEST_LINE + 20
    assert one_line("short") == "short"


def test_a_path_with_an_escape_sequence_is_refused_and_not_obeyed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert sample(["--output", str(tmp_path / "file" / "\x1b[2J")]) == 2
    shown = capsys.readouterr().err
    assert "found a control character, expected a local folder" in shown
    assert "\x1b" not in shown


def test_a_table_shows_brackets_and_control_characters_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    console.show_table(f"Run {MARKUP}", (MARKUP, "b"), [(f"{MARKUP}\x1b[2J", "[/b]")], notes=[f"at {MARKUP}\x1b[2J"])
    shown = capsys.readouterr().out
    assert shown.count(MARKUP) == 4
    assert shown.count(r"\x1b[2J") == 2
    assert "\x1b" not in shown


def test_bars_and_notes_on_a_terminal_read_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(
        console, "Console", lambda **_: Console(file=terminal, force_terminal=True, width=200, color_system=None)
    )
    with console.statement_bar(MARKUP, 1) as show:
        show(1, MARKUP)
    console.note(MARKUP)
    assert terminal.getvalue().count(MARKUP) >= 3


def test_a_number_has_its_noun() -> None:
    assert [counted(number, "day") for number in (0, 1, 2, 1000)] == ["0 days", "1 day", "2 days", "1,000 days"]
