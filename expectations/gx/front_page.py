"""The front page of Data Docs: what failed and how often, before Great Expectations lists its suites."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

TEMPLATES = PackageLoader("expectations.gx", "pages")
"""Of Data Docs. On Glue and EMR the code is imported from a zip, so they are no files there."""

MARKER = "<!-- what failed -->"
"""Where `pages/page.j2` leaves room for it on the page that lists the suites."""


@dataclass(frozen=True)
class CheckedTable:
    """A table, and what became of its rows.

    Attributes:
        name: the table's.
        rows: all of them.
        quarantined: those that were quarantined.
        rules: the number of its rules.
    """

    name: str
    rows: int
    quarantined: int
    rules: int


@dataclass(frozen=True)
class FailedRule:
    """A rule that failed.

    Attributes:
        table: its table.
        rule: its label.
        severity: what its failure costs.
        expected: what it expects.
        found: how often it failed, or the value that the whole table has.
    """

    table: str
    rule: str
    severity: str
    expected: str
    found: str


@dataclass(frozen=True)
class FrontPage:
    """What the front page tells.

    Attributes:
        run_id: the run.
        stopped_by: why the run was stopped; empty where it went on.
        tables: all that were checked.
        failed: the rules that failed, by what they cost.
    """

    run_id: str
    stopped_by: Sequence[str]
    tables: Sequence[CheckedTable]
    failed: Sequence[FailedRule]

    def write_into(self, index: Path) -> None:
        """Write it into the page that lists the suites."""
        templates = Environment(loader=TEMPLATES, autoescape=True, undefined=StrictUndefined)
        content = templates.get_template("front_page.j2").render(page=self)
        index.write_text(index.read_text(encoding="utf-8").replace(MARKER, content, 1), encoding="utf-8")
