"""What a person sees of a run: a bar per step while it works, a table when it is complete."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from py4j.protocol import Py4JError
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from jobs.cli.printable import printable

if TYPE_CHECKING:  # commands without Spark start in half the time without it
    from pyspark.sql import SparkSession

SECONDS_BETWEEN_LOOKS = 0.2


@contextmanager
def step_bar(session: "SparkSession", step: str) -> Iterator[None]:
    """Show the progress of a step on a terminal; nothing elsewhere.

    Spark knows the tasks of the stages that it has started, not of those to come. So the bar fills once per stage.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with _progress(console) as progress:
        task = progress.add_task(step, total=None, doing="")
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(session, progress, task, done), daemon=True)
        watcher.start()
        try:
            yield
            progress.update(task, total=1, completed=1, doing="done")
        finally:
            done.set()
            watcher.join()


def _progress(console: Console) -> Progress:
    """A bar with what it is for, and what is being done. Both are text, not markup."""
    title = TextColumn("{task.description:<12}", markup=False)
    doing = TextColumn("{task.fields[doing]}", markup=False)
    return Progress(SpinnerColumn(), title, BarColumn(), doing, TimeElapsedColumn(), console=console)


def _watch(session: "SparkSession", progress: Progress, task: TaskID, done: threading.Event) -> None:
    tracker = session.sparkContext.statusTracker()
    while not done.wait(SECONDS_BETWEEN_LOOKS):
        try:
            stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        except (Py4JError, ConnectionError):  # the step itself reports what happened to Spark
            return
        running = [stage for stage in stages if stage is not None]
        if running:
            finished, tasks = sum(s.numCompletedTasks for s in running), sum(s.numTasks for s in running)
            progress.update(task, total=tasks, completed=finished, doing=f"{finished}/{tasks} tasks")


@contextmanager
def statement_bar(title: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """Show the progress of a warehouse through its statements on a terminal; nothing elsewhere.

    Yields:
        A function that takes the number of finished statements and the name of the current one.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda *_: None
        return
    with _progress(console) as progress:
        task = progress.add_task(title, total=total, doing="")
        yield lambda done, doing: progress.update(task, completed=done, doing=doing)


def note(text: str) -> None:
    """Print a note about something that takes a while on a terminal; nothing elsewhere."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        console.print(printable(text), markup=False)


def say(text: str) -> None:
    """Print a line for the person who started the program."""
    Console(highlight=False, soft_wrap=True).print(printable(text), markup=False)


def show_table(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    notes: Sequence[str] = (),
    text_columns: int = 1,
) -> None:
    """Print a table and notes below it. The first ``text_columns`` columns are text, the others figures.

    On a narrow terminal text is wrapped, and no figure is cut.

    What is shown may come from outside, so nothing is read as markup, and control characters are escaped.
    """
    table = Table(title=_as_it_is(title), title_justify="left", title_style="")
    for position, name in enumerate(header):
        table.add_column(
            _as_it_is(name), justify="left" if position < text_columns else "right", no_wrap=position >= text_columns
        )
    for row in rows:
        table.add_row(*map(_as_it_is, row))
    # A pipe has no width, and no figure may be cut: there the table is as wide as its content.
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(highlight=False, soft_wrap=True, width=200)
    console.print(table)
    for note in notes:
        console.print(printable(note), markup=False)


def _as_it_is(text: str) -> Text:
    return Text(printable(text))
