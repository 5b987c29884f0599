"""Write an Olist-shaped data set of any size: three CSV files with Kaggle's names, headers and quoting.

It serves the first run, load tests and benchmarks. Olist's own data is licensed for non-commercial use and is not part
of this project. These rows are drawn; only their shape is Olist's.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.contracts.olist import CUSTOMERS, ORDERS, PAYMENTS
from jobs.cli import interruptions
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, add_version, at_least_one
from jobs.errors import ConfigurationError
from jobs.sample_data.olist_facts import ORDERS_OF_OLIST
from jobs.sample_data.olist_shape import Shape
from jobs.spark.session import spark_session
from jobs.storage.folder import Folder
from jobs.storage.local import LocalFolder
from jobs.storage.uris import folder_at

MOST_ORDERS_IN_ONE_FILE = 2_000_000
"""Above this each CSV is a folder of part files, since one task reads one file."""

ORDERS_PER_TASK, ORDERS_PER_PART_FILE = 50_000, 500_000
"""Sizes of a partition. They do not depend on the number of cores, so the bytes do not either."""

DESCRIPTION = """\
Write an Olist-shaped data set: the three CSV files of Kaggle's "Brazilian E-Commerce Public Dataset by Olist" that
the pipeline reads, with drawn rows. The same arguments give the same bytes on any machine.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Write a sample; see ``--help``."""
    return run_main("sample", lambda: _write_from_argv(argv))


def write_sample(session: SparkSession, folder: LocalFolder, *, orders: int, seed: int) -> None:
    """Write the three files of a data set into a folder, in place of those of an earlier sample.

    Args:
        session: writes the lines.
        folder: where the files go; it must exist.
        orders: rows of the orders file.
        seed: another seed draws other rows.
    """
    shape = Shape(orders=orders, seed=seed)
    lines = {CUSTOMERS: customer_lines, ORDERS: order_lines, PAYMENTS: payment_lines}
    for turn, (contract, lines_of) in enumerate(lines.items()):
        positions = session.range(0, orders, 1, numPartitions=_partitions(orders))
        in_file_order = positions.select(shape.scattered("id", turn=turn).alias("order"))
        _write_csv(lines_of(in_file_order, shape), contract, folder, in_one_file=orders <= MOST_ORDERS_IN_ONE_FILE)


def customer_lines(orders: DataFrame, shape: Shape) -> DataFrame:
    """The lines of the customers file. Grain: one per order, since each order has its own customer_id."""
    return (
        orders.transform(shape.with_person)
        .transform(shape.with_place)
        .select(
            _line(
                _quoted(shape.identifier("account", "order")),
                _quoted(shape.identifier("person", "person")),
                _quoted(F.col("zip_code")),
                F.when(F.col("city").contains(","), _quoted(F.col("city"))).otherwise(F.col("city")),
                F.col("state"),
            )
        )
    )


def order_lines(orders: DataFrame, shape: Shape) -> DataFrame:
    """The lines of the orders file. Grain: one per order."""
    seconds = ("purchase", "approved", "handed_over", "delivered", "expected")
    return (
        orders.transform(shape.with_person)
        .transform(shape.with_purchase_second)
        .transform(shape.with_status)
        .transform(shape.with_delivery)
        .select(
            _line(
                _quoted(shape.identifier("order", "order")),
                _quoted(shape.identifier("account", "order")),
                F.col("status"),
                *[F.timestamp_seconds(f"{name}_second") for name in seconds],
            )
        )
    )


def payment_lines(orders: DataFrame, shape: Shape) -> DataFrame:
    """The lines of the payments file. Grain: one per payment row of an order."""
    return (
        orders.transform(shape.with_payment_rows)
        .transform(shape.with_payment)
        .select(
            _line(
                _quoted(shape.identifier("order", "order")),
                F.col("sequential"),
                F.col("payment_type"),
                F.col("installments"),
                F.col("payment_value"),
            )
        )
    )


def _line(*fields: Column) -> Column:
    return F.concat_ws(",", *[F.coalesce(field.cast("string"), F.lit("")) for field in fields]).alias("line")


def _quoted(text: Column) -> Column:
    return F.concat(F.lit('"'), text, F.lit('"'))


def _partitions(orders: int) -> int:
    per_partition = ORDERS_PER_TASK if orders <= MOST_ORDERS_IN_ONE_FILE else ORDERS_PER_PART_FILE
    return -(-orders // per_partition)


def _write_csv(lines: DataFrame, contract: FileContract, folder: LocalFolder, *, in_one_file: bool) -> None:
    """Write a header and the lines in their order: as one file, or as a folder with one file per partition."""
    header = ",".join(f'"{name}"' for name in contract.source_columns) + "\n"
    target = folder.path / f"{contract.file}.csv"
    with tempfile.TemporaryDirectory(dir=folder.path, prefix=".sample-") as scratch:
        lines.write.text(f"file://{Path(scratch, 'lines')}")
        parts = sorted(Path(scratch, "lines").glob("part-*"))
        complete = Path(scratch, "complete")
        if in_one_file:
            _concatenate(header, parts, complete)
        else:
            complete.mkdir()
            for number, part in enumerate(parts):
                _concatenate(header, [part], complete / f"part-{number:05d}.csv")
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        complete.rename(target)


def _concatenate(header: str, parts: Sequence[Path], target: Path) -> None:
    with target.open("wb") as file:
        file.write(header.encode())
        for part in parts:
            with part.open("rb") as lines:
                shutil.copyfileobj(lines, file)


def _write_from_argv(argv: Sequence[str] | None) -> None:
    parser = OneLineParser(prog="python -m jobs.sample", description=DESCRIPTION, allow_abbrev=False)
    parser.add_argument(
        "--orders",
        type=at_least_one,
        default=ORDERS_OF_OLIST,
        help="rows of the orders file (default: %(default)s, as Olist)",
    )
    parser.add_argument("--seed", type=int, default=42, help="another seed, other rows (default: %(default)s)")
    parser.add_argument("--output", required=True, metavar="FOLDER", help="where the files go; created if missing")
    add_version(parser)
    arguments = parser.parse_args(argv)
    folder = folder_at(arguments.output, argument="--output")
    if isinstance(folder, LocalFolder):
        _write_to(folder, arguments)
    else:
        _upload_to(folder, arguments)


def _write_to(folder: LocalFolder, arguments: argparse.Namespace) -> None:
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder.path).close()
    except OSError as error:
        raise ConfigurationError(
            f"--output {arguments.output}: cannot write there ({error.strerror}). Give another folder"
        ) from None
    with spark_session("sample") as session:
        interruptions.state_is(f"{arguments.output} may hold files of two samples; write the sample again")
        write_sample(session, folder, orders=arguments.orders, seed=arguments.seed)


def _upload_to(folder: Folder, arguments: argparse.Namespace) -> None:
    """Write the files on this machine and upload them: S3 could not join the parts of a file."""
    folder.names()  # fails before the sample is drawn if the bucket does not exist
    with tempfile.TemporaryDirectory(prefix="sample-") as scratch:
        _write_to(LocalFolder(Path(scratch)), arguments)
        for name in folder.names():
            if name in {f"{contract.file}.csv" for contract in (CUSTOMERS, ORDERS, PAYMENTS)}:
                folder.remove(name)
        folder.copy_in(Path(scratch))


if __name__ == "__main__":
    sys.exit(main())
