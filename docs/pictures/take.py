"""Take the picture of the README: the top of the current run's report.

    python -m docs.pictures.take OUTPUT

The picture in the repository is that of the sample that ``make run-local`` draws.
"""

import sys
from pathlib import Path

from jobs.reports.making import REPORT
from jobs.storage.store import RunStore
from tests.jobs.reports.chromium import chromium

PICTURE = Path(__file__).parent / "report.png"
SIZE = {"width": 1200, "height": 1130}


def main(output: str) -> None:
    """Take the picture of the current run below an output folder."""
    run_id = RunStore(output).find_manifest(None, missing="no report", advice="Run make run-local first").run_id
    report = (Path(output) / "runs" / run_id / REPORT).absolute()
    with chromium() as browser:
        tab = browser.new_page(viewport=SIZE, locale="en-GB")
        tab.goto(report.as_uri())
        tab.wait_for_function("document.documentElement.dataset.drawn")
        tab.screenshot(path=PICTURE)


if __name__ == "__main__":
    main(*sys.argv[1:])
