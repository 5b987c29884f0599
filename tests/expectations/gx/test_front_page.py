"""The templates of pages are found where the code is imported from a zip, as on Glue and EMR."""

import subprocess
import sys
import zipfile
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent.parent

WRITES_BOTH = """
from pathlib import Path
from jinja2 import Environment, PackageLoader
from expectations.gx.front_page import MARKER, FrontPage

index = Path("index.html")
index.write_text(f"<main>{MARKER}</main>")
FrontPage("a-run", ["too few rows"], [], []).write_into(index)
Environment(loader=PackageLoader("jobs.reports", "pages")).get_template("report.html.j2")
"""


def test_pages_are_written_by_code_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as code:
        for package in ("expectations", "jobs", "transforms"):
            for path in (PROJECT / package).rglob("*"):
                if path.suffix in (".py", ".j2", ".css", ".js"):
                    code.write(path, path.relative_to(PROJECT))
    subprocess.run(
        [sys.executable, "-c", WRITES_BOTH], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "code.zip")}, check=True
    )
    assert "The run was stopped: too few rows" in (tmp_path / "index.html").read_text()
