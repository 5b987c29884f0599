"""How far a backfill has come: the runs that it has made, how to go on after an end in the middle, and the summary."""

from dataclasses import dataclass, field
from datetime import date

from jobs.backfilling.config import BackfillConfig
from jobs.cli import console, interruptions
from jobs.cli.printable import counted
from jobs.cli.schedule import listed
from jobs.history.changed import SegmentChanges
from jobs.runs.totals import Total
from jobs.storage.store import MANIFEST, RunStore

HEADER = ("as of", "run", "state", "customers", "revenue", "moved", "drift", "seconds")


@dataclass(frozen=True)
class MadeRun:
    """A run that a backfill has made.

    Attributes:
        day: its as-of date.
        run_id: the run.
        total: its customers, and what they spent.
        changes: of the segments since the run before; None without one.
        is_current: whether it became the current run.
        seconds: that it took, with its report.
    """

    day: date
    run_id: str
    total: Total
    changes: SegmentChanges | None
    is_current: bool
    seconds: float

    @property
    def state(self) -> str:
        """What it is to readers."""
        return "became current" if self.is_current else "complete"

    def as_line(self) -> str:
        """What is told of it at once."""
        return f"{self.day}: run {self.run_id}, {self.total.rows:,} customers, {self.seconds:.1f} s, {self.state}"

    def as_row(self) -> tuple[str, ...]:
        """Its row in the summary."""
        revenue = "" if self.total.money is None else f"{self.total.money:,.2f}"
        changes = self.changes
        moved = ("", "") if changes is None else (f"{changes.customers['moved']:,}", f"{changes.stability_index:.4f}")
        return (f"{self.day}", self.run_id, self.state, f"{self.total.rows:,}", revenue, *moved, f"{self.seconds:.1f}")


@dataclass
class Progress:
    """What a backfill has made so far.

    Attributes:
        config: of the backfill.
        checked_run: the run whose tables are read; None until there is one.
        begun: the run that was begun last, complete or not.
        made: the runs that are complete.
    """

    config: BackfillConfig
    checked_run: str | None = None
    begun: str | None = None
    made: list[MadeRun] = field(default_factory=list)

    def announce(self, *, current: str | None) -> None:
        """Print the days, and the run that is current before any of them.

        Args:
            current: the current run; None for none.
        """
        days, every = self._days, self.config.schedule.every
        console.say(f"{counted(len(days), 'day')}, one every {every}: {', '.join(map(str, days))}")
        if not self.config.run.becomes_current:
            console.say("None of their runs becomes the current run (--becomes-current no)")
        elif current is not None and current[:10] > f"{days[0]}":
            console.say(f"The current run is {current}. Runs as of days before it do not become current")

    def with_advice(self, text: str) -> str:
        """What ended the work, and how to continue it."""
        advice = self.how_to_continue()
        return f"{text.rstrip('.')}. {advice}" if advice else text

    def state(self) -> str:
        """What is true of readers. Runs of this backfill may be current by now, so not all is as it was."""
        state = interruptions.state()
        if state != interruptions.UNCHANGED or not self.made or self._complete == len(self._days):
            return state
        return f"the run as of {self._days[self._complete]} is not complete"

    def how_to_continue(self) -> str:
        """Which days have complete runs, and the command that makes the others; empty where nothing was made."""
        if self.checked_run is None:
            return ""
        if self._complete == len(self._days):
            return f"All {counted(self._complete, 'day')} have complete runs"
        state = f"Complete: {listed(self._days[: self._complete])}" if self._complete else "No day is complete"
        command = self.config.command_from(self._days[self._complete], checked_run=self.checked_run)
        return f"{state}. Continue with: {command}"

    @property
    def _days(self) -> tuple[date, ...]:
        return self.config.schedule.days

    @property
    def _complete(self) -> int:
        """The days with complete runs. A signal may have ended the work of a run that is complete."""
        days = len(self.made)
        if self.begun is None or self.begun in [run.run_id for run in self.made]:
            return days
        return days + RunStore(self.config.run.output).contains(self.begun, MANIFEST)

    def show(self) -> None:
        """Print a row for each run, and what can be done with them."""
        if not self.made:
            return
        output, newest = self.config.run.output, self.made[-1]
        others = sum(not run.is_current for run in self.made)
        notes = [
            "moved: customers whose segment changed since the run before; drift: population stability index since then",
            f"checked tables: run {self.checked_run}, which all these runs need",
        ]
        if others and self.config.run.becomes_current:
            notes.append(f"{counted(others, 'day')} before the current run's: complete, and current.json was not moved")
        elif others:
            notes.append("current.json was not moved (--becomes-current no)")
        notes += [
            "nothing was loaded or registered. To load a run:",
            f"  python -m jobs.publish --output {output} --run {newest.run_id} --warehouse duckdb:FILE",
            f"report of the last: {RunStore(output).display_path(newest.run_id, 'report.html')}",
        ]
        title = f"Backfill of {counted(len(self.made), 'day')}"
        console.show_table(title, HEADER, [run.as_row() for run in self.made], notes=notes, text_columns=3)
