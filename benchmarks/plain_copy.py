"""Copy the three CSV files to typed Parquet without validation, as a notebook would.

    python -m benchmarks.plain_copy --input FOLDER --results FOLDER

Prints the seconds of each table as JSON. An invalid value silently becomes null.
"""

import argparse
import json
import time
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from expectations.contracts.olist import FILE_CONTRACTS
from jobs.inputs.input_files import find_inputs
from jobs.spark.session import spark_session


def main() -> None:
    """Copy the tables, and print the seconds of each one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plain_copy", allow_abbrev=False)
    parser.add_argument("--input", required=True, metavar="FOLDER", help="folder of the CSV files")
    parser.add_argument("--results", type=Path, required=True, metavar="FOLDER", help="folder for the tables")
    arguments = parser.parse_args()
    with spark_session("plain copy") as session:
        print(json.dumps(_copy_tables(session, arguments.input, arguments.results)))


def _copy_tables(session: SparkSession, folder: str, results: Path) -> dict[str, float]:
    seconds = {}
    for source in find_inputs(folder, FILE_CONTRACTS):
        contract = source.contract
        columns = [
            F.col(contract.source_name(column.name)).try_cast(column.dataType).alias(column.name)
            for column in contract.schema.fields
        ]
        started = time.monotonic()
        rows = session.read.options(header=True, escape='"').csv(list(source.uris))
        rows.select(*columns).write.parquet(f"file://{results / contract.table}")
        seconds[contract.table] = time.monotonic() - started
    return seconds


if __name__ == "__main__":
    main()
