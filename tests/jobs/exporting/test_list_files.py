"""The files of a list: cells that survive, files below a size, and the same bytes however the rows arrive."""

import csv
import io
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.audiences.audience import ExportedFile, ListFormat
from jobs.exporting import list_files as module
from jobs.exporting.cells import cells
from jobs.exporting.list_files import ParquetFile, list_files
from tests.frames import at

AWKWARD = [
    *(
        'say "hi"',
        "a, b",
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "'quoted",
        "''",
    ),
    *(
        "line\nbreak",
        "line\r\nbreak",
        "one\rreturn",
        "smile 😀",
        "schön",
        " blank ",
        ";",
        '"',
        "=cmd|' /C calc'!A0",
        "1,5",
    ),
]
TABLE, TEXT_OF = (f"{{urn:oasis:names:tc:opendocument:xmlns:{kind}:1.0}}" for kind in ("table", "text"))
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1)


def table(names: Sequence[str | None]) -> pa.Table:
    return pa.table(
        {
            "customer_unique_id": pa.array([f"c{number:04d}" for number in range(len(names))], pa.string()),
            "segment": pa.array(names, pa.string()),
        }
    )


def write(folder: Path, rows: Sequence[pa.Table], form: ListFormat = "csv") -> list[ExportedFile]:
    folder.mkdir()
    with list_files(folder, form, rows[0].schema) as files:
        for part in rows:
            files.write(part)
        return files.finish()


def as_read(cell: str) -> str:
    """What the page tells a reader to do."""
    return cell[1:] if cell.startswith("'") else cell


def by_python(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return [as_read(row["segment"]) for row in csv.DictReader(file)]


def by_duckdb(path: Path) -> list[str]:
    query = f"from read_csv('{path}', all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"')"
    return [as_read(row[1]) for row in duckdb.sql(query).fetchall()]


@pytest.mark.parametrize("read", [by_python, by_duckdb])
def test_awkward_names_survive_a_round_trip(tmp_path: Path, read: Any) -> None:
    [file] = write(tmp_path / "list", [table(AWKWARD)])
    assert read(tmp_path / "list" / file.name) == AWKWARD


@given(st.lists(TEXT, min_size=1))
def test_any_text_survives_and_no_cell_begins_a_formula(names: list[str]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(zip(cells(names, "csv", is_text=True), strict=True))
    read = [row[0] for row in csv.reader(io.StringIO(written.getvalue(), newline=""))]
    assert [as_read(cell) for cell in read] == names
    assert not any(cell[0] in "=+-@\t\r\n＝＋－＠" for cell in read)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_awkward_names_survive_a_spreadsheet_in_which_no_cell_is_a_formula(tmp_path: Path) -> None:
    [file] = write(tmp_path / "list", [table(AWKWARD)])
    subprocess.run(
        [
            *("soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "fods"),
            *("--infilter=CSV:44,34,76,1", "--outdir", str(tmp_path), str(tmp_path / "list" / file.name)),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    rows = [
        row.findall(f"{TABLE}table-cell") for row in ElementTree.parse(tmp_path / "list.fods").iter(f"{TABLE}table-row")
    ]
    assert not [cell for row in rows for cell in row if cell.get(f"{TABLE}formula")]
    # A spreadsheet has one kind of line break.
    assert [as_read(content(row[1])) for row in rows[1:]] == [
        name.replace("\r\n", "\n").replace("\r", "\n") for name in AWKWARD
    ]


def content(cell: ElementTree.Element) -> str:
    """The text of a cell in OpenDocument, in which a tab and some blanks are elements."""

    def text(node: ElementTree.Element) -> str:
        own = {f"{TEXT_OF}tab": "\t", f"{TEXT_OF}s": " " * int(node.get(f"{TEXT_OF}c", "1"))}.get(node.tag, "")
        return own + (node.text or "") + "".join(text(child) + (child.tail or "") for child in node)

    return "\n".join(map(text, cell.findall(f"{TEXT_OF}p")))


def test_text_alone_gets_an_apostrophe_and_braze_gets_none(tmp_path: Path) -> None:
    rows = pa.table(
        {
            "customer_unique_id": ["-id"],
            "segment_code": pa.array([None], pa.string()),
            "total_value": pa.array([Decimal("-1.5000")], pa.decimal128(18, 4)),
            "monetary": [-1e-7],
            "r_to_next": pa.array([None], pa.int32()),
            "as_of": [at("2018-10-17 23:59:59")],
        }
    )
    write(tmp_path / "csv", [rows])
    write(tmp_path / "braze", [rows], "braze")
    assert (tmp_path / "csv" / "list.csv").read_bytes() == (
        b"customer_unique_id,segment_code,total_value,monetary,r_to_next,as_of\r\n"
        b"'-id,,-1.5000,-1e-07,,2018-10-17 23:59:59\r\n"
    )
    assert (tmp_path / "braze" / "list.csv").read_bytes() == (
        b"external_id,segment_code,total_value,monetary,r_to_next,as_of\r\n"
        b"-id,(none),-1.5000,-1e-07,,2018-10-17T23:59:59\r\n"
    )


def test_numbers_and_times_are_the_text_that_python_makes_of_them(tmp_path: Path) -> None:
    times = [at("2018-10-17 23:59:59"), at("1969-07-20 20:17:40"), None]
    columns: dict[str, tuple[list[Any], pa.DataType]] = {
        "money": ([Decimal("-0.0001"), Decimal("99999999999999.9999"), Decimal("0.0000")], pa.decimal128(18, 4)),
        "whole": ([Decimal(7), Decimal(-7), None], pa.decimal128(18, 0)),
        "fine": ([Decimal("0.00000001"), Decimal("1.00000000"), None], pa.decimal128(18, 8)),
        "time": (times, pa.timestamp("us")),
        "instant": ([*times[:2], at("2018-10-17 23:59:59.250000")], pa.timestamp("us")),
        "zoned": ([None if time is None else time.replace(tzinfo=UTC) for time in times], pa.timestamp("us", "UTC")),
        "day": ([at("2018-10-17 00:00:00").date(), None, None], pa.date32()),
        "flag": ([True, False, None], pa.bool_()),
        "measure": ([1e-7, 123456789012345680.0, 0.1 + 0.2], pa.float64()),
    }
    rows = pa.table({name: pa.array(values, kind) for name, (values, kind) in columns.items()})
    for form, as_text in (("csv", str), ("braze", lambda value: getattr(value, "isoformat", lambda: str(value))())):
        write(tmp_path / form, [rows], cast("ListFormat", form))
        with (tmp_path / form / "list.csv").open(newline="") as file:
            written = list(zip(*list(csv.reader(file))[1:], strict=True))
        assert written == [
            tuple("" if value is None else as_text(value) for value in values) for values, _ in columns.values()
        ]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_text_of_any_type_of_arrow_is_made_harmless(tmp_path: Path, kind: pa.DataType) -> None:
    texts = pa.array(["=1+1", None, "'x", "fine"], pa.string())
    write(tmp_path / "list", [pa.table({"customer_unique_id": ["a", "b", "c", "d"], "segment": texts.cast(kind)})])
    with (tmp_path / "list" / "list.csv").open(newline="") as file:
        assert [row["segment"] for row in csv.DictReader(file)] == ["'=1+1", "", "''x", "fine"]


def test_a_file_ends_before_it_is_too_large_and_the_next_has_a_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A header of 25 bytes and rows of 9: three rows make it 52 bytes, and a fourth would make it 61.
    monkeypatch.setattr(module, "LARGEST_FILE", 61)
    rows = table(["n"] * 7).rename_columns(["customer_unique_id", "name"])
    files = write(tmp_path / "list", [rows])
    assert [(file.name, file.rows, file.size) for file in files] == [
        ("list-1-of-3.csv", 3, 52),
        ("list-2-of-3.csv", 3, 52),
        ("list-3-of-3.csv", 1, 34),
    ]
    parts = [(tmp_path / "list" / file.name).read_text().splitlines() for file in files]
    assert {part[0] for part in parts} == {"customer_unique_id,name"}
    assert [line for part in parts for line in part[1:]] == [f"c{number:04d},n" for number in range(7)]
    assert sorted(path.name for path in (tmp_path / "list").iterdir()) == [file.name for file in files]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_bytes_depend_on_the_rows_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: ListFormat) -> None:
    monkeypatch.setattr(module, "LARGEST_FILE", 100)
    monkeypatch.setattr(module, "ROWS_OF_A_GROUP", 4)
    rows = table([f"name {number}" for number in range(23)])
    at_once = write(tmp_path / "one", [rows], form)
    in_parts = write(tmp_path / "parts", [rows.slice(start, 3) for start in range(0, 23, 3)], form)
    assert at_once == in_parts
    if form == "parquet":
        file = pq.ParquetFile(tmp_path / "parts" / "list.parquet")
        assert [file.metadata.row_group(number).num_rows for number in range(6)] == [4, 4, 4, 4, 4, 3]
        assert file.read().equals(rows)


@pytest.mark.parametrize("form", ["csv", "braze", "parquet"])
def test_a_list_of_nobody_has_its_columns(tmp_path: Path, form: ListFormat) -> None:
    [file] = write(tmp_path / "list", [table([]).slice(0, 0)], form)
    assert file.rows == 0
    path = tmp_path / "list" / file.name
    columns = (
        duckdb.sql(f"describe from '{path}'").fetchall() if form == "parquet" else path.read_text().strip().split(",")
    )
    assert len(columns) == 2


def test_a_failing_list_leaves_no_file_open(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), list_files(tmp_path, "parquet", table([]).schema) as files:
        raise ZeroDivisionError
    assert isinstance(files, ParquetFile)
    assert not files._writer.is_open
