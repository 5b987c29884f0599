"""What --input names of a ledger: a file, a folder of files, or a table; found or refused before Spark starts."""

import gzip
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.contracts.ledger import ledger_contract
from jobs.errors import ConfigurationError, DataError, PipelineError
from jobs.inputs.catalogue import CatalogueTable
from jobs.inputs.input_files import NotOpened, RawInput
from jobs.inputs.ledger_files import find_ledger
from transforms.sources.counted import Counted
from transforms.sources.mapping import CsvForm, LedgerMapping

HEADER, ROW = b"who,at,amount\n", b"ann,2018-10-17 12:00:00,1.50\n"
CONTENT = HEADER + ROW
NAMES = {"customer_id_col": "who", "datetime_col": "at", "monetary_value_col": "amount", "currency": "EUR"}
# Two months up to the last of June begin on the first of May.
MAY_AND_JUNE = Counted(date(2018, 6, 30), window_months=2)


def find(uri: Path | str, counted: Counted | None = None, **changes: Any) -> RawInput:
    of = LedgerMapping(**{**NAMES, **changes})
    return find_ledger(str(uri), ledger_contract(of, None), of, counted)


def put(folder: Path, *names: str, content: bytes = CONTENT) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


def found(raw: RawInput) -> list[str]:
    return ["/".join(path) for path in raw.paths]


def refused(kind: type[PipelineError], uri: Path | str, counted: Counted | None = None, **changes: Any) -> str:
    with pytest.raises(kind) as error:
        find(uri, counted, **changes)
    message = str(error.value)
    assert message.isprintable()
    return message


@pytest.mark.parametrize("name", ["ledger.csv", "LEDGER.CSV.gz", "CDNOW_master.txt", "ledger", "a=b [1] %20.csv"])
def test_a_file_of_any_name_is_a_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    put(tmp_path, name, "other.csv")
    for uri in (tmp_path / name, (tmp_path / name).as_uri()) if "%" not in name else (tmp_path / name,):
        raw = find(uri)
        assert (raw.format, found(raw), raw.header) == ("csv", [name], ("who", "at", "amount"))
        assert raw.files[0].path.endswith(f"/{name}")
    monkeypatch.chdir(tmp_path)
    assert found(find(name)) == [name]


def test_a_folder_is_read_with_all_folders_in_it_but_for_what_is_hidden(tmp_path: Path) -> None:
    put(tmp_path, "b.csv", "a.csv.gz", "2018/q1/c.csv", "part-0", content=CONTENT)
    put(tmp_path, ".b.csv.crc", "_SUCCESS", "2018/_temporary/d.csv", ".git/e.csv", content=b"x")
    raw = find(tmp_path)
    assert found(raw) == ["2018/q1/c.csv", "a.csv.gz", "b.csv", "part-0"]
    entry = raw.as_json()
    assert {key: entry[key] for key in ("table", "format", "passed_over", "missing_columns", "ignored_columns")} == {
        "table": "ledger",
        "format": "csv",
        "passed_over": [".b.csv.crc", "_SUCCESS"],
        "missing_columns": [],
        "ignored_columns": [],
    }
    assert "not_opened" not in entry
    assert [Path(file["path"]).name for file in entry["files"]] == ["c.csv", "a.csv.gz", "b.csv", "part-0"]


def test_columns_are_found_by_their_names_in_the_file(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", content=b"note,amount,who,at,Who\nx,1,ann,2018-10-17,y\n")
    raw = find(tmp_path)
    assert raw.ignored_columns == ["note", "Who"]
    put(tmp_path, "a.csv", content=b"a:b,a.b,`,amount\n1,2,3,4\n")
    awkward = find(tmp_path, customer_id_col="a:b", datetime_col="a.b", status_col="`")
    assert (awkward.ignored_columns, awkward.header) == ([], ("a:b", "a.b", "`", "amount"))


GERMAN = "kunde;größe;am\n1;5,00;2018\n".encode("windows-1252")


@pytest.mark.parametrize(
    ("content", "form", "header"),
    [
        (b"who;at;amount\n1;2;3\n", CsvForm(";"), ("who", "at", "amount")),
        (b'who|"at"|amount\n1|2|3\n', CsvForm("|"), ("who", "at", "amount")),
        (b"\xef\xbb\xbfwho\tat\tamount\r\n1\t2\t3\r\n", CsvForm("tab"), ("who", "at", "amount")),
        (b"  who \t at   amount \n1 2 3\n", CsvForm("whitespace"), ("who", "at", "amount")),
        (b"\n;;;\nwho;at;amount\n1;2;3\n", CsvForm(";"), ("who", "at", "amount")),
        (b"1,2,3\n", CsvForm(header=("who", "at", "amount")), ("who", "at", "amount")),
        (b"\xef\xbb\xbf\n1 2 3\n", CsvForm("whitespace", header=("who", "at", "amount")), ("who", "at", "amount")),
    ],
)
def test_a_header_is_read_in_the_form_that_the_mapping_says(
    tmp_path: Path, content: bytes, form: CsvForm, header: tuple[str, ...]
) -> None:
    put(tmp_path, "ledger.csv", content=content)
    raw = find(tmp_path, csv=form)
    assert (raw.header, raw.layout.header, raw.layout.separator) == (header, header, form.separator)
    # A file without a header line has no line that repeats it.
    assert bool(raw.csv[0].header_line) == (form.header is None)


def test_a_header_is_read_in_the_encoding_of_the_file(tmp_path: Path) -> None:
    put(tmp_path, "ledger.csv", content=GERMAN)
    names = {"customer_id_col": "kunde", "datetime_col": "am", "monetary_value_col": "größe"}
    raw = find(tmp_path, **names, csv=CsvForm(";", encoding="windows-1252"))
    assert raw.header == ("kunde", "größe", "am")
    assert refused(DataError, tmp_path / "ledger.csv", **names, csv=CsvForm(";")) == (
        "ledger.csv: no column 'größe' (found: kunde, gr\ufffd\ufffde, am). Correct the mapping, or the file"
    )


@pytest.mark.parametrize(
    ("content", "form", "message"),
    [
        (b"who,at\n1,2\n", CsvForm(), "no column 'amount' (found: who, at). Correct the mapping, or the file"),
        (
            b"who;at;amount\n1;2;3\n",
            CsvForm(),
            "columns separated by semicolons, expected what the mapping says by csv: delimiter. Correct it",
        ),
        (
            CONTENT,
            CsvForm(";"),
            "columns separated by commas, expected what the mapping says by csv: delimiter. Correct it",
        ),
        (b"", CsvForm(), "empty, expected a header line and rows. Check how the file was exported"),
        (
            b"\n",
            CsvForm(header=("who", "at", "amount")),
            "empty, expected a header line and rows. Check how the file was exported",
        ),
        (HEADER, CsvForm(), "a header and no rows, expected at least one. Check how the file was exported"),
        (
            b"who;at;amount\n;;\n",
            CsvForm(";"),
            "a header and no rows, expected at least one. Check how the file was exported",
        ),
        (
            b"who,at,amount,who\n1,2,3,4\n",
            CsvForm(),
            "column who is in the header more than once, expected once. Remove the others",
        ),
        (b"PAR1\0\0", CsvForm(), "found a Parquet file, expected CSV. Name it .parquet"),
    ],
)
def test_a_file_that_does_not_fit_the_mapping_is_refused(
    tmp_path: Path, content: bytes, form: CsvForm, message: str
) -> None:
    put(tmp_path, "ledger.csv", content=content)
    assert refused(DataError, tmp_path / "ledger.csv", csv=form).startswith(f"ledger.csv: {message}")


def test_a_place_with_nothing_to_read_is_refused(tmp_path: Path) -> None:
    nothing = tmp_path / "no such.csv"
    expected = "found nothing, expected a file, a folder or table:NAME. Check it"
    assert refused(ConfigurationError, nothing) == f"--input {nothing}: {expected}"
    assert refused(ConfigurationError, nothing / "below") == f"--input {nothing}/below: {expected}"
    (tmp_path / "empty").mkdir()
    put(tmp_path, "empty/_SUCCESS", "empty/.hidden.csv")
    assert refused(DataError, tmp_path / "empty") == (
        f"--input {tmp_path}/empty: a folder without files, expected some of CSV or Parquet. Check the export"
    )


def test_files_of_two_forms_or_with_other_headers_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "mixed/a.csv", "mixed/b/c.PARQUET")
    assert refused(ConfigurationError, tmp_path / "mixed") == (
        "a.csv: found parts of CSV and of Parquet, expected one form. Remove the other"
    )
    put(tmp_path, "other/a.csv")
    put(tmp_path, "other/b.csv", content=b"at,who,amount\n1,2,3\n")
    assert refused(DataError, tmp_path / "other") == (
        "b.csv: found the header at, who, amount, expected that of a.csv: who, at, amount. "
        "Export all part files alike, each with its header"
    )
    put(tmp_path, "colon/a:b.csv")
    assert refused(ConfigurationError, tmp_path / "colon") == (
        "a:b.csv: its name has a colon, which Hadoop takes for the end of a scheme. Rename it"
    )


@pytest.mark.parametrize("name", ["_ledger.csv", ".ledger.csv"])
def test_a_file_that_spark_would_pass_over_is_refused_if_it_is_named(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)
    assert refused(ConfigurationError, tmp_path / name) == (
        f"{name}: its name begins with a dot or an underscore, and Spark passes over such files. Rename it"
    )


def days(folder: Path, *values: str) -> None:
    put(folder, *[f"day={value}/part.csv" for value in values])


def test_files_of_days_before_the_window_are_not_opened_and_counted(tmp_path: Path) -> None:
    # Two days before the first are read: a day may be that of another time zone, up to 26 hours apart.
    days(tmp_path, "2018-05-01", "20180430", "20180429", "2018-06-30", "2019-01-01", "__HIVE_DEFAULT_PARTITION__")
    put(tmp_path, "day=2018-04-28/a.csv", "day=2018-04-28/b.csv", "day=2017-12-31/a.csv", content=b"not opened")
    raw = find(tmp_path, MAY_AND_JUNE, partitioned_by="day")
    assert found(raw) == [
        f"day={day}/part.csv"
        for day in ("2018-05-01", "2018-06-30", "20180429", "20180430", "2019-01-01", "__HIVE_DEFAULT_PARTITION__")
    ]
    assert raw.not_opened == NotOpened("day", date(2018, 4, 29), 3)
    assert raw.as_json()["not_opened"] == {"partition": "day", "before": "2018-04-29", "files": 3}


def test_without_a_window_or_a_partition_every_file_is_read(tmp_path: Path) -> None:
    days(tmp_path, "2001-01-01", "2018-06-01")
    for counted, changes in [
        (None, {"partitioned_by": "day"}),
        (Counted(date(2018, 6, 30)), {"partitioned_by": "day"}),
        (MAY_AND_JUNE, {}),
    ]:
        raw = find(tmp_path, counted, **changes)
        assert (len(raw.paths), raw.not_opened) == (2, None)


def test_a_window_that_begins_with_the_calendar_reads_every_file(tmp_path: Path) -> None:
    days(tmp_path, "0001-01-01", "2018-06-01")
    # The windows begin on 0001-01-01, 0001-01-02 and 0001-01-03. Two days before the last is the first day there is.
    for as_of, months in [(date(2018, 6, 30), 99_999), (date(2018, 1, 1), 12 * 2017), (date(2018, 1, 2), 12 * 2017)]:
        assert len(find(tmp_path, Counted(as_of, window_months=months), partitioned_by="day").paths) == 2


def test_the_innermost_folder_of_the_partition_has_the_day(tmp_path: Path) -> None:
    put(tmp_path, "region=eu/day=2018-06-01/hour=3/a.csv", "day=x/region=eu/day=2018-06-02/a.csv")
    put(tmp_path, "day=2018-06-01/day=2018-01-01/a.csv", content=b"not opened")
    raw = find(tmp_path, MAY_AND_JUNE, partitioned_by="day")
    assert (len(raw.paths), raw.not_opened) == (2, NotOpened("day", date(2018, 4, 29), 1))


@pytest.mark.parametrize("value", ["2018-13-01", "2018-6-1", "june", "", "2018-06-01x", "201806", "2018-0601 "])
def test_a_partition_that_is_no_day_is_refused_whatever_counts(tmp_path: Path, value: str) -> None:
    days(tmp_path, "2018-06-01", value)
    for counted in (None, MAY_AND_JUNE):
        assert refused(ConfigurationError, tmp_path, counted, partitioned_by="day") == (
            f"--input {tmp_path}: found day={value}, expected a day such as day=2018-10-17. Correct partitioned_by in "
            "the mapping"
        )


def test_a_file_outside_of_the_partition_is_refused(tmp_path: Path) -> None:
    days(tmp_path, "2018-06-01")
    put(tmp_path, "part.csv")
    assert refused(ConfigurationError, tmp_path, partitioned_by="day") == (
        f"--input {tmp_path}: found part.csv, expected files in folders day=2018-10-17, as the mapping says by "
        "partitioned_by. Correct the mapping, or --input"
    )
    assert "found day=2018-06-01/part.csv, expected files in folders date=" in refused(
        ConfigurationError, tmp_path / ".", partitioned_by="date"
    )


def test_a_ledger_that_ends_before_the_window_is_refused(tmp_path: Path) -> None:
    days(tmp_path, "2018-04-28", "2018-01-01")
    assert refused(DataError, tmp_path, MAY_AND_JUNE, partitioned_by="day") == (
        f"--input {tmp_path}: found 2 files, all of days before 2018-04-29, expected some of the window. "
        "Check --as-of and --window-months"
    )


def test_a_table_is_read_from_two_days_before_the_window_on() -> None:
    whole = find("table:bank.ledger", MAY_AND_JUNE)
    assert (whole.format, whole.table, whole.not_opened) == ("table", CatalogueTable("bank.ledger"), None)
    assert (whole.files, whole.ignored_columns, whole.missing_columns) == ((), [], [])
    by_day = find("table:bank.ledger", MAY_AND_JUNE, partitioned_by="day")
    first = date(2018, 4, 29)
    assert by_day.table == CatalogueTable("bank.ledger", partition="day", first_day=first)
    # The catalogue finds the files, so that nobody counts them.
    assert by_day.as_json()["not_opened"] == {"partition": "day", "before": "2018-04-29", "files": None}
    assert by_day.as_json()["catalogue_table"] == {"name": "bank.ledger", "snapshot": None}
    assert find("table:bank.ledger", None, partitioned_by="day").not_opened is None
    with pytest.raises(TypeError, match="ledger is read from a table, expected files"):
        _ = by_day.place
