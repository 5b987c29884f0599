"""A campaign measured, as a user asks for it: the figures by hand, the sentences, and what is not compared."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs import lift
from jobs.lifting import counting
from jobs.storage.local import describe_file
from jobs.storage.s3 import S3Folder
from jobs.storage.table_files import list_table_files
from tests.jobs.audiences.written_audiences import WrittenAudience, members_of
from tests.jobs.explaining.written_runs import BEFORE, NOW, Bought, WrittenRun

PROJECT = Path(__file__).parents[2]

FIRST = WrittenRun(BEFORE, [("t1", "2018-05-01", "10.00")])
LATER = WrittenRun(
    NOW,
    [
        ("t1", "2018-07-05", "30.00"),
        ("t1", "2018-07-20", "10.00"),
        # The first day counts, and a return takes money away.
        ("t2", "2018-07-01 00:00:00", "20.00"),
        ("t2", "2018-07-10", "-5.00"),
        # The day of the audience does not count.
        ("t3", "2018-06-30 23:59:59", "99.00"),
        # A return is no purchase.
        ("t5", "2018-05-01", "50.00"),
        ("t5", "2018-07-02", "-7.00"),
        # The last day counts to its end.
        ("c1", "2018-07-31 23:59:59", "8.00"),
        ("c2", "2018-06-01", "5.00"),
        # What cost nothing was bought all the same, here as in rfm.
        ("c3", "2018-07-03", "0.00"),
        ("c4", "2018-05-05", "5.00"),
        ("stranger", "2018-07-04", "500.00"),
    ],
)
TREATED, HELD_BACK = ("t1", "t2", "t3", "t4", "t5"), ("c1", "c2", "c3", "c4")
AUDIENCE = WrittenAudience([*members_of("treatment", *TREATED), *members_of("control", *HELD_BACK)])

Lifted = Callable[..., tuple[int, str]]
Arm = tuple[int, int]
"""Buyers and members."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, and an export from the first; to look at."""
    folder = tmp_path_factory.mktemp("lift")
    for run in (FIRST, LATER):
        run.write(folder / "output")
    AUDIENCE.write(folder / "spring")
    return folder


@pytest.fixture
def output(written: Path, tmp_path: Path) -> Path:
    """Two runs, to change."""
    return Path(shutil.copytree(written / "output", tmp_path / "output"))


@pytest.fixture
def audience(written: Path, tmp_path: Path) -> Path:
    """An export from the first run, to change."""
    return Path(shutil.copytree(written / "spring", tmp_path / "spring"))


@pytest.fixture
def lifted(capsys: pytest.CaptureFixture[str]) -> Lifted:
    """The command: its exit code, and what it prints; of an error, the last line."""

    def run(audience: Path | str, output: Path | str, *arguments: str) -> tuple[int, str]:
        code = lift.main([str(audience), "--output", str(output), *arguments])
        printed = capsys.readouterr()
        return code, printed.err.splitlines()[-1] if code else printed.out

    return run


def facts(lifted: Lifted, *arguments: Any) -> dict[str, Any]:
    code, text = lifted(*arguments, "--json")
    assert code == 0
    content: dict[str, Any] = json.loads(text)
    return content


def campaign(tmp_path: Path, *, treated: Arm, held_back: Arm, holdout: str) -> tuple[Path, Path]:
    """An export and a later run, by the buyers and the members of each arm.

    The treated pay 20, 40 or 60, and others 30. Who does not buy has bought before.
    """
    (bought, written_to), (others, kept) = treated, held_back
    purchases: Sequence[Bought] = [
        *((f"t{number}", "2018-07-10", f"{20 * (number % 3 + 1)}.00") for number in range(bought)),
        *((f"c{number}", "2018-07-10", "30.00") for number in range(others)),
        *((f"t{number}", "2018-05-01", "5.00") for number in range(bought, written_to)),
        *((f"c{number}", "2018-05-01", "5.00") for number in range(others, kept)),
    ]
    members = [
        *members_of("treatment", *(f"t{number}" for number in range(written_to))),
        *members_of("control", *(f"c{number}" for number in range(kept))),
    ]
    output = WrittenRun(NOW, purchases).write(tmp_path / "output")
    return WrittenAudience(members, holdout=holdout).write(tmp_path / "spring"), output


def test_the_figures_are_those_worked_by_hand(audience: Path, output: Path, lifted: Lifted) -> None:
    result = facts(lifted, audience, output)
    assert result["audience"] == {
        "audience_id": "a0d1",
        "campaign": "spring",
        "run_id": BEFORE,
        "as_of": "2018-06-30",
        "changes_since": None,
    }
    assert result["run"] == {"run_id": NOW, "as_of": "2018-07-31"}
    assert result["days"] == {"first": "2018-07-01", "last": "2018-07-31", "number": 31}
    # 30 + 10 + 20 - 5 - 7 = 48 of five; 8 of four.
    assert result["arms"] == {
        "treatment": {
            "members": 5,
            "buyers": 2,
            "repeat_rate": 0.4,
            "revenue": "48.0000",
            "revenue_per_customer": "9.6000",
        },
        "control": {
            "members": 4,
            "buyers": 2,
            "repeat_rate": 0.5,
            "revenue": "8.0000",
            "revenue_per_customer": "2.0000",
        },
    }
    assert result["repeat_rate_difference"]["value"] == pytest.approx(-0.1)
    assert result["revenue_per_customer_difference"] == {"value": pytest.approx(7.6), "interval": None}
    assert result["absent"] == {"treatment": 1, "control": 0}
    assert result["verdict"] == "undecided"
    assert (
        "1 member is not in run 2018-07-31-now (1 written to, 0 held back): t4. It counts as having bought nothing."
        in (result["sentences"])
    )


def test_the_days_can_be_chosen(audience: Path, output: Path, lifted: Lifted) -> None:
    result = facts(lifted, audience, output, "--from", "2018-07-05", "--to", "2018-07-19")
    # t1's first purchase, and t2's return.
    assert (result["arms"]["treatment"]["buyers"], result["arms"]["treatment"]["revenue"]) == (1, "25.0000")
    assert (result["arms"]["control"]["buyers"], result["days"]["number"]) == (0, 15)


def test_of_an_audience_of_changes_those_count_who_came_or_moved(tmp_path: Path, output: Path, lifted: Lifted) -> None:
    members = [
        *members_of("treatment", "t1", "t2", change="came"),
        *members_of("treatment", "t3", change="left"),
        *members_of("treatment", "t4"),
        *members_of("control", "c1", change="moved"),
        *members_of("control", "c3", change="updated"),
    ]
    result = facts(lifted, WrittenAudience(members, of_changes=True).write(tmp_path / "changes"), output)
    assert [result["arms"][arm]["members"] for arm in ("treatment", "control")] == [2, 1]
    assert result["arms"]["treatment"]["revenue"] == "55.0000"
    assert result["audience"]["changes_since"] == {"run_id": "2018-05-31-first", "as_of": "2018-05-31"}


def test_a_campaign_that_brings_customers_back_is_said_to(tmp_path: Path, lifted: Lifted) -> None:
    audience, output = campaign(tmp_path, treated=(675, 4500), held_back=(50, 500), holdout="0.10")
    code, text = lifted(audience, output)
    assert code == 0
    assert text.splitlines()[-2] == (
        "The campaign brought more customers back: 15.0% of those written to bought again, and 10.0% of those held "
        "back: 5.0 points more (95 % interval 1.8 to 7.7)."
    )
    # The whole of it is the example of the page.
    assert f"```\n{text}```" in (PROJECT / "docs" / "lift.md").read_text()


# The intervals are those of scipy's binomtest(...).proportion_ci(method="wilsoncc"), put together by hand.
@pytest.mark.parametrize(
    ("arms", "holdout", "sentence"),
    [
        (
            ((80, 1000), (124, 1000)),
            "0.5",
            """Fewer customers came back with the campaign than without it: 8.0% of those written to bought again, and
            12.4% of those held back: 4.4 points fewer (95 % interval -7.1 to -1.7).""",
        ),
        (
            ((19, 200), (18, 200)),
            "0.5",
            """Too early or too small to tell: 9.5% of those written to bought again, and 9.0% of those held back; the
            difference may be chance (95 % interval -5.7 to 6.7). Arms of these sizes show a difference of
            10.1 points or more in at least four of five campaigns.""",
        ),
        (
            ((1010, 2000), (1000, 2000)),
            "0.5",
            """Little difference, if any: 50.5% of those written to bought again, and 50.0% of those held back (95 %
            interval -2.6 to 3.6). It may be chance.""",
        ),
        (
            ((100, 780), (5, 220)),
            "0.10",
            """Do not use this comparison: 22.0% were held back, and 10% were expected. Chance alone produces such a
            gap in fewer than 1 of 1,000 campaigns, so the arms are not alike. Find out who is missing.""",
        ),
        (
            ((1, 3), (0, 0)),
            "0.125",
            "Nothing to compare: nobody is held back. Of 3 members, 12.5% were to be held back.",
        ),
        (
            ((0, 0), (1, 1)),
            "0.5",
            "Nothing to compare: nobody is written to. Of 1 member, 50% were to be held back.",
        ),
        (
            ((1, 1), (0, 1)),
            "0.5",
            """Too early or too small to tell: 100.0% of those written to bought again, and 0.0% of those held back; the
            difference may be chance (95 % interval -33.7 to 100.0). Arms of these sizes show no difference,
            however large.""",
        ),
    ],
)
def test_each_verdict_has_its_sentence(
    tmp_path: Path, lifted: Lifted, arms: tuple[Arm, Arm], holdout: str, sentence: str
) -> None:
    audience, output = campaign(tmp_path, treated=arms[0], held_back=arms[1], holdout=holdout)
    expected = " ".join(sentence.split())
    assert facts(lifted, audience, output)["sentences"][0] == expected
    assert expected in lifted(audience, output)[1]


def test_a_comparison_that_is_not_to_be_used_shows_no_difference(tmp_path: Path, lifted: Lifted) -> None:
    audience, output = campaign(tmp_path, treated=(100, 780), held_back=(5, 220), holdout="0.10")
    text = lifted(audience, output)[1]
    assert [line.split("│")[1].strip() for line in text.splitlines() if "│" in line] == ["written to", "held back"]
    assert text.splitlines()[-1].startswith("Do not use this comparison: 22.0% were held back")
    assert "Revenue per customer" not in text


def test_an_audience_without_members_has_nothing_to_compare(tmp_path: Path, output: Path, lifted: Lifted) -> None:
    nobody = WrittenAudience(members_of("treatment", "t1", change="left"), of_changes=True).write(tmp_path / "nobody")
    assert facts(lifted, nobody, output)["sentences"] == ["Nothing to compare: the audience has no members to count."]


def test_revenue_says_how_sure_it_is(tmp_path: Path, lifted: Lifted) -> None:
    audience, output = campaign(tmp_path, treated=(60, 200), held_back=(20, 200), holdout="0.5")
    # 60 pay 40 on average: 12.00 by member. 20 pay 30: 3.00. Of an arm: sum of squares 60 * 5600 / 3 and 20 * 900.
    # Variances of the means: (112,000 - 28,800) / 199 / 200 and (18,000 - 1,800) / 199 / 200, together 2.4975. There
    # are 278 degrees of freedom, of which 1.9685 is the quantile.
    sentence = facts(lifted, audience, output)["sentences"][1]
    assert sentence == (
        "Revenue per customer: 12.00 of those written to, and 3.00 of those held back: 9.00 more (95 % interval 5.89 "
        "to 12.11; rough, since fewer than 100 of an arm bought). No verdict rests on it."
    )


def test_days_in_which_nobody_bought_at_all_are_named(tmp_path: Path, audience: Path, lifted: Lifted) -> None:
    output = replace(LATER, manifest={"sufficiency": {"days_since_newest_purchase": 12}}).write(tmp_path / "short")
    result = facts(lifted, audience, output)
    assert result["days_without_purchases"] == 12
    assert result["sentences"][-1] == (
        "Nobody at all bought in the last 12 of these days. Do the files end before 2018-07-31?"
    )
    assert facts(lifted, audience, output, "--to", "2018-07-20")["days_without_purchases"] == 1


def test_without_a_holdout_there_is_nothing_to_compare_with(tmp_path: Path, output: Path, lifted: Lifted) -> None:
    everybody = replace(AUDIENCE, holdout=None).write(tmp_path / "everybody")
    code, text = lifted(everybody, output)
    assert (code, "found an audience of which nobody is held back" in text) == (2, True)
    assert "--holdout 10% --holdout-key FILE --campaign NAME" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run", BEFORE], "is as of 2018-06-30, and the audience as of 2018-06-30: expected a later run"),
        (["--from", "2018-06-30"], "invalid --from 2018-06-30: members were chosen by what they did up to 2018-06-30"),
        (["--to", "2018-08-01"], "invalid --to 2018-08-01: run 2018-07-31-now is as of 2018-07-31"),
        (["--to", "2018-06-01"], "found days from 2018-07-01 to 2018-06-01, expected the first one first"),
        (
            ["--from", "2018-07-09", "--to", "2018-07-08"],
            "found days from 2018-07-09 to 2018-07-08, expected",
        ),
        (["--from", "July"], "'July': expected a date such as 2018-10-17"),
        (["--run", "2018-08-31-none"], "run 2018-08-31-none"),
    ],
)
def test_days_that_the_run_does_not_have_are_refused(
    audience: Path, output: Path, lifted: Lifted, arguments: list[str], message: str
) -> None:
    code, text = lifted(audience, output, *arguments)
    assert (code, message in text) == (2, True), text


def test_a_window_that_begins_too_late_is_refused(tmp_path: Path, lifted: Lifted) -> None:
    # One month up to 2018-07-31 begins on 2018-07-01.
    output = replace(LATER, months=1).write(tmp_path / "output")
    assert lifted(AUDIENCE.write(tmp_path / "june"), output)[0] == 0
    earlier = replace(AUDIENCE, run_id="2018-06-15-run").write(tmp_path / "may")
    code, text = lifted(earlier, output)
    assert (code, "counts purchases from 2018-07-01 on (--window-months)" in text) == (2, True)
    assert "the days to measure begin on 2018-06-16" in text
    assert lifted(earlier, output, "--from", "2018-07-01")[0] == 0


def test_a_ledger_that_was_read_from_a_later_day_on_is_refused(tmp_path: Path, audience: Path, lifted: Lifted) -> None:
    mapping = {"file": f"runs/{NOW}/mapping.yaml", "sha256": "ab"}
    source = {"kind": "ledger", "mapping": mapping, "read_from": "2018-07-02"}
    output = replace(LATER, manifest={"source": source}).write(tmp_path / "ledger")
    code, text = lifted(audience, output)
    assert (code, "counts purchases from 2018-07-02 on" in text) == (2, True)


def test_a_run_of_another_source_is_refused(tmp_path: Path, audience: Path, lifted: Lifted) -> None:
    output = FIRST.write(tmp_path / "both")
    source = {"kind": "ledger", "mapping": {"file": f"runs/{NOW}/mapping.yaml", "sha256": "ab"}}
    replace(LATER, manifest={"source": source}).write(output)
    code, text = lifted(audience, output)
    assert (code, "run 2018-07-31-now is of source ledger, and the audience was chosen from run" in text) == (2, True)
    # The audience outlives its run, which is pruned.
    shutil.rmtree(output / "runs" / BEFORE)
    assert lifted(audience, output)[0] == 0


def test_a_run_of_other_customers_or_without_purchases_is_refused(
    tmp_path: Path, output: Path, audience: Path, lifted: Lifted
) -> None:
    others = WrittenAudience([*members_of("treatment", "x"), *members_of("control", "y")]).write(tmp_path / "others")
    code, text = lifted(others, output)
    assert (code, "run 2018-07-31-now has no purchase of any of the 2 members" in text) == (2, True)
    replace(LATER, run_id="2018-08-31-checked", manifest={"tables": {}, "job": "ingest"}).write(output)
    code, text = lifted(audience, output)
    assert (code, "has no table purchases (it is one of jobs.ingest)" in text) == (2, True)


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (replace(AUDIENCE, members_record={"sha256": "ab"}), "members.parquet was changed: found"),
        (
            replace(AUDIENCE, record={"audience_id": "bb"}),
            "found 0 members (0 treatment, 0 control), expected 9",
        ),
        (
            replace(AUDIENCE, members_record={"control": 5}),
            "found 9 members (5 treatment, 4 control), expected 9 members (5 treatment, 5 control) as in ",
        ),
        (replace(AUDIENCE, members=[*AUDIENCE.members, ("t1", "control", None)]), "found 10 members of 9 customers"),
    ],
)
def test_members_that_are_not_those_of_the_record_end_it(
    tmp_path: Path, output: Path, lifted: Lifted, damaged: WrittenAudience, message: str
) -> None:
    code, text = lifted(damaged.write(tmp_path / "damaged"), output)
    assert (code, message in text) == (3, True), text


def test_a_file_that_has_other_columns_ends_it(tmp_path: Path, output: Path, lifted: Lifted) -> None:
    rfm = next((output / "runs" / NOW / "rfm").iterdir())
    recorded = describe_file(rfm)
    foreign = replace(AUDIENCE, members_record={"size": recorded.size, "sha256": recorded.sha256}).write(tmp_path / "r")
    shutil.copy(rfm, foreign / "members.parquet")
    code, text = lifted(foreign, output)
    assert (code, "cannot be read as the members" in text, "restore audience.json" in text) == (3, True, True)


def test_purchases_that_were_changed_end_it(audience: Path, output: Path, lifted: Lifted) -> None:
    file = next((output / "runs" / NOW / "purchases").iterdir())
    file.write_bytes(file.read_bytes() + b" ")
    code, text = lifted(audience, output)
    assert (code, "table purchases: part-0.parquet was changed" in text) == (3, True)


def test_memory_has_a_limit(audience: Path, output: Path, lifted: Lifted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MEMORY", "100KB")
    code, text = lifted(audience, output)
    assert (code, "Run again with more memory or disk" in text) == (4, True), text


def test_an_audience_and_runs_in_s3_are_compared_too(
    audience: Path, output: Path, folder: S3Folder, lifted: Lifted
) -> None:
    folder.copy_in(output / "runs", "runs")
    for run_id in (BEFORE, NOW):
        manifest = json.loads((output / "runs" / run_id / "manifest.json").read_text())
        # What was written to S3 has ETags.
        outputs = {table: list_table_files(folder, path) for table, path in manifest["tables"].items()}
        folder.write_text(json.dumps({**manifest, "outputs": outputs}), "runs", run_id, "manifest.json")
    folder.write_text((output / "current.json").read_text(), "current.json")
    folder.copy_in(audience, "exports", "spring")
    in_s3 = folder.display_path("exports", "spring")
    assert lifted(in_s3, folder.display_path()) == lifted(audience, output)
