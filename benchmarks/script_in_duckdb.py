"""A contender: from CSV files to RFM in DuckDB, by one script and then the workshop's SQL.

    python -m benchmarks.script_in_duckdb --script FILE --as-of DAY --results FOLDER

The script is that of `contract_sql`: it writes checked tables and quarantine, and leaves views over the tables.
"""

import argparse
import sys
from datetime import date
from pathlib import Path

from benchmarks.in_duckdb import all_tables, connected
from benchmarks.workshop_sql import CHECKED_TABLES

QUARANTINE = "quarantine"


def main() -> int:
    """Run the script, then transactions, purchases and rfm."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.script_in_duckdb", allow_abbrev=False)
    parser.add_argument("--script", type=Path, required=True, help="SQL from CSV files to checked tables")
    parser.add_argument("--as-of", type=date.fromisoformat, required=True, help="last day that counts, inclusive")
    parser.add_argument("--results", type=Path, required=True, help="folder for the results, one folder per table")
    arguments = parser.parse_args()
    run_script(arguments.script.read_text(), arguments.as_of, arguments.results)
    return 0


def run_script(script: str, as_of: date, results: Path) -> None:
    """Run the script, and write transactions, purchases and rfm of the tables that it wrote.

    Args:
        script: The SQL of the checked tables.
        as_of: The last day that counts, inclusive.
        results: The folder for the tables.
    """
    for table in CHECKED_TABLES:
        (results / table).mkdir(parents=True)
        (results / QUARANTINE / table).mkdir(parents=True)
    with connected(results / "spill") as con:
        con.execute(script)
        all_tables(con, as_of, results)


if __name__ == "__main__":
    sys.exit(main())
