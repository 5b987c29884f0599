"""What lies in an input folder is read, or refused by its name and with advice, before Spark starts."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from expectations.contracts.contract import FileContract
from expectations.contracts.olist import FILE_CONTRACTS
from expectations.contracts.overrides import with_overrides
from jobs.errors import PipelineError
from jobs.inputs.input_files import RawInput, find_inputs, inputs_of
from tests.raw_files import RawFiles


def payments_of(raw: RawFiles, rules: str | None = None) -> RawInput:
    contracts = {contract.table: contract for contract in FILE_CONTRACTS}
    changed = with_overrides(contracts=contracts, text=rules, name="rules.yml") if rules else contracts
    payments = changed["payments"]
    assert isinstance(payments, FileContract)
    return find_inputs(str(raw.folder), [payments])[0]


def in_parts(raw: RawFiles, **parts: bytes) -> None:
    """Put part files in place of the payments file. Two underscores in a name stand for a folder, one for a dash."""
    raw.write()
    raw.payments_file.unlink()
    for name, content in parts.items():
        path = raw.payments_file / name.replace("__", "/").replace("DOT", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


ROW = b'"f1584b995a4770986ad75bb8d29e9734",1,boleto,1,10.00\n'
HEADER = b"order_id,payment_sequential,payment_type,payment_installments,payment_value\n"


def test_part_files_of_any_usual_name_are_read_and_markers_are_listed(raw: RawFiles) -> None:
    parts = {"part0DOTcsv": HEADER + ROW, "0001_part_00": HEADER + ROW, "PARTDOTCSV": HEADER, "more__partDOTcsv": b""}
    packed = {"0002DOTgz": gzip.compress(HEADER + ROW), "oddDOTcsv": gzip.compress(HEADER + ROW)}
    in_parts(raw, **parts, **packed, _SUCCESS=b"", DOTpartDOTcsvDOTcrc=b"x", more___tempDOTcsv=ROW)
    source = payments_of(raw)
    assert ["/".join(path[1:]) for path in source.paths] == [
        *("0001_part_00", "0002.gz", "PART.CSV", "more/part.csv", "odd.csv", "part0.csv")
    ]
    assert sorted(source.as_json()["passed_over"]) == [
        f"{raw.payments_file.name}/{name}" for name in (".part.csv.crc", "_SUCCESS", "more/_temp.csv")
    ]
    assert [file.is_named_as_packed for file in source.csv] == [True, True, True, True, False, True]
    assert source.format == "csv"


@pytest.mark.parametrize("name", ["notes.txt", "part-0.csv.bz2", "part-0.json", "part-0.csv.tmp"])
def test_a_part_of_another_form_is_refused_by_its_name(raw: RawFiles, name: str) -> None:
    in_parts(raw, a=HEADER + ROW, **{name.replace(".", "DOT"): HEADER + ROW})
    with pytest.raises(PipelineError, match=f"{name}: in no form that is read, expected names that end in") as error:
        payments_of(raw)
    assert error.value.exit_code == 2


def test_parts_of_two_forms_are_refused(raw: RawFiles) -> None:
    in_parts(raw, a=HEADER + ROW, bDOTparquet=b"PAR1")
    with pytest.raises(PipelineError, match="found parts of CSV and of Parquet, expected one"):
        payments_of(raw)


def test_the_parts_of_a_file_that_was_cut_without_headers_are_refused(raw: RawFiles) -> None:
    in_parts(raw, a=HEADER + ROW, b=ROW)
    with pytest.raises(PipelineError, match=r"expected that of a: .*Export all part files alike, each with its header"):
        payments_of(raw)


def test_a_table_may_be_a_folder_or_file_in_upper_case_and_is_refused_if_it_is_there_twice(raw: RawFiles) -> None:
    raw.write()
    raw.payments_file.rename(raw.folder / "OLIST_ORDER_PAYMENTS_DATASET.CSV")
    assert payments_of(raw).files[0].path.endswith("OLIST_ORDER_PAYMENTS_DATASET.CSV")
    (raw.folder / "olist_order_payments_dataset").mkdir()
    with pytest.raises(
        PipelineError, match=r"found OLIST_ORDER_PAYMENTS_DATASET.CSV and olist_order_payments_dataset,"
    ):
        payments_of(raw)


def zipped(path: Path) -> bytes:
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        archive.write(path)
    return path.with_suffix(".zip").read_bytes()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:abab\nsize 5777138\n"
LOOKS: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "zip": (zipped, "found a ZIP archive (or an Excel workbook), expected CSV. Unpack it"),
    "utf-16": (lambda path: path.read_text().encode("utf-16"), "found UTF-16 text, which Excel calls Unicode text"),
    "utf-16 without a mark": (lambda path: path.read_text().encode("utf-16-be"), "found NUL bytes in the header"),
    "git lfs": (lambda _: LFS, "found a Git LFS pointer and not the data itself, expected CSV. Run git lfs pull"),
    "json": (lambda _: b'[{"order_id": 1}]', "found JSON, expected CSV with a header line"),
    "json lines": (lambda _: b' {"order_id": 1}\n{}', "found JSON, expected CSV with a header line"),
    "html": (lambda _: b"\n<!DOCTYPE html><html>", "found HTML or XML, expected CSV. It may be an error page"),
    "parquet": (lambda _: b"PAR1\0\0", "found a Parquet file, expected CSV. Name it .parquet"),
    "semicolons": (lambda path: path.read_bytes().replace(b",", b";"), "separated by semicolons, expected commas"),
    "tabs": (lambda path: path.read_bytes().replace(b",", b"\t"), "separated by tabs, expected commas"),
    "zip in gzip": (lambda path: gzip.compress(zipped(path)), "found a ZIP archive"),
    "cut gzip": (lambda path: gzip.compress(path.read_bytes())[:30], "the gzip data is cut off before its end"),
    "binary": (lambda _: bytes(range(256)) * 40, "found NUL bytes in the header"),
    "one long line": (lambda _: b"x" * 2_000_000, "no line end in the first 1,000,000 bytes, expected a header line"),
    "terminal codes": (lambda _: b"\x1b[2J\x07,b\n1,2\n", r"(found: \x1b[2J\x07, b)"),
    "many columns": (lambda _: b",".join(b"c%d" % n for n in range(5000)) + b"\n1\n", "c0, c1, c2, c3, "),
    "open quote": (lambda _: b'order_id,"payment_value\n1,2\n', "a quote in the header stays open"),
}


@pytest.mark.parametrize("what", LOOKS)
def test_a_file_that_is_no_csv_is_told_what_it_looks_like_in_one_printable_line(raw: RawFiles, what: str) -> None:
    content, says = LOOKS[what]
    raw.write()
    raw.payments_file.write_bytes(content(raw.payments_file))
    with pytest.raises(PipelineError) as error:
        payments_of(raw)
    line = str(error.value)
    assert says in line
    assert line.isprintable()
    assert len(line) < 500


def test_a_gigabyte_in_the_first_row_of_a_small_archive_is_not_unpacked_to_be_found(raw: RawFiles) -> None:
    raw.write()
    megabyte = b"x" * 1_000_000
    packed = raw.payments_file.with_suffix(".csv.gz")
    raw.payments_file.unlink()
    with gzip.open(packed, "wb", compresslevel=1) as file:
        file.write(HEADER)
        for _ in range(100):
            file.write(megabyte)
    assert payments_of(raw).csv[0].has_rows


MISSING = "payments: {columns: {payment_sequential: {may_be_missing: true}, payment_type: {may_be_missing: true}}}\n"


def test_a_column_that_rfm_does_without_may_be_missing_if_the_rules_say_so(raw: RawFiles) -> None:
    raw.payments = ["order_id,payment_installments,payment_value", '"o1",1,10.00']
    raw.write()
    with pytest.raises(PipelineError, match=r"no column 'payment_sequential', 'payment_type' .*RFM does without it"):
        payments_of(raw)
    source = payments_of(raw, MISSING)
    assert source.as_json()["missing_columns"] == ["payment_sequential", "payment_type"]
    labels = [rule.label for rule in source.contract.rules]
    assert "in_set(payment_type)" not in labels
    assert "unique(order_id, payment_sequential)" in labels


def test_a_column_that_rfm_needs_cannot_be_declared_away(raw: RawFiles) -> None:
    raw.write()
    with pytest.raises(ValueError, match="line 1: may_be_missing, expected only for a column that RFM does without"):
        payments_of(raw, "payments: {columns: {payment_value: {may_be_missing: true}}}\n")


def test_the_manifest_has_the_place_that_was_given_as_it_is_from_anywhere(
    raw: RawFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw.write()
    monkeypatch.chdir(raw.folder.parent)
    for uri in (str(raw.folder), raw.folder.name, f"./{raw.folder.name}/", raw.folder.as_uri()):
        entry = inputs_of(uri, find_inputs(uri, FILE_CONTRACTS))
        assert entry["input"] == str(raw.folder)
        assert [each["table"] for each in entry["files"]] == ["customers", "orders", "payments"]
    places = [inputs_of(uri, [])["input"] for uri in ("s3://bucket/raw/", "s3a://bucket/raw", "table:`a b`.shop")]
    assert places == ["s3://bucket/raw", "s3://bucket/raw", "table:`a b`.shop"]
