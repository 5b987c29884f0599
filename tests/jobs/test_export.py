"""The list of an audience, as a user asks for it: who is on it, who is held back, and what is refused."""

import json
import shlex
import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from pyspark.sql.types import DateType

from jobs import export
from jobs.audiences.audience import read_audience
from jobs.errors import OutsideSystemError
from jobs.storage.local import LocalFolder
from jobs.storage.table_files import RESTORE
from tests.jobs.exporting.exports import KEY, Exported, exported
from tests.jobs.exporting.scored_runs import BEFORE, NOW, SEGMENTS, ScoredRun
from transforms.schemas import AUDIENCES

PROJECT = Path(__file__).parents[2]

FIRST = ScoredRun(
    BEFORE,
    {"ann": "RM01", "bob": "RM05", "cy": "RM09", "dan": "RM05", "eve": ("RM01", "5.00"), "gus": "RM01", "ida": "RM05"},
)
# bob moves, dan leaves for a segment that is not chosen, eve spends more, gus is gone, cy comes from a segment that is
# not chosen, and fay is new. ann and ida stay as they are.
SECOND = ScoredRun(
    NOW,
    {
        "ann": "RM01",
        "bob": "RM01",
        "cy": "RM05",
        "dan": "RM09",
        "eve": ("RM01", "6.00"),
        "fay": "RM05",
        "ida": "RM05",
    },
)
SPRING = ("--campaign", "spring", "--holdout", "30%")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs; to look at."""
    output = tmp_path_factory.mktemp("exported")
    FIRST.write(output)
    return SECOND.write(output)


@pytest.fixture
def output(written: Path, tmp_path: Path) -> Path:
    """Two runs, to change."""
    return Path(shutil.copytree(written, tmp_path / "output"))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDOUT_KEY", KEY)


def refused(output: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code, and the last line; no folder is listed."""
    to = output / "refused"
    code = export.main(["--output", str(output), "--to", str(to), "--format", "csv", *arguments])
    assert not to.exists()
    assert [path.name for path in output.iterdir() if path.name.startswith(".")] == []
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    return code, line


def test_a_full_list_has_who_is_in_the_segments_sorted_by_customer(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = exported(written, tmp_path / "list", "--segment", "rm01", "waning SPENDERS")
    assert (listed.folder / "list.csv").read_bytes() == (
        b"customer_unique_id,segment_code\r\nann,RM01\r\nbob,RM01\r\ncy,RM05\r\neve,RM01\r\nfay,RM05\r\nida,RM05\r\n"
    )
    assert listed.names == ["audience.json", "list.csv", "members.parquet"]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("│")[1:4] for line in lines if line.startswith("│")] == [
        [" RM01 Recent big spenders ", "           3 ", "         0 "],
        [" RM05 Waning spenders     ", "           3 ", "         0 "],
        [" all                      ", "           6 ", "         0 "],
    ]
    assert lines[-1] == "list.csv: 6 rows, 92 bytes"


def test_a_condition_and_segments_hold_both(written: Path, tmp_path: Path) -> None:
    listed = exported(
        written,
        *(tmp_path / "list", "--segment", "RM01", "--where", "total_value < 10 or customer_unique_id > 'd'"),
        *("--names", "--columns", "total_value,r_to_next"),
    )
    assert listed.rows() == [
        {
            "customer_unique_id": "eve",
            "segment_code": "RM01",
            "segment": "Recent big spenders",
            "total_value": "6.0000",
            "r_to_next": "",
        }
    ]


def test_changes_say_who_came_left_moved_and_was_updated(written: Path, tmp_path: Path) -> None:
    arguments = ("--segment", "RM01", "RM05", "--columns", "total_value")
    listed = exported(written, tmp_path / "list", *arguments, "--changes-since", BEFORE)
    # The whole of it is the example of the page.
    assert f"```\n{(listed.folder / 'list.csv').read_text()}```" in (PROJECT / "docs" / "lists.md").read_text()
    assert [tuple(row.values()) for row in listed.rows()] == [
        ("bob", "RM01", "100.0000", "moved", "RM05"),
        ("cy", "RM05", "100.0000", "came", ""),
        ("dan", "", "", "left", "RM05"),
        ("eve", "RM01", "6.0000", "updated", "RM01"),
        ("fay", "RM05", "100.0000", "came", ""),
        ("gus", "", "", "left", "RM01"),
    ]
    assert listed.record["exported"]["changes"] == {"came": 2, "left": 2, "moved": 1, "updated": 1}
    assert listed.record["changes_since"] == {"run_id": BEFORE, "as_of": "2018-09-17"}


def test_braze_gets_an_explicit_value_for_who_left(written: Path, tmp_path: Path) -> None:
    listed = exported(written, tmp_path / "list", "--segment", "RM01", "--changes-since", BEFORE, form="braze")
    assert (listed.folder / "list.csv").read_text().splitlines() == [
        "external_id,segment_code,change,previous_segment_code",
        "bob,RM01,came,(none)",
        "gus,(none),left,RM01",
    ]


@pytest.mark.parametrize("form", ["csv", "braze", "parquet"])
def test_a_night_without_change_exports_no_rows(output: Path, tmp_path: Path, form: str) -> None:
    later = "2018-10-18-later"
    ScoredRun(later, SECOND.customers).write(output)
    listed = exported(output, tmp_path / "list", "--where", "true", "--names", "--changes-since", NOW, form=form)
    assert (listed.record["exported"]["rows"], listed.members()) == (0, [])
    file = listed.folder / listed.record["exported"]["files"][0]["name"]
    columns = [row[0] for row in duckdb.sql(f"describe from '{file}'").fetchall()]
    assert columns[1:] == ["segment_code", "segment", "change", "previous_segment_code"]


def test_members_are_everybody_who_was_chosen_and_the_list_is_who_is_treated(written: Path, tmp_path: Path) -> None:
    listed = exported(written, tmp_path / "list", "--segment", "RM01", "RM05", *SPRING)
    members = listed.members()
    arms = {row["customer_unique_id"]: row["arm"] for row in members}
    # By printf '6:springcy' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef, and so on: of 2^64, the
    # first 8 bytes are 3.3 % for cy and 29.97 % for eve. The next is fay's, with 52.8 %.
    assert [customer for customer, arm in arms.items() if arm == "control"] == ["cy", "eve"]
    assert list(listed.codes()) == [customer for customer, arm in arms.items() if arm == "treatment"]
    record = read_audience(LocalFolder(listed.folder))
    assert (record.members.treatment, record.members.control) == (4, 2)
    assert {row["audience_id"] for row in members} == {record.audience_id}
    assert record.holdout is not None
    assert (str(record.holdout.share), record.holdout.key_id) == ("0.3", "39ed5252b09bd183")
    names = [field.name for field in AUDIENCES.fields]
    types = dict(
        duckdb.sql(f"select column_name, column_type from (describe from '{listed.folder}/members.parquet')").fetchall()
    )
    assert list(types) == names
    assert types == {
        field.name: "DATE" if isinstance(field.dataType, DateType) else "VARCHAR" for field in AUDIENCES.fields
    }


def test_a_customer_stays_in_the_arm_when_scores_are_fitted_again_and_data_comes_late(
    written: Path, tmp_path: Path
) -> None:
    def arms(listed: Exported) -> dict[str, str]:
        return {row["customer_unique_id"]: row["arm"] for row in listed.members()}

    # As fitted again: all are in other segments, and another customer is there.
    fitted = ScoredRun(NOW, {**dict.fromkeys(SECOND.customers, "RM09"), "abe": "RM01"}, order="b").write(tmp_path / "b")
    again = arms(exported(fitted, tmp_path / "again", "--where", "true", *SPRING))
    later = arms(exported(written, tmp_path / "later", "--where", "true", *SPRING))
    earlier = arms(exported(written, tmp_path / "earlier", "--where", "true", "--run", BEFORE, *SPRING))
    changes = arms(exported(written, tmp_path / "changes", "--segment", "RM01", "--changes-since", BEFORE, *SPRING))
    others = arms(exported(written, tmp_path / "others", "--where", "true", *SPRING[2:], "--campaign", "summer"))
    assert all(earlier[each] == later[each] for each in earlier.keys() & later.keys())
    assert again == {**later, "abe": again["abe"]}
    assert all(changes[each] == {**earlier, **later}[each] for each in changes)
    assert others != later


def test_the_order_in_which_a_run_stored_its_customers_changes_no_arm_and_no_byte(tmp_path: Path) -> None:
    customers = {f"c{number}": "RM01" for number in range(50)}
    listed = [
        exported(ScoredRun(NOW, customers, order=order).write(tmp_path / order), tmp_path / f"{order}-list", *choice)
        for order in ("one", "other")
        for choice in [("--segment", "RM01", *SPRING)]
    ]
    stored = [pq.read_table(tmp_path / order / "runs" / NOW / "rfm").to_pylist() for order in ("one", "other")]
    assert stored[0] != stored[1]
    assert {row["arm"] for row in listed[0].members()} == {"treatment", "control"}
    for name in ("list.csv", "members.parquet"):
        assert (listed[0].folder / name).read_bytes() == (listed[1].folder / name).read_bytes()


def test_the_same_choice_gives_the_same_bytes_and_another_choice_another_id(written: Path, tmp_path: Path) -> None:
    choice = ("--segment", "RM01", "RM05", *SPRING)
    listed = [
        exported(written, tmp_path / f"{number}", *arguments, form=form)
        for number, (form, *arguments) in enumerate(
            [
                ("csv", *choice),
                ("csv", "--segment", "waning spenders", "Recent big spenders", "RM01", *SPRING),
                ("braze", *choice),
                ("csv", "--segment", "RM01", *SPRING),
                ("csv", *choice, "--where", "true"),
                ("csv", *choice, "--run", BEFORE),
                ("csv", *choice, "--changes-since", BEFORE),
                ("csv", *choice, "--changes-since", BEFORE, "--columns", "total_value"),
                ("csv", *choice[:-1], "10%"),
                ("csv", *choice, "--campaign", "summer"),
            ]
        )
    ]
    for name in ("list.csv", "members.parquet"):
        assert (listed[0].folder / name).read_bytes() == (listed[1].folder / name).read_bytes()
    ids = [each.record["audience_id"] for each in listed]
    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids[2:])) == len(ids[2:])


def test_the_key_is_in_no_output(written: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    listed = exported(written, tmp_path / "list", "--where", "true", *SPRING, form="parquet")
    shown = "".join(capfd.readouterr())
    contents = [path.read_bytes() for path in listed.folder.iterdir()] + [shown.encode()]
    assert not any(KEY.encode() in content or KEY.encode().hex().encode() in content for content in contents)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "found neither --segment nor --where"),
        (("--segment", "nobody"), "expected one of RM01 ('Recent big spenders'), RM05 ('Waning spenders'), RM09"),
        (("--segment", ""), "invalid --segment ''"),
        (("--where", "now() > as_of"), "the function now"),
        (("--where", "segment::int > 1"), "Could not convert string"),
        (("--where", "'x'::integer > purchase_count"), "Could not convert string"),
        (("--segment", "RM01", "--columns", "age"), "invalid --columns 'age': expected columns of rfm (customer"),
        (("--segment", "RM01", "--columns", ""), "invalid --columns"),
        (("--segment", "RM01", "--columns", "total_value,total_value"), "the list has it already"),
        (("--segment", "RM01", "--columns", "segment_code"), "the list has it already"),
        (("--segment", "RM01", "--names", "--columns", "segment"), "the list has it already"),
        (("--segment", "RM01", "--changes-since", NOW), "found the run that is exported"),
        (("--segment", "RM01", "--run", BEFORE, "--changes-since", NOW), f"Give --run {NOW} --changes-since {BEFORE}"),
        (("--segment", "RM01", "--changes-since", "2018-01-01-gone"), "does not exist: no manifest.json"),
        (("--segment", "RM01", "--run", "../x"), "invalid run id"),
        (("--segment", "RM01", "--holdout", "10%"), "--holdout without --campaign"),
        (("--segment", "RM01", "--holdout-key", "f"), "--holdout-key without --holdout"),
        (("--segment", "RM01", *SPRING, "--holdout-key", "/nowhere/key"), "cannot be read (No such file"),
        (("--segment", "RM01", "--format", "xlsx"), "expected one of"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(
    written: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], line: str
) -> None:
    code, message = refused(written, capsys, *arguments)
    assert code == 2
    assert line in message


@pytest.mark.parametrize(
    ("run", "line"),
    [
        (ScoredRun("2018-10-18", {}, manifest={"segments": None}), "run 2018-10-18 has no segments"),
        (ScoredRun("2018-10-18", {}, manifest={"tables": {}}), "run 2018-10-18 has no segments"),
        (ScoredRun("2018-10-18", {"a": "RM01"}, without=("m_to_next",)), "rfm has no column m_to_next"),
        (
            ScoredRun("2018-10-18", {}, {**SEGMENTS, "RM01": "Others"}),
            "segment RM01 ('Others') is 'Recent big spenders' there, expected the same segments in both runs",
        ),
        (
            ScoredRun("2018-10-18", {}, {"RM01": "Recent big spenders", "X": "New"}),
            "segment X ('New') is not there",
        ),
        (
            ScoredRun("2018-10-18", {}, map_hash="ffffffffffffffff"),
            "found a segment map of hash 0ca02856cf851a0e, expected ffffffffffffffff as for 2018-10-18",
        ),
        (
            ScoredRun(
                "2018-10-18",
                {},
                manifest={"source": {"kind": "ledger", "mapping": {"file": "runs/2018-10-18/m", "sha256": "ab"}}},
            ),
            "found a run of the source olist, expected ledger",
        ),
    ],
)
def test_a_run_that_does_not_fit_is_named(
    output: Path, capsys: pytest.CaptureFixture[str], run: ScoredRun, line: str
) -> None:
    run.write(output)
    segments = ["RM01", *(["X"] if "X" in run.segments else [])]
    code, message = refused(output, capsys, "--segment", *segments, "--columns", "m_to_next", "--changes-since", NOW)
    assert code == 2
    assert line in message


def test_a_condition_without_segments_needs_the_same_segments_in_both_runs(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ScoredRun("2018-10-18", {}, {**SEGMENTS, "RM09": "Others"}).write(output)
    code, message = refused(output, capsys, "--where", "true", "--changes-since", NOW)
    assert code == 2
    assert "segment RM09 ('Others') is 'Lapsed small spenders' there, expected the same segments" in message


def test_a_file_of_a_run_that_was_changed_ends_the_export(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = output / "runs" / NOW / "rfm" / "part-0.parquet"
    file.write_bytes(file.read_bytes() + b"x")
    code, message = refused(output, capsys, "--segment", "RM01")
    assert code == 3
    assert RESTORE in message


def test_names_of_a_segment_map_may_be_odd(tmp_path: Path) -> None:
    odd = {"A": "=1+1", "B": 'say "hi", now', "C": "it's", "D": "smile 😀"}
    output = ScoredRun(NOW, {code.lower(): code for code in odd}, odd).write(tmp_path / "output")
    listed = exported(output, tmp_path / "list", "--segment", *odd.values(), "--names")
    assert [row["segment"] for row in listed.rows()] == ["'=1+1", *list(odd.values())[1:]]


def test_without_its_packages_the_command_says_what_to_install(
    written: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("jobs.exporting.list_files.import_module", missing)
    code, message = refused(written, capsys, "--segment", "RM01")
    assert code == 2
    assert "pip install 'olist-rfm-segments[duckdb]'" in message


def test_a_warehouse_gets_the_members_of_a_complete_export(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"duckdb:{tmp_path}/warehouse.duckdb"
    listed = exported(written, tmp_path / "list", "--segment", "RM01", *SPRING, "--warehouse", address)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as warehouse:
        loaded = warehouse.execute("select customer_unique_id, arm from audiences order by 1").fetchall()
    assert loaded == [(row["customer_unique_id"], row["arm"]) for row in listed.members()]

    def fails(*_: object) -> None:
        raise OutsideSystemError("the warehouse is closed")

    monkeypatch.setattr("jobs.warehouse.audiences.load_audience", fails)
    arguments = ["--output", str(written), "--segment", "RM01", "--format", "csv", "--to", f"{tmp_path}/a b"]
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for load in (
        ["--warehouse", address],
        [
            *("--warehouse", "redshift+cluster://c/d/s?db_user=u", "--staging", "s3://bucket/(x)"),
            *("--iam-role", "arn:aws:iam::123456789012:role/r"),
        ],
    ):
        assert export.main([*arguments, *load]) == 4
        command = capsys.readouterr().err.partition("The export is complete; this loads it again: ")[2]
        assert shlex.split(command) == ["python", "-m", "jobs.publish", "--audience", f"{tmp_path}/a b", *load]
        assert Exported(tmp_path / "a b").record["exported"]["rows"] == 3
        shutil.rmtree(tmp_path / "a b")


def test_a_load_that_fails_logs_in_the_form_that_was_asked_for_and_ends_in_one_line(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "no.duckdb").write_text("no such file")
    arguments = ["--output", str(written), "--segment", "RM01", "--format", "csv", "--to", str(tmp_path / "list")]
    assert export.main([*arguments, "--warehouse", f"duckdb:{tmp_path}/no.duckdb", "--log-format", "json"]) == 4
    *logged, line = capsys.readouterr().err.splitlines()
    assert [json.loads(each)["event"] for each in logged] == ["load started", "load failed"]
    assert line.startswith("export: ")
    assert Exported(tmp_path / "list").record["exported"]["rows"] == 3


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--warehouse", "mysql:x"), "invalid --warehouse 'mysql:x'"),
        (("--staging", "s3://bucket/x"), "--staging without --warehouse"),
        (("--iam-role", "arn:aws:iam::123456789012:role/r"), "--iam-role without --warehouse"),
    ],
)
def test_a_warehouse_that_is_none_is_refused_before_anything_is_written(
    written: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], line: str
) -> None:
    code, message = refused(written, capsys, "--segment", "RM01", *arguments)
    assert code == 2
    assert line in message
