"""Which runs are removed, which stay because something needs them, and what stops a removal. No Spark."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs import prune
from jobs.errors import OutsideSystemError
from jobs.runs import retention
from jobs.storage.local import LocalFolder
from jobs.storage.s3 import S3Folder
from jobs.storage.store import RunStore
from tests.log_lines import without_logs

NOW = datetime.now(UTC)
SIZE = 1000
"""Bytes of the table of a run that is made here."""


def named(name: str) -> str:
    return f"2018-06-30-{name}"


def manifest_of(name: str, *, days: float | None, **entries: Any) -> dict[str, Any]:
    finished = {} if days is None else {"finished_at": (NOW - timedelta(days=days)).isoformat(timespec="seconds")}
    run_id = named(name)
    facts = {"run_id": run_id, "as_of": "2018-06-30", "configuration_hash": "9ee0746a379375f7"}
    return {**facts, "tables": {"orders": f"runs/{run_id}/orders"}, **finished, **entries}


@dataclass
class Output:
    """An output folder with runs that are made by hand."""

    path: Path

    def run(self, name: str, *, days: float | None, **entries: Any) -> None:
        """A complete run that was finished so many days ago."""
        self.wreck(name, days=0)
        (self.path / "runs" / named(name) / "manifest.json").write_text(
            json.dumps(manifest_of(name, days=days, **entries))
        )

    def wreck(self, name: str, *, days: float) -> None:
        """A run without a manifest in which everything changed so many days ago."""
        folder = self.path / "runs" / named(name)
        (folder / "orders").mkdir(parents=True)
        (folder / "orders" / "part-0.parquet").write_bytes(b"x" * SIZE)
        for path in (folder / "orders" / "part-0.parquet", folder / "orders", folder):
            os.utime(path, ((NOW - timedelta(days=days)).timestamp(),) * 2)

    def point_to(self, name: str, **entries: Any) -> None:
        (self.path / "current.json").write_text(json.dumps({"run_id": named(name), **entries}))

    def names(self) -> set[str]:
        return {path.name.removeprefix(named("")) for path in (self.path / "runs").iterdir()}

    def prune(self, *arguments: str) -> int:
        return prune.main(["--output", str(self.path), *arguments])

    def removed_by(self, *arguments: str) -> set[str]:
        """What a removal removes."""
        before = self.names()
        assert self.prune(*arguments, "--yes") == 0
        return before - self.names()


@pytest.fixture
def output(tmp_path: Path) -> Iterator[Output]:
    """A current run that was finished yesterday."""
    output = Output(tmp_path / "[b]output")
    output.run("current", days=1)
    output.point_to("current")
    yield output
    assert "current" in output.names()
    assert (output.path / "current.json").exists()


def test_without_yes_it_lists_each_run_with_its_size_and_the_sum_and_removes_nothing(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    output.run("old", days=40)
    output.run("older", days=50)
    output.wreck("wreck", days=3)
    before = sorted(output.path.rglob("*"))
    assert output.prune("--keep", "1", "--wrecks") == 0
    listed = capsys.readouterr().out
    sizes = {
        name: SIZE + (output.path / "runs" / named(name) / "manifest.json").stat().st_size for name in ("old", "older")
    }
    sizes["wreck"] = SIZE
    for name, size in sizes.items():
        assert re.search(rf"{named(name)} .* {size:,} ", listed)
    assert re.search(rf"total .* {sum(sizes.values()):,} ", listed)
    assert named("current") not in listed
    assert "nothing was removed; the same command with --yes" in listed
    assert sorted(output.path.rglob("*")) == before


def test_it_keeps_the_newest_ten_and_thirty_days_unless_told_otherwise(output: Output) -> None:
    for number in range(12):
        output.run(f"old{number:02}", days=39.5 + number)
    output.run("a29", days=29)
    # current, a29 and the first eight are the newest ten.
    assert output.removed_by() == {"old08", "old09", "old10", "old11"}
    assert output.removed_by("--keep", "0", "--older-than", "45") == {"old06", "old07"}
    assert output.removed_by("--keep", "0", "--older-than", "0") == {"a29", *(f"old{number:02}" for number in range(6))}


def test_the_current_run_stays_however_old_it_is(output: Output) -> None:
    output.run("ancient", days=900)
    output.run("old", days=800)
    output.point_to("ancient")
    assert output.removed_by("--keep", "1") == {"old"}


@pytest.mark.parametrize(
    "entries",
    [
        {"tables": {"orders": f"runs/{named('needed')}/orders"}},
        {"inputs": {"checked_run": named("needed")}},
        {"inputs": {"features_run": named("needed")}},
        {"inputs": {"replayed_run": named("needed")}},
        {"kmeans": {"file": f"runs/{named('needed')}/kmeans_model.json"}},
        {"score_card": {"file": f"runs/{named('needed')}/score_card.json"}},
        {
            "kmeans_features": {
                "train": {"path": f"runs/{named('current')}/kmeans/train"},
                "score": {"path": f"runs/{named('needed')}/kmeans/score"},
            }
        },
    ],
    ids=["table", "checked", "features", "replayed", "clusters", "card", "shards"],
)
def test_a_run_that_a_kept_run_needs_stays_with_what_it_needs_itself(output: Output, entries: dict[str, Any]) -> None:
    output.run("young", days=5, **entries)
    output.run("needed", days=90, inputs={"checked_run": named("far")})
    output.run("far", days=100, inputs={"checked_run": named("gone")})
    output.run("unneeded", days=95, inputs={"checked_run": named("far")})
    assert output.removed_by("--keep", "0") == {"unneeded"}


def test_the_run_of_the_clusters_that_the_pointer_names_stays(output: Output) -> None:
    output.run("clusters", days=300)
    output.run("other", days=300)
    output.point_to("current", kmeans_model=f"runs/{named('clusters')}/kmeans_model.json")
    assert output.removed_by("--keep", "0") == {"other"}


def test_runs_that_need_each_other_go_together(output: Output) -> None:
    output.run("one", days=90, inputs={"checked_run": named("two")})
    output.run("two", days=90, inputs={"checked_run": named("one")})
    assert output.removed_by("--keep", "0") == {"one", "two"}


def test_a_run_whose_end_is_unknown_or_to_come_stays(output: Output) -> None:
    output.run("timeless", days=None)
    output.run("future", days=-400)
    assert output.removed_by("--keep", "0", "--older-than", "0") == set()


def test_wrecks_go_only_when_asked_for_and_after_a_day_without_a_change(output: Output) -> None:
    output.wreck("old", days=2)
    output.wreck("young", days=0.5)
    output.wreck("working", days=2)
    (output.path / "runs" / named("working") / "orders" / "part-1.parquet").write_bytes(b"")
    output.wreck("needed", days=2)
    output.run("young-run", days=3, inputs={"checked_run": named("needed")})
    assert output.removed_by() == set()
    assert output.removed_by("--wrecks") == {"old"}


def test_what_has_no_runs_name_or_is_no_folder_stays(output: Output) -> None:
    (output.path / "runs" / "notes").mkdir()
    (output.path / "runs" / named("file")).write_text("")
    for path in output.path.glob("runs/*"):
        if path.name in ("notes", named("file")):
            os.utime(path, (0, 0))
    assert output.removed_by("--keep", "0", "--older-than", "0", "--wrecks") == set()


def test_a_link_in_the_place_of_a_run_stops_everything(
    output: Output, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output.run("a-old", days=90)
    output.run("linked", days=90)
    elsewhere = (output.path / "runs" / named("linked")).rename(tmp_path / "elsewhere")
    (output.path / "runs" / named("linked")).symlink_to(elsewhere)
    assert output.prune("--keep", "0", "--yes") == 2
    assert "found a link, expected a folder" in capsys.readouterr().err
    assert output.names() == {"current", "a-old", "linked"}
    assert (elsewhere / "manifest.json").exists()


def test_links_within_a_run_are_neither_counted_nor_followed(
    output: Output, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_bytes(b"x" * 50_000)
    output.wreck("old", days=2)
    link = output.path / "runs" / named("old") / "link"
    link.symlink_to(tmp_path / "mine")
    for path in (link, link.parent):
        os.utime(path, (0, 0), follow_symlinks=False)
    os.utime(link.parent / "orders", (0, 0))
    assert output.removed_by("--wrecks") == {"old"}
    assert "50," not in capsys.readouterr().out
    assert (tmp_path / "mine" / "file").exists()


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("current.json", "{", "current.json: "),
        ("current.json", '{"run_id": "../x"}', 'current.json: "run_id" is '),
        (f"runs/{named('old')}/manifest.json", "", f"{named('old')}/manifest.json: "),
        (f"runs/{named('old')}/manifest.json", json.dumps(manifest_of("other", days=9)), "found the manifest of run"),
        (f"runs/{named('young')}/manifest.json", json.dumps(manifest_of("young", days=9, tables=[])), '"tables" is '),
        (
            f"runs/{named('young')}/manifest.json",
            json.dumps(manifest_of("young", days=None, finished_at="2018-06-30")),
            "\"finished_at\" is '2018-06-30' (expected a time with its zone",
        ),
    ],
)
def test_a_damaged_pointer_or_manifest_stops_everything(
    output: Output, capsys: pytest.CaptureFixture[str], file: str, text: str, message: str
) -> None:
    output.run("old", days=90)
    output.run("young", days=2)
    output.wreck("wreck", days=9)
    (output.path / file).write_text(text)
    assert output.prune("--keep", "0", "--wrecks", "--yes") == 3
    [line] = without_logs(capsys.readouterr().err)
    assert message in line
    assert output.names() == {"current", "old", "young", "wreck"}


def test_a_pointer_to_a_run_that_is_not_complete_stops_everything(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    output.run("old", days=90)
    output.point_to("gone")
    assert output.prune("--keep", "0", "--yes") == 2
    assert f"run {named('gone')}" in capsys.readouterr().err
    assert output.names() == {"current", "old"}


def test_a_run_that_is_removed_by_half_does_not_look_complete(
    output: Output, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any) -> None:
        raise PermissionError(13, "Permission denied", "part-0.parquet")

    output.run("old", days=90)
    monkeypatch.setattr("shutil.rmtree", broken)
    assert output.prune("--keep", "0", "--yes") == 4
    [line] = without_logs(capsys.readouterr().err)
    assert f"cannot remove run {named('old')}" in line
    assert "Permission denied (part-0.parquet)" in line
    assert (output.path / "runs" / named("old") / "orders").exists()
    assert not (output.path / "runs" / named("old") / "manifest.json").exists()
    monkeypatch.undo()
    assert output.removed_by("--wrecks") == set()
    later = NOW + timedelta(days=2)
    left = retention.removable_runs(RunStore(str(output.path)), retention.Retention(0, 30, wrecks=True), now=later)
    assert [(run.run_id, run.is_complete) for run in left] == [(named("old"), False)]


def test_a_run_that_ends_meanwhile_stops_the_removal(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    output.run("old", days=90)
    chosen = iter([{}, {"inputs": {"checked_run": named("old")}}])

    def removable(*arguments: Any, **named_arguments: Any) -> list[retention.RemovableRun]:
        entries = next(chosen)
        if entries:
            output.run("new", days=0, **entries)
        return retention.removable_runs(*arguments, **named_arguments)

    monkeypatch.setattr(prune, "removable_runs", removable)
    assert output.prune("--keep", "0", "--yes") == OutsideSystemError.exit_code
    assert output.names() == {"current", "old", "new"}


def test_ctrl_c_tells_how_many_runs_were_removed(
    output: Output, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b", "c"):
        output.run(name, days=90)
    remove = LocalFolder.remove

    def interrupted(self: LocalFolder, *parts: str) -> None:
        if parts[-1] == named("b"):
            raise KeyboardInterrupt
        remove(self, *parts)

    monkeypatch.setattr(LocalFolder, "remove", interrupted)
    assert output.prune("--keep", "0", "--yes") == 130
    assert f"1 of 3 runs were removed, and perhaps a part of {named('b')}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--keep", "-1"], ["--keep", "x"], ["--keep", "٣"], ["--older-than", "1e3"], ["--older-than", "99999"]),
        *(["--older-than", ""], ["--kep", "5"], ["--keep=5", "more"], ["--wreck"]),
    ],
)
def test_an_invalid_or_unknown_argument_removes_nothing(
    output: Output, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    output.run("old", days=90)
    assert output.prune(*arguments, "--yes") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert output.names() == {"current", "old"}


def test_a_folder_without_runs_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prune.main(["--output", str(tmp_path)]) == 2
    assert "found no runs, expected the folder of runs" in capsys.readouterr().err


def test_with_nothing_to_remove_it_says_so(output: Output, capsys: pytest.CaptureFixture[str]) -> None:
    assert output.removed_by() == set()
    assert "nothing is old enough" in capsys.readouterr().out


def test_in_a_bucket_the_same_runs_are_removed_manifest_first(
    folder: S3Folder, bucket: str, s3: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, days in (("current", 1), ("needed", 90), ("old", 90)):
        needs = {"inputs": {"checked_run": named("needed")}} if name == "current" else {}
        folder.write_text(json.dumps(manifest_of(name, days=days, **needs)), "runs", named(name), "manifest.json")
        folder.write_text("x" * SIZE, "runs", named(name), "orders", "part-0.parquet")
    folder.write_text(json.dumps({"run_id": named("current")}), "current.json")
    folder.create_folder("runs", named("wreck"))
    arguments = ["--output", folder.display_path(), "--keep", "0", "--wrecks"]
    size = SIZE + len(json.dumps(manifest_of("old", days=90)))

    # The wreck is of today, and becomes old enough for the removal.
    assert prune.main(arguments) == 0
    listed = capsys.readouterr().out
    assert re.search(rf"{named('old')} .* {size:,} ", listed)
    assert all(named(name) not in listed for name in ("current", "needed", "wreck"))
    assert folder.names("runs") == [named(name) for name in ("current", "needed", "old", "wreck")]

    removed: list[tuple[str, ...]] = []
    remove = S3Folder.remove

    def remembered(self: S3Folder, *parts: str) -> None:
        removed.append(parts)
        remove(self, *parts)

    monkeypatch.setattr(S3Folder, "remove", remembered)
    monkeypatch.setattr(retention, "AGE_OF_A_WRECK", timedelta(days=-1))
    assert prune.main([*arguments, "--yes"]) == 0
    assert removed == [
        (*("runs", named(name)), *last) for name in ("old", "wreck") for last in (("manifest.json",), ())
    ]
    assert folder.names("runs") == [named("current"), named("needed")]
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == 5
