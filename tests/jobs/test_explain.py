"""One customer explained, as a user asks for it: which runs, which customer, what is missing, and what is refused."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs import explain
from jobs.storage.s3 import S3Folder
from jobs.storage.table_files import list_table_files
from tests.jobs.explaining.written_runs import BEFORE, NOW, WrittenRun, moves_since

PROJECT = Path(__file__).parents[2]
ID, OTHER_ID = "0123456789abcdef0123456789abcdef", "01234567ffffffffffffffffffffffff"

FIRST = WrittenRun(BEFORE, [(ID, "2018-05-15", "160.00"), ("zoe", "2018-06-29", "10.00")])
CHANGE = (ID, "2018-06-30", "A", "Recent big", "C", "Lapsed big", "time_passed", "A", "A", "C", "C")
# 46 days ago as of 2018-06-30, and 77 as of 2018-07-31: R 4, and then 3.
SECOND = WrittenRun(
    NOW,
    [*FIRST.bought, (OTHER_ID, "2018-07-10", "75.25"), ("only returns", "2018-07-11", "-3.00")],
    history=[
        (ID, "C", "Lapsed big", "A", "Recent big", "2018-07-31", 1),
        ("zoe", "B", "Recent small", None, None, "2018-06-30", 2),
    ],
    changes=[
        CHANGE,
        (OTHER_ID, "2018-06-30", None, None, "B", "Recent small", "new_customer", None, "B", "B", "B"),
    ],
    clusters=[(ID, 3, 0.5, "lapsed big spenders"), ("zoe", 4, 0.5, "recent \x1b[31mbuyers")],
    manifest={"changes": moves_since(BEFORE)},
)

Explain = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs; to look at."""
    output = tmp_path_factory.mktemp("explained")
    for run in (FIRST, SECOND):
        run.write(output)
    return output


@pytest.fixture
def output(written: Path, tmp_path: Path) -> Path:
    """Two runs, to change."""
    return Path(shutil.copytree(written, tmp_path / "output"))


@pytest.fixture
def explained(capsys: pytest.CaptureFixture[str]) -> Explain:
    """The command: its exit code, and what it prints; of an error, the last line."""

    def run(output: Path | str, *arguments: str) -> tuple[int, str]:
        code = explain.main([*arguments, "--output", str(output)])
        printed = capsys.readouterr()
        return code, printed.err.splitlines()[-1] if code else printed.out

    return run


def test_a_customer_is_explained_in_sentences(written: Path, explained: Explain) -> None:
    code, text = explained(written, ID)
    assert code == 0
    # The whole of it is the example of the page.
    assert f"```\n{text}```" in (PROJECT / "docs" / "explain.md").read_text()
    assert text.splitlines()[:5] == [
        f"Customer {ID}, run {NOW}, as of 2018-07-31",
        "Measures: last purchase 77 days ago (2018-05-15); 1 purchase; 160.00 in all",
        "Scores 314 (5 is best):",
        "  R 3: last purchase 77 days ago; up to 60 days makes it 4",
        "  F 1: 1 purchase; one more makes it 2",
    ]


def test_a_customer_who_stays_has_a_history_and_no_cause(written: Path, explained: Explain) -> None:
    code, text = explained(written, "zoe")
    assert code == 0
    assert "in this segment since 2018-06-30, for 2 runs; no other segment before" in text
    # Text of a file is shown, and never obeyed by a terminal.
    assert "Cluster: recent \\x1b[31mbuyers (4)" in text
    assert "scores changed, and the segment is Recent small (B) in both." in text
    # 1 day ago, then 32.
    assert "up to 30 days scores 5, so R went from 5 to 4; the segment stays Recent small." in text


def test_a_customer_who_is_moved_and_moved_back_is_said_to_be(tmp_path: Path, explained: Explain) -> None:
    # 46 days, then 77: R 4, then 3, and 4 again by the cut points of the later card.
    FIRST.write(tmp_path)
    replace(SECOND, changes=[], cuts={**FIRST.cuts, "r": (30, 80, 110, 140)}).write(tmp_path)
    code, text = explained(tmp_path, ID)
    assert code == 0
    assert "steps moved the customer, and others moved them back; the segment is Recent big (A) in both." in text
    assert "77 days scored 3 (61 to 90) and now 4 (31 to 80), so R went from 3 to 4 and the segment from Lapsed" in text


def test_nothing_moved_where_nothing_did(tmp_path: Path, explained: Explain) -> None:
    same_day = replace(FIRST, run_id="2018-06-30-again", changes=[], manifest={"changes": moves_since(BEFORE)})
    for run in (FIRST, same_day):
        run.write(tmp_path)
    code, text = explained(tmp_path, "zoe")
    assert (code, "nothing moved; the segment is Recent small (B) in both." in text) == (0, True)
    assert "Time passed: both runs are as of the same day." in text


def test_json_has_numbers_as_numbers_and_money_as_text(written: Path, explained: Explain) -> None:
    code, text = explained(written, ID, "--json")
    facts: dict[str, Any] = json.loads(text)
    assert code == 0
    assert facts["run"]["run_id"] == NOW
    assert facts["before"] == {**facts["before"], "run_id": BEFORE, "as_of": "2018-06-30", "first_day": None}
    assert facts["now"] == {
        "measures": {
            "first_purchase": "2018-05-15",
            "last_purchase": "2018-05-15",
            "days_since_last_purchase": 77,
            "purchase_count": 1,
            "total_value": "160.0000",
        },
        "scores": {
            "r": {"score": 3, "band": "r 3", "to_next": 17, "next_score": 4},
            "f": {"score": 1, "band": "f 1", "to_next": 1, "next_score": 2},
            "m": {"score": 4, "band": "m 4", "to_next": "40.0000", "next_score": 5},
        },
        "rfm_score": "314",
        "segment": {"code": "C", "name": "Lapsed big", "advice": "Win them back."},
        "history": {
            "previous_segment_code": "A",
            "previous_segment": "Recent big",
            "segment_since": "2018-07-31",
            "runs_in_segment": 1,
        },
        "cluster": {"cluster": 3, "cluster_name": "lapsed big spenders"},
    }
    movement = facts["movement"]
    assert (movement["cause"], movement["new_purchases"], movement["start"]["days_since_last_purchase"]) == (
        "time_passed",
        [],
        46,
    )
    assert movement["steps"][2] == {
        "step": "time_passed",
        "changes_segment": True,
        "days_since_last_purchase": 77,
        "purchase_count": 1,
        "total_value": "160.0000",
        "scores": {"r": 3, "f": 1, "m": 4},
        "segment_code": "C",
        "segment": "Lapsed big",
    }
    assert facts["sentences"][0].startswith(f"Customer {ID}")


def test_the_beginning_of_an_id_will_do_where_one_customer_has_it(written: Path, explained: Explain) -> None:
    code, text = explained(written, ID[:9])
    assert code == 0
    assert text.splitlines()[:2] == [
        f"Customer {ID}, run {NOW}, as of 2018-07-31",
        "(the only customer whose id begins with '012345678')",
    ]
    code, text = explained(written, ID[:8])
    assert code == 2
    assert f"found several ids that begin so: '{ID}', '{OTHER_ID}'; expected one" in text


@pytest.mark.parametrize(
    ("customer", "error"),
    [
        ("0123456", "found no such id in the rfm of run 2018-07-31-now (as of 2018-07-31) and run 2018-06-30-before"),
        ("0123456", "expected an id, or 8 or more of its first characters"),
        ("' or true --", "nor one that begins so. There is no other run with scores. Check the id"),
        ("only returns", "though the run has 1 return and no purchase of them"),
        (" ", "invalid CUSTOMER '': expected the customer_unique_id"),
    ],
)
def test_an_unknown_customer_is_told_with_what_was_searched(
    written: Path, explained: Explain, customer: str, error: str
) -> None:
    code, text = explained(written, customer)
    assert code == 2
    assert error in text


def test_another_run_that_has_the_customer_is_named(output: Path, explained: Explain) -> None:
    WrittenRun("2018-08-31-later", [("new one", "2018-08-02", "5.00")]).write(output)
    code, text = explained(output, "new one", "--run", NOW)
    assert code == 2
    assert text.endswith("Run 2018-08-31-later (as of 2018-08-31) has them: --run 2018-08-31-later")
    code, text = explained(output, "nobody at all", "--run", NOW)
    assert "The one other run does not have them either. Check the id" in text
    # A run that cannot be read is no reason to say less.
    (output / "runs" / "2018-08-31-later" / "rfm" / "part-0.parquet").write_bytes(b"no Parquet")
    assert explained(output, "new one", "--run", NOW)[0] == 2


def test_two_runs_are_compared_the_earlier_one_first(written: Path, explained: Explain) -> None:
    assert explained(written, ID, "--between", BEFORE, NOW) == explained(written, ID)
    for arguments, error in (
        (["--between", NOW, BEFORE], f"expected the earlier one first. Give --between {BEFORE} {NOW}"),
        (["--between", NOW, NOW], "found the same run twice, expected two runs"),
        (["--between", "2018-01-01-none", NOW], "run 2018-01-01-none in "),
        (["--between", BEFORE, NOW, "--run", NOW], "--run with --between"),
        (["--between", "../../etc", NOW], "invalid run id '../../etc'"),
    ):
        code, text = explained(written, ID, *arguments)
        assert code == 2
        assert error in text


def test_runs_that_no_table_is_about_are_compared_too(output: Path, explained: Explain) -> None:
    later = "2018-08-31-later"
    WrittenRun(later, FIRST.bought).write(output)
    code, text = explained(output, ID, "--between", BEFORE, later)
    assert code == 0
    # 46 days ago, and then 108: R 4, and then 2.
    assert "31 to 60 days score 4, so R went from 4 to 2 and the segment from Recent big to Lapsed big." in text
    assert "segment_changes" not in text


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ({}, "What moved the customer is not known: an earlier release made this run, and compared it with none."),
        ({"changes": {"since": None}}, "is not known: it is the first run, or was made with --compare none."),
    ],
)
def test_a_run_without_one_before_says_what_is_missing(
    tmp_path: Path, explained: Explain, manifest: dict[str, Any], says: str
) -> None:
    replace(FIRST, manifest=manifest).write(tmp_path)
    code, text = explained(tmp_path, ID)
    assert code == 0
    assert "Segment: Recent big (A). Thank them." in text
    assert "History: this run has no table segment_history" in text
    assert says in text
    assert json.loads(explained(tmp_path, ID, "--json")[1])["movement"] is None


def test_of_a_run_before_that_is_gone_the_changes_are_told(output: Path, explained: Explain) -> None:
    shutil.rmtree(output / "runs" / BEFORE)
    code, text = explained(output, ID)
    assert code == 0
    assert "from Recent big (A) to Lapsed big (C), because time passed, as segment_changes says." in text
    assert f"The steps cannot be worked out again: run {BEFORE}, with which this one is compared, is gone." in text
    assert "the segment is the same, as segment_changes says." in explained(output, "zoe")[1]


def test_a_vanished_customer_is_found_in_the_changes_alone(tmp_path: Path, explained: Explain) -> None:
    row = ("ann", "2018-06-30", "A", "Recent big", None, None, "vanished_customer", None, None, None, None)
    replace(FIRST, run_id=NOW).because(row).write(tmp_path)
    code, text = explained(tmp_path, "ann")
    assert code == 0
    assert "This run does not have this customer." in text
    assert "vanished from Recent big (A), as segment_changes says." in text


# Names are not compared: a segment is its code.
@pytest.mark.parametrize("column", [2, 4, 6, 7, 8, 9, 10])
def test_changes_that_tell_another_story_are_an_error(
    written: Path, tmp_path: Path, explained: Explain, column: int
) -> None:
    shutil.copytree(written / "runs" / BEFORE, tmp_path / "runs" / BEFORE)
    altered = (*CHANGE[:column], "cut_points" if column == 6 else "D", *CHANGE[column + 1 :])
    SECOND.because(altered).write(tmp_path)
    code, text = explained(tmp_path, ID)
    assert code == 3
    assert f"segment_changes of run {NOW}: found " in text
    assert "expected time_passed (A > A > A > C > C > C) by the purchases and the cards of both runs" in text


def test_a_missing_row_and_one_too_many_are_errors(written: Path, tmp_path: Path, explained: Explain) -> None:
    shutil.copytree(written / "runs" / BEFORE, tmp_path / "runs" / BEFORE)
    moved = ("zoe", "2018-06-30", "A", "Recent big", "B", "Recent small", "time_passed", "A", "A", "B", "B")
    replace(SECOND, changes=[moved, CHANGE, CHANGE]).write(tmp_path)
    code, text = explained(tmp_path, ID)
    assert (code, "segment_changes of run 2018-07-31-now: found 2 rows" in text) == (3, True)
    code, text = explained(tmp_path, "zoe")
    assert (code, "found time_passed (A > A > A > B > B > B)" in text, "expected no row" in text) == (3, True, True)
    code, text = explained(tmp_path, OTHER_ID)
    assert (code, "found no row" in text) == (3, True)


def test_a_segment_that_is_not_that_of_the_purchases_is_an_error(tmp_path: Path, explained: Explain) -> None:
    output = replace(FIRST, cuts={**FIRST.cuts, "m": (1, 2, 3, 200)}).write(tmp_path)
    # The card of another run: zoe's 10.00 scores 1 there.
    other = WrittenRun("2018-06-30-other", FIRST.bought).write(tmp_path / "other")
    shutil.copy(other / "runs" / "2018-06-30-other" / "score_card.json", output / "runs" / BEFORE / "score_card.json")
    code, text = explained(output, "zoe")
    assert code == 3
    assert "found segment A of customer 'zoe', expected B by its purchases and its card" in text


def test_a_damaged_file_is_an_error(output: Path, explained: Explain) -> None:
    path = output / "runs" / BEFORE / "purchases" / "part-0.parquet"
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    code, text = explained(output, ID)
    assert (code, "table purchases: part-0.parquet was changed" in text) == (3, True)


def test_runs_in_s3_are_explained_too(written: Path, folder: S3Folder, explained: Explain) -> None:
    folder.copy_in(written / "runs", "runs")
    for run_id in (BEFORE, NOW):
        manifest = json.loads((written / "runs" / run_id / "manifest.json").read_text())
        # What was written to S3 has ETags.
        outputs = {table: list_table_files(folder, path) for table, path in manifest["tables"].items()}
        folder.write_text(json.dumps({**manifest, "outputs": outputs}), "runs", run_id, "manifest.json")
    folder.write_text((written / "current.json").read_text(), "current.json")
    assert explained(folder.display_path(), ID) == explained(written, ID)


def test_a_run_without_scores_and_a_folder_without_runs_are_refused(
    tmp_path: Path, output: Path, explained: Explain
) -> None:
    replace(FIRST, run_id="2018-05-31-old", manifest={"segments": None}).write(output)
    code, text = explained(output, ID, "--run", "2018-05-31-old")
    assert (code, "has no customers with scores" in text) == (2, True)
    code, text = explained(tmp_path / "nothing", ID)
    assert (code, "no current run there" in text) == (2, True)
