"""What a registration cannot do: one line, the right exit code, and a catalogue that the same command makes whole."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs import pipeline, segments
from tests.fakes.environment import CATALOGUE, REGION
from tests.fakes.http.faults import ServiceError
from tests.jobs.registering.catalogued import MONDAY, TUESDAY, Lake, places

NOBODY = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform"
CALLS = ("GetTables", "CreateTable", "GetPartitions", "BatchCreatePartition")


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """The one line with which a command ended."""

    def read() -> str:
        *logs, last = capsys.readouterr().err.splitlines()
        assert [each for each in logs if "level=" not in each] == []
        return last

    return read


def test_a_database_that_does_not_exist_ends_with_2(lake: Lake, line: Callable[[], str]) -> None:
    lake.put_run(MONDAY)
    assert lake.register("--catalogue", "shops") == 2
    assert line() == (
        "catalogue: --catalogue shops: no such database, or a table of it is gone (GetTables: Database shops not "
        f"found), expected a database of the Glue Data Catalog in {REGION}. Check the name and AWS_REGION, or create "
        "it (docs/catalogue.md)"
    )


@pytest.mark.parametrize("operation", CALLS)
def test_a_permission_that_lacks_ends_with_4_and_names_the_page_that_lists_them(
    lake: Lake, line: Callable[[], str], operation: str
) -> None:
    lake.put_run(MONDAY)
    lake.service.faults.deny(operation)
    assert lake.register() == 4
    words = line()
    assert f"database {CATALOGUE} of the Glue Data Catalog: access denied ({operation}: AccessDeniedException" in words
    assert words.endswith(
        "Grant what docs/catalogue.md lists: in IAM, and in Lake Formation if that governs the database"
    )
    assert lake.register() == 0
    assert lake.current() == places(MONDAY)


def test_lake_formation_refuses_by_the_same_code_and_its_words_are_shown(lake: Lake, line: Callable[[], str]) -> None:
    lake.put_run(MONDAY)
    message = "Insufficient Lake Formation permission(s): Required Create Table on shop"
    lake.service.faults.respond_with("CreateTable", ServiceError("AccessDeniedException", message))
    assert lake.register() == 4
    words = line()
    assert "could not create table customers in database shop" in words
    assert f"({'CreateTable'}: AccessDeniedException: {message})" in words


def test_what_stopped_between_two_tables_is_made_whole_by_the_same_command(lake: Lake, line: Callable[[], str]) -> None:
    lake.put_run(MONDAY)
    assert lake.register() == 0
    lake.put_run(TUESDAY)

    def deny_the_third() -> None:
        lake.service.before("UpdateTable", lambda: lake.service.faults.deny("UpdateTable"))

    lake.service.before("UpdateTable", deny_the_third)
    assert lake.register() == 4
    assert "could not change table payments_current in" in line()
    assert {place.partition("/")[0] for place in lake.current().values()} == {MONDAY, TUESDAY}
    assert lake.register() == 0
    assert lake.current() == places(TUESDAY)


def test_throttling_is_waited_for_and_ends_with_4_when_it_goes_on(lake: Lake, line: Callable[[], str]) -> None:
    lake.put_run(MONDAY)
    lake.service.faults.throttle("CreateTable", times=3)
    lake.service.faults.fail("GetPartitions", times=2)
    lake.service.faults.drop_after("BatchCreatePartition", times=1)
    assert lake.register() == 0
    assert lake.current() == places(MONDAY)
    assert {*lake.partitions("rfm")} == {MONDAY}
    lake.put_run(TUESDAY)
    lake.service.faults.throttle("UpdateTable", times=20)
    assert lake.register() == 4
    assert "too many requests (UpdateTable: ThrottlingException: Rate exceeded" in line()


def test_a_table_whose_creation_was_answered_by_nobody_is_there(lake: Lake) -> None:
    lake.put_run(MONDAY)
    lake.service.faults.drop_after("CreateTable")
    assert lake.register() == 0
    assert lake.current() == places(MONDAY)


def test_a_partition_that_the_service_could_not_add_ends_with_4(
    lake: Lake, line: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.put_run(MONDAY)
    failure = {"ErrorCode": "InternalServiceException", "ErrorMessage": "Try again."}
    answer = {"Errors": [{"PartitionValues": [MONDAY], "ErrorDetail": failure}]}
    monkeypatch.setitem(lake.service._operations, "BatchCreatePartition", lambda _: answer)
    assert lake.register() == 4
    assert line().endswith(
        "could not change the partitions of table customers in database shop of the Glue Data Catalog: the service "
        "failed (BatchCreatePartition: InternalServiceException: Try again). Run again later"
    )


def test_a_failure_of_the_service_is_one_line(lake: Lake, line: Callable[[], str]) -> None:
    lake.put_run(MONDAY)
    lake.service.faults.respond_with(
        "CreateTable", ServiceError("ResourceNumberLimitExceededException", "Too many\ntables")
    )
    assert lake.register() == 4
    assert "the request was refused (CreateTable: ResourceNumberLimitExceededException: Too many tables)" in line()


@pytest.mark.parametrize("name", ["Shop", "shop-eu", "shop.eu", "a" * 256])
def test_a_name_that_athena_would_not_take_is_refused(lake: Lake, line: Callable[[], str], name: str) -> None:
    assert lake.register("--catalogue", name) == 2
    assert "expected the name of a database of the Glue Data Catalog, in lower-case letters" in line()
    assert lake.service.calls == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--output", "out"], "--catalogue shop with --output out: found a local folder, expected an s3:// URI"),
        (
            ["--output", "s3://bucket/out", "--becomes-current", "no"],
            "--catalogue with --becomes-current no: readers of the catalogue would see the run",
        ),
    ],
)
def test_a_run_that_cannot_be_registered_is_refused_before_it_starts(
    aws: pytest.MonkeyPatch, tmp_path: Path, line: Callable[[], str], arguments: list[str], says: str
) -> None:
    aws.chdir(tmp_path)
    files = ["--as-of", "2018-06-30", "--input", str(tmp_path)]
    assert pipeline.main([*files, "--catalogue", "shop", *arguments]) == 2
    assert says in line()
    assert [*tmp_path.iterdir()] == []


def test_segments_of_a_local_run_are_not_registered(
    aws: pytest.MonkeyPatch, tmp_path: Path, line: Callable[[], str]
) -> None:
    del aws
    assert segments.main(["--output", str(tmp_path), "--catalogue", "shop"]) == 2
    assert "found a local folder, expected an s3:// URI" in line()
