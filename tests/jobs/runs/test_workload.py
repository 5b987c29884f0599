"""What Spark is started for: whether it reaches S3, and whether so little is read that the run is soon over."""

import pytest

from expectations.contracts.olist import CUSTOMERS, ORDERS
from jobs.inputs.catalogue import CatalogueTable
from jobs.inputs.input_files import RawInput
from jobs.runs.workload import workload_of
from jobs.storage.folder import StoredFile

MEBIBYTE = 2**20


def read_from(*files: tuple[str, int]) -> RawInput:
    """A raw table in files of a name and a size in MiB each."""
    stored = tuple(StoredFile(name, size * MEBIBYTE, "checksum", 0) for name, size in files)
    return RawInput(CUSTOMERS, "csv", files=stored)


@pytest.mark.parametrize(
    ("files", "is_small"),
    [
        ([("customers.csv", 64)], True),
        ([("customers.csv", 65)], False),
        ([("CUSTOMERS.CSV", 64)], True),
        ([("part-1.csv", 40), ("part-2.csv", 25)], False),
        ([("customers.csv.gz", 12)], True),
        ([("customers.csv.gz", 13)], False),
        ([("customers.parquet", 13)], False),
    ],
)
def test_up_to_64_mib_of_plain_csv_are_small_and_a_fifth_of_that_if_it_is_packed(
    files: list[tuple[str, int]], *, is_small: bool
) -> None:
    assert workload_of([read_from(*files)], "raw", "output").is_small is is_small


def test_the_files_of_all_tables_count_together() -> None:
    tables = [read_from(("customers.csv", 40)), read_from(("orders.csv", 25))]
    assert not workload_of(tables, "raw", "output").is_small


def test_a_table_of_the_catalogue_may_be_of_any_size() -> None:
    table = RawInput(ORDERS, "table", table=CatalogueTable("lake.orders"))
    assert not workload_of([table], "table:lake", "output").is_small


@pytest.mark.parametrize(
    ("uri", "output", "reaches_s3"),
    [("raw", "output", False), ("s3://lake/raw", "output", True), ("raw", "s3a://lake/output", True)],
)
def test_s3_is_reached_for_the_input_or_for_the_output(uri: str, output: str, *, reaches_s3: bool) -> None:
    assert workload_of([read_from(("customers.csv", 1))], uri, output).reaches_s3 is reaches_s3
