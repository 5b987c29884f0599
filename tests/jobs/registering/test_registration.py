"""A run in the Glue Data Catalog: its partitions, and current tables that show one run, whatever happens."""

import pytest

from jobs.registering import registration
from jobs.registering.glue import MOST_DELETED
from jobs.storage.store import RunStore
from tests.fakes.environment import CATALOGUE
from tests.fakes.http.faults import ServiceError
from tests.jobs.registering.catalogued import (
    CHECKED,
    COMPUTED,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    Lake,
    places,
)
from transforms.figure_schemas import FIGURES
from transforms.schemas import TABLES

NAMES = {*TABLES, *FIGURES}


def changes(lake: Lake) -> list[str]:
    """The calls that change something, in their order."""
    return [call.operation for call in lake.service.calls if not call.operation.startswith("Get")]


def test_a_run_is_a_partition_of_each_table_and_what_the_current_tables_show(lake: Lake) -> None:
    lake.put_run(MONDAY)
    assert lake.register() == 0
    assert set(lake.tables()) == NAMES | {f"{name}_current" for name in NAMES}
    assert lake.current() == places(MONDAY)
    assert {name: lake.partitions(name) for name in NAMES} == {
        name: {MONDAY: place} for name, place in places(MONDAY).items()
    }


def test_a_table_has_the_columns_types_and_formats_that_athena_reads(lake: Lake) -> None:
    lake.put_run(MONDAY)
    assert lake.register() == 0
    payments, figures, current = map(lake.table, ("payments", "money_figures", "payments_current"))
    assert [(column["Name"], column["Type"]) for column in payments["StorageDescriptor"]["Columns"]] == [
        *(("order_id", "string"), ("payment_sequential", "int"), ("payment_type", "string")),
        *(("payment_installments", "int"), ("payment_value", "decimal(18,4)")),
    ]
    assert payments["StorageDescriptor"]["Columns"][4]["Comment"] == "What was paid; currency of the source."
    assert payments["Description"].startswith("The checked payments file: one row per payment.")
    assert [key["Name"] for key in payments["PartitionKeys"]] == ["run_id"]
    assert (payments["TableType"], payments["Parameters"]["classification"]) == ("EXTERNAL_TABLE", "parquet")
    hive = "org.apache.hadoop.hive.ql.io"
    formats = [payments["StorageDescriptor"][name] for name in ("InputFormat", "OutputFormat")]
    assert formats == [f"{hive}.parquet.MapredParquetInputFormat", f"{hive}.parquet.MapredParquetOutputFormat"]
    assert [each["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] for each in (payments, figures)] == [
        *(f"{hive}.parquet.serde.ParquetHiveSerDe", "org.apache.hive.hcatalog.data.JsonSerDe"),
    ]
    assert figures["StorageDescriptor"]["InputFormat"] == "org.apache.hadoop.mapred.TextInputFormat"
    assert current["PartitionKeys"] == []
    assert current["StorageDescriptor"]["Columns"] == payments["StorageDescriptor"]["Columns"]


def test_a_run_that_is_registered_again_changes_nothing(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    lake.put_run(MONDAY)
    assert lake.register() == 0
    lake.service.calls.clear()
    assert lake.register("--run", MONDAY) == 0
    assert changes(lake) == []
    assert (
        f"run {MONDAY} is in {len(NAMES)} tables; the tables with _current show run {MONDAY}" in capsys.readouterr().out
    )


def test_the_next_run_moves_the_current_tables_and_leaves_the_old_partitions(lake: Lake) -> None:
    for run_id in (MONDAY, TUESDAY):
        lake.put_run(run_id)
        assert lake.register() == 0
    assert lake.current() == places(TUESDAY)
    for name in NAMES:
        assert lake.partitions(name) == {run_id: places(run_id)[name] for run_id in (MONDAY, TUESDAY)}
    # A change is one call for each table, and archives no version of it.
    updates = [call.request for call in lake.service.calls if call.operation == "UpdateTable"]
    assert sorted(each["TableInput"]["Name"] for each in updates) == sorted(f"{name}_current" for name in NAMES)
    assert {each["SkipArchive"] for each in updates} == {True}


def test_an_older_run_adds_its_partitions_and_the_current_tables_stay(lake: Lake) -> None:
    lake.put_run(MONDAY)
    lake.put_run(TUESDAY)
    assert lake.register() == 0
    lake.service.calls.clear()
    assert lake.register("--run", MONDAY) == 0
    assert lake.current() == places(TUESDAY)
    assert {*lake.partitions("rfm")} == {MONDAY, TUESDAY}
    assert changes(lake) == ["BatchCreatePartition"] * len(NAMES)


def test_tables_that_were_taken_over_are_where_the_earlier_run_wrote_them(lake: Lake) -> None:
    lake.put_run(MONDAY)
    lake.put_run(TUESDAY, elsewhere=dict.fromkeys((*CHECKED, "transactions"), MONDAY))
    assert lake.register() == 0
    assert (lake.current()["orders"], lake.current()["rfm"]) == (f"{MONDAY}/orders", f"{TUESDAY}/rfm")
    assert lake.partitions("orders") == {TUESDAY: f"{MONDAY}/orders"}


def test_of_a_table_that_the_run_lacks_the_current_one_shows_no_other_run(lake: Lake) -> None:
    lake.put_run(MONDAY)
    assert lake.register() == 0
    lake.put_run(TUESDAY, ("transactions", "purchases", "rfm"))
    assert lake.register() == 0
    # Nothing is there, so Athena finds no row.
    assert lake.current() == places(TUESDAY)
    assert not lake.folder.exists("runs", TUESDAY, "customer_segments")
    assert {*lake.partitions("customer_segments")} == {*lake.partitions("orders")} == {MONDAY}
    assert {*lake.partitions("rfm")} == {MONDAY, TUESDAY}


def test_a_run_without_scores_has_no_partition_of_figures(lake: Lake) -> None:
    lake.put_run(MONDAY)
    lake.put_run(TUESDAY, CHECKED, has_scores=False, becomes_current=False)
    assert lake.register("--run", TUESDAY) == 0
    assert {*lake.partitions("orders")} == {MONDAY, TUESDAY}
    assert {*lake.partitions("segment_figures")} == {*lake.partitions("rfm")} == {MONDAY}


def test_while_no_run_is_current_there_are_partitions_alone(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    lake.put_run(MONDAY, becomes_current=False)
    assert lake.register("--run", MONDAY) == 0
    assert set(lake.tables()) == NAMES
    assert "no run is current" in capsys.readouterr().out
    assert lake.register() == 2
    assert "no current run there, so nothing to register" in capsys.readouterr().err


@pytest.mark.long
def test_partitions_of_pruned_runs_are_removed(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    # More than one call removes.
    gone = [f"2018-09-{day:02}-nightly" for day in range(1, MOST_DELETED + 3)]
    pruned = lake.put_run("2018-08-31-nightly")
    assert lake.register() == 0
    lake.put_run(MONDAY, COMPUTED)
    assert lake.register() == 0
    storage = lake.table("rfm")["StorageDescriptor"]
    # A partition of somebody's own is no run.
    added = [{"Values": [value], "StorageDescriptor": storage} for value in (*gone, "mine")]
    lake.service.moto.batch_create_partition(DatabaseName=CATALOGUE, TableName="rfm", PartitionInputList=added)
    assert len(lake.partitions("rfm")) == len(gone) + 3
    lake.folder.remove("runs", pruned)
    lake.put_run(TUESDAY)
    assert lake.register() == 0
    assert {*lake.partitions("rfm")} == {MONDAY, TUESDAY, "mine"}
    assert {*lake.partitions("segment_figures")} == {MONDAY, TUESDAY}
    assert f"partitions of {len(gone) + 1} runs that are gone were removed" in capsys.readouterr().out


def test_when_a_schema_changed_the_table_and_all_its_partitions_have_the_new_columns(lake: Lake) -> None:
    lake.put_run(MONDAY)
    assert lake.register() == 0
    old = [{"Name": "cluster", "Type": "bigint"}]
    for name in ("customer_segments", "segment_figures"):
        table = lake.table(name)
        storage = {**table["StorageDescriptor"], "Columns": old}
        parameters = {**table["Parameters"], "owner_team": "crm"}
        lake.service.moto.update_table(
            DatabaseName=CATALOGUE,
            TableInput={"Name": name, "StorageDescriptor": storage, "Parameters": parameters},
        )
        place = {"Location": f"{lake.output}/runs/{places(MONDAY)[name]}/"}
        lake.service.moto.update_partition(
            DatabaseName=CATALOGUE,
            TableName=name,
            PartitionValueList=[MONDAY],
            PartitionInput={"Values": [MONDAY], "StorageDescriptor": {**storage, **place}},
        )
    lake.put_run(TUESDAY)
    assert lake.register() == 0
    for name in ("customer_segments", "segment_figures"):
        columns = lake.table(name)["StorageDescriptor"]["Columns"]
        assert len(columns) > 1
        partitions = lake.service.moto.get_partitions(DatabaseName=CATALOGUE, TableName=name)["Partitions"]
        assert [each["StorageDescriptor"]["Columns"] for each in partitions] == [columns, columns]
        assert lake.partitions(name) == {run_id: places(run_id)[name] for run_id in (MONDAY, TUESDAY)}
        # What others said of the table stays.
        assert lake.table(name)["Parameters"]["owner_team"] == "crm"


def test_a_partition_that_leads_elsewhere_is_put_right(lake: Lake) -> None:
    lake.put_run(MONDAY)
    assert lake.register() == 0
    storage = {**lake.table("rfm")["StorageDescriptor"], "Location": f"{lake.output}/runs/elsewhere/"}
    lake.service.moto.update_partition(
        DatabaseName=CATALOGUE,
        TableName="rfm",
        PartitionValueList=[MONDAY],
        PartitionInput={"Values": [MONDAY], "StorageDescriptor": storage},
    )
    assert lake.register() == 0
    assert lake.partitions("rfm") == {MONDAY: f"{MONDAY}/rfm"}


@pytest.mark.parametrize("after", [0, 1, 5, 13])
@pytest.mark.long
def test_of_two_runs_at_once_the_current_tables_show_one_run_entirely(lake: Lake, after: int) -> None:
    lake.put_run(MONDAY)
    assert lake.register() == 0
    lake.put_run(TUESDAY)

    def count_down(left: int) -> None:
        if left:
            lake.service.before("UpdateTable", lambda: count_down(left - 1))
            return
        # Tuesday's registration has read the pointer, and moved some tables. Wednesday's ends meanwhile.
        lake.put_run(WEDNESDAY)
        assert lake.register() == 0
        assert lake.current() == places(WEDNESDAY)
        lake.service.calls.clear()

    lake.service.before("UpdateTable", lambda: count_down(after))
    assert lake.register("--run", TUESDAY) == 0
    # Tuesday's registration sees that the tables changed since it read them, and moves none back for a moment.
    assert [call.outcome for call in lake.service.calls if call.operation == "UpdateTable"] == [
        "ConcurrentModificationException"
    ]
    assert lake.current() == places(WEDNESDAY)
    assert [{*lake.partitions(name)} for name in NAMES] == [{MONDAY, TUESDAY, WEDNESDAY}] * len(NAMES)


@pytest.mark.parametrize("operation", ["CreateTable", "BatchCreatePartition", "GetPartitions"])
def test_two_first_runs_at_once_make_one_set_of_tables(lake: Lake, operation: str) -> None:
    lake.put_run(MONDAY)

    def second() -> None:
        lake.put_run(TUESDAY)
        assert lake.register() == 0

    lake.service.before(operation, second)
    assert lake.register("--run", MONDAY) == 0
    assert lake.current() == places(TUESDAY)
    assert {*lake.partitions("rfm")} == {MONDAY, TUESDAY}


def test_the_pointer_may_move_after_the_tables_did(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.put_run(MONDAY)
    read = RunStore.current
    reads = []

    def move_before_the_last_read(store: RunStore) -> object:
        reads.append(1)
        # The command reads it for the run, the registration before the moves, and once more after them.
        if len(reads) == 3:
            lake.put_run(TUESDAY)
        return read(store)

    monkeypatch.setattr(RunStore, "current", move_before_the_last_read)
    assert lake.register() == 0
    assert len(reads) == 5
    # Nobody else registered Tuesday's run: this registration did.
    assert lake.current() == places(TUESDAY)
    assert {*lake.partitions("rfm")} == {MONDAY, TUESDAY}


def test_a_pointer_that_never_rests_ends_with_4(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registration, "ATTEMPTS", 3)
    monkeypatch.setattr(registration, "LONGEST_WAIT", 0)
    lake.put_run(MONDAY)
    lake.service.faults.respond_with(
        "CreateTable", ServiceError("ConcurrentModificationException", "Try again"), times=3
    )
    assert lake.register() == 4
    error = capsys.readouterr().err
    assert "changed 3 times while run 2018-10-15-nightly was registered" in error
    assert error.count("\n") == 1


def test_tables_of_somebody_else_are_refused_before_anything_is_changed(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.put_run(MONDAY)
    theirs = {"Name": "orders_current", "StorageDescriptor": {"Location": "s3://bank/orders/"}}
    lake.service.moto.create_table(DatabaseName=CATALOGUE, TableInput=theirs)
    assert lake.register() == 2
    assert "table orders_current there is of something else, expected one of s3://" in capsys.readouterr().err
    assert [*lake.tables()] == ["orders_current"]


def test_another_folder_of_runs_needs_another_database(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    lake.put_run(MONDAY)
    assert lake.register() == 0
    other = Lake(type(lake.folder)(lake.folder.bucket, "other"), lake.service)
    other.put_run(TUESDAY)
    assert other.register() == 2
    assert f"is of {lake.output}, expected one of {other.output}" in capsys.readouterr().err
    assert lake.current() == places(MONDAY)


def test_a_run_that_is_not_complete_is_refused(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    lake.put_run(MONDAY)
    lake.folder.write_text("{}", "runs", TUESDAY, "failure.json")
    assert lake.register("--run", TUESDAY) == 2
    assert "is not complete" in capsys.readouterr().err
    assert lake.tables() == {}


@pytest.mark.parametrize("uri", ["s3a://{bucket}/some/output/", "S3://{bucket}/some/output"])
def test_the_folder_is_the_same_however_it_is_written(lake: Lake, uri: str) -> None:
    lake.put_run(MONDAY)
    assert lake.register() == 0
    lake.service.calls.clear()
    lake.output = uri.format(bucket=lake.folder.bucket)
    assert lake.register() == 0
    assert changes(lake) == []
