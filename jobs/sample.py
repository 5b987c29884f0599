"""Write a data set of any size: Olist's three CSV files, with Kaggle's names, headers and quoting, or a bank's ledger.

They serve the first run, load tests and benchmarks. Olist's own data is licensed for non-commercial use and is not part
of this project. These rows are drawn; only their shape is Olist's.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from expectations.contracts.contract import FileContract
from expectations.contracts.olist import CUSTOMERS, ORDERS, PAYMENTS
from jobs.cli import interruptions
from jobs.cli.main import run_main
from jobs.cli.parser import OneLineParser, add_version, at_least_one
from jobs.errors import ConfigurationError
from jobs.sample_data.ledger_facts import DEFAULT_HEAVIEST, DEFAULT_ROWS, MAPPING, MOST_HEAVIEST, MOST_ROWS
from jobs.sample_data.ledger_shape import LedgerShape, rates_csv
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

ROWS_PER_TASK = 1_000_000
"""Of a ledger: what one task draws and writes, into the few months in which its rows are."""

LEDGER_FILES = {
    # A task keeps the files of its months open, instead of sorting its rows by month, in whose order they are already.
    "spark.sql.maxConcurrentOutputFileWriters": "64",
    # As most banks' files have them: whole numbers with statistics, by which a reader skips row groups.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.writeLegacyFormat": "false",
}
"""Settings for the writing of a ledger's files, in place of the session's."""

NAMES = {
    "olist": tuple(f"{contract.file}.csv" for contract in (CUSTOMERS, ORDERS, PAYMENTS)),
    "ledger": ("transactions", "rates.csv", "ledger.yml"),
}
"""What a sample of a shape consists of, and what a new one replaces."""

OPTIONS = {"olist": ("orders",), "ledger": ("rows", "heaviest")}
"""The options that only one shape has."""

DESCRIPTION = """\
Write a data set of drawn rows. The shape olist has the three CSV files of Kaggle's "Brazilian E-Commerce Public Dataset
by Olist" that the pipeline reads; the same arguments give the same bytes on any machine. The shape ledger has the
transactions of a bank as Parquet, in a folder for each month, with a mapping and exchange rates; the same arguments
give the same rows.
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


def write_ledger(session: SparkSession, folder: LocalFolder, shape: LedgerShape) -> None:
    """Write a ledger into a folder, in place of an earlier one: transactions, rates.csv and ledger.yml.

    Args:
        session: writes the transactions.
        folder: where the files go; it must exist.
        shape: what is drawn.
    """
    transactions = shape.transactions(session, partitions=-(-shape.rows // ROWS_PER_TASK))
    with tempfile.TemporaryDirectory(dir=folder.path, prefix=".sample-") as scratch:
        whole = Path(scratch)
        with _settings(session, LEDGER_FILES):
            files = transactions.write.option("compression", "zstd").partitionBy("until")
            files.parquet(f"file://{whole / 'transactions'}")
        for checksum in whole.glob("transactions/*/.*.crc"):  # Hadoop's own, which nobody else reads
            checksum.unlink()
        (whole / "rates.csv").write_text(rates_csv(shape.seed), encoding="utf-8")
        (whole / "ledger.yml").write_text(MAPPING, encoding="utf-8")
        interruptions.state_is("--output may hold files of two samples; write the sample again")
        for name in NAMES["ledger"]:
            folder.remove(name)
            (whole / name).rename(folder.path / name)


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
        folder.remove(target.name)
        complete.rename(target)


def _concatenate(header: str, parts: Sequence[Path], target: Path) -> None:
    with target.open("wb") as file:
        file.write(header.encode())
        for part in parts:
            with part.open("rb") as lines:
                shutil.copyfileobj(lines, file)


@contextmanager
def _settings(session: SparkSession, settings: Mapping[str, str]) -> Iterator[None]:
    """Other settings of a session within a block."""
    before = {name: str(session.conf.get(name)) for name in settings}
    try:
        for name, value in settings.items():
            session.conf.set(name, value)
        yield
    finally:
        for name, value_before in before.items():
            session.conf.set(name, value_before)


def _write_from_argv(argv: Sequence[str] | None) -> None:
    arguments = _arguments(argv)
    folder = folder_at(arguments.output, argument="--output")
    if isinstance(folder, LocalFolder):
        _write_to(folder, arguments)
    else:
        _upload_to(folder, arguments)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser(prog="python -m jobs.sample", description=DESCRIPTION)
    parser.add_argument(
        "--shape", choices=tuple(NAMES), default="olist", help="what is drawn: %(choices)s (default: %(default)s)"
    )
    parser.add_argument(
        "--orders", type=at_least_one, help=f"olist: rows of the orders file (default: {ORDERS_OF_OLIST}, as Olist)"
    )
    parser.add_argument("--rows", type=_rows, help=f"ledger: transactions (default: {DEFAULT_ROWS})")
    parser.add_argument(
        "--heaviest",
        type=_share,
        metavar="SHARE",
        help=f"ledger: the share of all rows that belongs to one customer, from 0 to {MOST_HEAVIEST} "
        f"(default: {DEFAULT_HEAVIEST})",
    )
    parser.add_argument("--seed", type=int, default=42, help="another seed, other rows (default: %(default)s)")
    parser.add_argument("--output", required=True, metavar="FOLDER", help="where the files go; created if missing")
    add_version(parser)
    arguments = parser.parse_args(argv)
    for shape, options in OPTIONS.items():
        for option in options:
            if shape != arguments.shape and getattr(arguments, option) is not None:
                parser.error(
                    f"--{option} belongs to --shape {shape}: found --shape {arguments.shape}, which has "
                    f"{' and '.join(f'--{other}' for other in OPTIONS[arguments.shape])}"
                )
    return arguments


def _rows(text: str) -> int:
    rows = at_least_one(text)
    if rows > MOST_ROWS:
        raise argparse.ArgumentTypeError(f"{text!r}: expected at most {MOST_ROWS:,}")
    return rows


def _share(text: str) -> float:
    with suppress(ValueError):
        if 0 <= float(text) <= MOST_HEAVIEST:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r}: expected a share from 0 to {MOST_HEAVIEST}, such as 0.01")


def _write_to(folder: LocalFolder, arguments: argparse.Namespace) -> None:
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder.path).close()
    except OSError as error:
        raise ConfigurationError(
            f"--output {arguments.output}: cannot write there ({error.strerror}). Give another folder"
        ) from None
    with spark_session("sample") as session:
        if arguments.shape == "ledger":
            heaviest = DEFAULT_HEAVIEST if arguments.heaviest is None else arguments.heaviest
            shape = LedgerShape(rows=arguments.rows or DEFAULT_ROWS, seed=arguments.seed, heaviest=heaviest)
            write_ledger(session, folder, shape)
        else:
            interruptions.state_is(f"{arguments.output} may hold files of two samples; write the sample again")
            write_sample(session, folder, orders=arguments.orders or ORDERS_OF_OLIST, seed=arguments.seed)


def _upload_to(folder: Folder, arguments: argparse.Namespace) -> None:
    """Write the files on this machine and upload them: S3 could not join the parts of a file."""
    folder.names()  # fails before the sample is drawn if the bucket does not exist
    with tempfile.TemporaryDirectory(prefix="sample-") as scratch:
        _write_to(LocalFolder(Path(scratch)), arguments)
        interruptions.state_is(f"{arguments.output} may hold files of two samples; write the sample again")
        for name in folder.names():
            if name in NAMES[arguments.shape]:
                folder.remove(name)
        folder.copy_in(Path(scratch))


if __name__ == "__main__":
    if code := main():
        sys.exit(code)
