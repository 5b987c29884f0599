"""Whatever comes in, a run ends with 0 or 3, and every row of it is in exactly one place."""

import json
import os
import re
import shutil
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.ingest import main
from tests.log_lines import without_logs
from tests.malformed import COLUMNS, FILES, KINDS, MalformedFiles, malformed_inputs
from tests.manifests import totals_by_name

pytestmark = pytest.mark.usefixtures("spark")

POINTER = '{"run_id": "2018-01-01-before"}\n'
RUN = "2018-12-31-spoiled"
WARNING = ("payment_type", "order_purchase_timestamp, order_delivered_customer_date")
"""What the rules that only warn are about."""

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.")
"""How a time is written out here: with its fractions, none or not."""

Record = tuple[str | None, ...]


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """The rows of a table on disk, read without Spark; times and figures as a file would have them."""
    rows = []
    for file in sorted(folder.glob("*.parquet")):
        table = pq.ParquetFile(file, coerce_int96_timestamp_unit="us").read()
        for place, column in enumerate(table.schema):
            if pa.types.is_timestamp(column.type):
                table = table.set_column(place, column.name, table[column.name].cast(pa.string()))
        rows += table.to_pylist()
    return rows


def record_of(row: dict[str, Any], table: str) -> Record:
    """The text of an accepted or a quarantined row, column by column."""
    values = list(row.values())[: COLUMNS[table]]
    return tuple(None if value is None else as_text(value) for value in values)


def as_text(value: Any) -> str:
    text = str(value)
    if TIME.match(text):
        return text.rstrip("0").rstrip(".")
    return text if isinstance(value, str | int) else text.rstrip("0").rstrip(".")


def without_leading_zeros(record: Record) -> Record:
    """A record for comparing: an accepted number is a value, which has none, whatever stood in the file."""
    return tuple(text and re.sub(r"^0+(?=\d)", "", text) for text in record)


def in_one_place(
    spoiled: MalformedFiles, table: str, accepted: list[dict[str, Any]], quarantined: list[dict[str, Any]]
) -> None:
    """See that no line of a file is in both places, and none that is still whole in neither."""
    for mark, times in spoiled.marks(table).items():
        taken = sum(any(mark in (text or "") for text in record_of(row, table)) for row in accepted)
        rejected = sum(mark in str(row) for row in quarantined)
        # A line that stands there twice is in both places when it is a copy; what is inside the quotes of another
        # line is where that is.
        assert 1 <= taken + rejected <= times, f"{table}: {mark}: {taken} accepted, {rejected} quarantined"
    if spoiled.are_records_plain:
        records = Counter(without_leading_zeros(record_of(row, table)) for row in [*accepted, *quarantined])
        assert records == Counter(map(without_leading_zeros, spoiled.records(table))), table


def check_tables(spoiled: MalformedFiles, share: float, run: Path, code: int) -> None:
    """See what a run left behind, by its files alone."""
    quality = json.loads((run / "quality.json").read_text())
    assert (run / "quality" / "data_docs" / "index.html").is_file()
    over_budget = False
    for table in FILES:
        accepted, quarantined = rows_of(run / table), rows_of(run / "quarantine" / table)
        rows_in, figures = len(accepted) + len(quarantined), quality["tables"][table]
        assert (figures["rows"], figures["quarantined"]) == (rows_in, len(quarantined)), table
        assert all(row["reasons"] for row in quarantined), table
        grave = [
            [reason["rule"] for reason in row["reasons"] if reason["column"] not in WARNING] for row in quarantined
        ]
        cascaded = sum(set(rules) == {"follows"} for rules in grave)
        assert figures["cascaded"] == cascaded, table
        over_budget |= len(quarantined) - cascaded > share * rows_in
        in_one_place(spoiled, table, accepted, quarantined)
        if code == 0:
            totals = totals_by_name(json.loads((run / "manifest.json").read_text()))
            rows = [totals[name]["rows"] for name in (f"{table} read", table, f"quarantine/{table}")]
            assert rows == [rows_in, len(accepted), len(quarantined)]
    assert code == (3 if over_budget else 0)


def check_run(spoiled: MalformedFiles, share: float, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Run the job over spoiled files, and see how it ends and what it leaves behind."""
    output = folder / "output"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    (output / "current.json").write_text(POINTER)
    spoiled.write(folder / "input")
    capfd.readouterr()
    where = ["--input", str(folder / "input"), "--output", str(output), "--run-id", RUN]
    code = main(["--as-of", "2018-12-31", "--max-quarantined", str(share), *where])
    shown = without_logs(capfd.readouterr().err)
    assert code in (0, 3), shown
    assert len(shown) == (0 if code == 0 else 1), shown
    assert (output / "current.json").read_text() == POINTER
    assert (output / "runs" / RUN / "manifest.json").exists() == (code == 0)
    if code == 0 or spoiled.is_readable():
        check_tables(spoiled, share, output / "runs" / RUN, code)


def check_many(count: int, seed: int, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Do so for so many inputs, drawn from a seed. A failure names the seed and the input."""
    random = Random(seed)
    seen: set[str] = set()
    for number, spoiled in enumerate(malformed_inputs(random, count)):
        share = random.choice([0.01, 1])
        try:
            check_run(spoiled, share, folder, capfd)
        except BaseException as error:
            error.add_note(f"seed {seed}, input {number}, budget {share}: {spoiled.corruptions}")
            raise
        seen |= {kind for kind, _ in spoiled.corruptions}
    assert seen == set(KINDS)


@pytest.mark.timeout(600)
def test_every_row_of_8_malformed_inputs_is_accounted_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    check_many(8, 1, tmp_path, capfd)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_row_of_24_more_malformed_inputs_is_accounted_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    check_many(24, 2, tmp_path, capfd)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("great_expectations")
def test_every_row_of_8_more_malformed_inputs_is_accounted_for_with_great_expectations(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    check_many(8, 3, tmp_path, capfd)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.usefixtures("great_expectations")
def test_every_row_of_300_malformed_inputs_is_accounted_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    check_many(300, int(os.environ["SOAK_SEED"]), tmp_path, capfd)
