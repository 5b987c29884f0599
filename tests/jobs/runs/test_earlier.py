"""The tables of an earlier run are read only if their files are those that it wrote."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from jobs import features, publish, replay, segments
from jobs.errors import DataError
from jobs.runs.earlier import find_table
from jobs.runs.totals import Total
from jobs.storage.folder import Folder
from jobs.storage.s3 import S3Folder
from jobs.storage.store import RunStore
from tests.frames import money
from tests.jobs.warehouse.small_runs import JUNE, JUNE_RUN, edit_manifest, replace_first_file, write_run
from tests.log_lines import without_logs
from tests.raw_files import RawFiles

EDITED = r"Files of a run are never edited: restore them, or run the pipeline again$"


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    write_run(tmp_path, JUNE_RUN, JUNE)
    return RunStore(str(tmp_path))


def first_file(store: RunStore, table: str) -> Path:
    return Path(store.folder.display_path("runs", JUNE_RUN, table, "part-0.snappy.parquet"))


def test_a_table_is_its_folder_its_files_and_its_total(store: RunStore) -> None:
    table = find_table(store.folder, store.manifest(JUNE_RUN), "payments")
    assert table.path == f"runs/{JUNE_RUN}/payments"
    assert [file.name for file in table.files] == ["part-0.snappy.parquet", "part-1.snappy.parquet"]
    assert [entry["file"] for entry in table.recorded] == [file.name for file in table.files]
    assert table.total == Total(4, money("40.50"))


@pytest.mark.parametrize("position", [0, 100, -1])
def test_one_flipped_bit_in_a_file_is_found_wherever_it_is(store: RunStore, position: int) -> None:
    path = first_file(store, "customers")
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"table customers: part-0.snappy.parquet was changed: .*{EDITED}"):
        find_table(store.folder, store.manifest(JUNE_RUN), "customers")


def test_a_file_that_is_gone_or_new_or_of_another_table_is_found(store: RunStore, tmp_path: Path) -> None:
    manifest = store.manifest(JUNE_RUN)
    replace_first_file(tmp_path, JUNE_RUN, "orders", JUNE["orders"][2:], in_manifest=False)
    with pytest.raises(DataError, match=r"table orders: part-0.snappy.parquet was changed"):
        find_table(store.folder, manifest, "orders")
    first_file(store, "rfm").unlink()
    with pytest.raises(DataError, match=r"table rfm: part-0.snappy.parquet is missing: found 1 files"):
        find_table(store.folder, manifest, "rfm")
    first_file(store, "payments").with_name("part-2.parquet").write_text("x")
    with pytest.raises(DataError, match=r"table payments: part-2.parquet is new: found 3 files"):
        find_table(store.folder, manifest, "payments")


def test_each_file_is_read_once_for_its_checksum(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    described: list[tuple[str, ...]] = []
    describe = type(store.folder).describe

    def counted(folder: Folder, *parts: str) -> object:
        described.append(parts)
        return describe(folder, *parts)

    monkeypatch.setattr(type(store.folder), "describe", counted)
    find_table(store.folder, store.manifest(JUNE_RUN), "orders")
    assert [parts[-1] for parts in described] == ["part-0.snappy.parquet", "part-1.snappy.parquet"]


@pytest.mark.parametrize(("key", "lacks"), [("tables", "folder"), ("outputs", "files"), ("totals", "total")])
def test_a_table_that_the_manifest_does_not_describe_is_an_error(store: RunStore, key: str, lacks: str) -> None:
    manifest = store.manifest(JUNE_RUN)
    if key == "totals":
        without = manifest.model_copy(update={"totals": [one for one in manifest.totals if one.table != "orders"]})
    else:
        without = manifest.model_copy(update={key: {k: v for k, v in getattr(manifest, key).items() if k != "orders"}})
    with pytest.raises(DataError, match=f"^the manifest of run {JUNE_RUN} states no {lacks} of table orders"):
        find_table(store.folder, without, "orders")


def test_an_edited_total_of_a_money_table_without_money_is_an_error(store: RunStore, tmp_path: Path) -> None:
    edit_manifest(tmp_path, JUNE_RUN, totals={"payments": {"rows": 4}})
    with pytest.raises(DataError, match="states no money of table payments"):
        find_table(store.folder, store.manifest(JUNE_RUN), "payments")


@pytest.mark.usefixtures("aws")
def test_a_table_in_s3_is_compared_by_size_and_etag(tmp_path: Path, s3: Any, bucket: str) -> None:
    write_run(tmp_path, JUNE_RUN, JUNE)
    lake = S3Folder(bucket, "lake")
    lake.copy_in(tmp_path / "runs" / JUNE_RUN / "rfm", "runs", JUNE_RUN, "rfm")
    etags = [{"file": Path(file.path).name, **file.as_json()} for file in lake.data_files("runs", JUNE_RUN, "rfm")]
    edit_manifest(
        tmp_path, JUNE_RUN, outputs={"rfm": [{k: v for k, v in file.items() if k != "path"} for file in etags]}
    )
    manifest = RunStore(str(tmp_path)).manifest(JUNE_RUN)
    assert [file.size for file in find_table(lake, manifest, "rfm").files] == [file["size"] for file in etags]
    key = f"lake/runs/{JUNE_RUN}/rfm/part-0.snappy.parquet"
    content = bytearray(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    content[-20] ^= 1
    s3.put_object(Bucket=bucket, Key=key, Body=bytes(content))
    with pytest.raises(DataError, match=r"table rfm: part-0.snappy.parquet was changed: found .* bytes, ETag"):
        find_table(lake, manifest, "rfm")


RELEASE = "2018-06-30-release-0.1"


@pytest.mark.parametrize(
    ("main", "arguments", "table"),
    [
        (features.main, ["--as-of", "2018-06-30"], "customers"),
        (features.main, ["--as-of", "2018-06-30", "--checked-run", RELEASE], "payments"),
        (segments.main, ["--k", "2"], "rfm"),
        (segments.main, ["--k", "2"], "quarantine/orders"),  # reused, and not read
        (replay.main, ["--as-of", "2018-06-30", "--replayed-run", RELEASE], "customers"),
        (replay.main, ["--as-of", "2018-06-30", "--replayed-run", RELEASE], "quarantine/customers"),
        (publish.main, ["--warehouse", "duckdb:{output}/w.duckdb"], "transactions"),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__module__", ""),
)
@pytest.mark.usefixtures("spark")
def test_no_step_continues_from_a_table_with_a_flipped_bit(
    *,
    tmp_path: Path,
    raw: RawFiles,
    capfd: pytest.CaptureFixture[str],
    main: Callable[[Sequence[str]], int],
    arguments: Sequence[str],
    table: str,
) -> None:
    output = Path(shutil.copytree(Path(__file__).parents[1] / "data" / "release-0.1", tmp_path / "output"))
    before = (output / "current.json").read_text()
    [path] = (output / "runs" / RELEASE / table).glob("part-*.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    options = [argument.format(output=output) for argument in arguments]
    files = ["--input", raw.write()] if main is replay.main else []
    assert main(["--output", str(output), *options, *files]) == 3
    [line] = without_logs(capfd.readouterr().err)
    assert f"table {table}: {path.name} was changed: found {path.stat().st_size:,} bytes, SHA-256 " in line
    assert (output / "current.json").read_text() == before
