"""The data dictionary, from the constants that the tables are made of.

``python -m jobs.warehouse.data_dictionary`` prints it.
"""

import sys
from collections.abc import Iterator

from jobs.warehouse.ddl import (
    PIPELINE_RUNS,
    PIPELINE_RUNS_SCHEMA,
    duckdb_type,
    layout_of,
    redshift_type,
)
from transforms.data_dictionary import COLUMN_DESCRIPTIONS, TABLE_DESCRIPTIONS
from transforms.schemas import KEYS, MONEY_COLUMNS, TABLES

INTRODUCTION = """\
# Data dictionary

The tables of a run: as Parquet in its folder, and in a warehouse ([warehouse.md](warehouse.md)). This page is made from
the code: `python -m jobs.warehouse.data_dictionary > docs/data-dictionary.md`.

Money is decimal with four places. Times are wall-clock, without a time zone. Key columns are never null; in
`transactions`, `purchases` and `rfm` no column is.
"""

RECORD = {
    "load_number": "Counts the loads; the highest is what the tables hold.",
    "load_id": "The load's own identifier.",
    "run_id": "The run that was loaded.",
    "as_of": "The last day that counts in it.",
    "loaded_at": "When, by the warehouse's clock, in UTC.",
    "configuration_hash": "Hash of the run's settings: runs of one hash went by the same.",
    "tables": "Rows and money of each table, as JSON.",
}


def data_dictionary() -> str:
    """The page."""
    return "\n".join([INTRODUCTION, *_tables(), *_record()])


def _tables() -> Iterator[str]:
    for table, schema in TABLES.items():
        layout = layout_of(table)
        money = f" Its money: the sum of `{MONEY_COLUMNS[table]}`." if table in MONEY_COLUMNS else ""
        yield f"## {table}\n"
        yield f"{TABLE_DESCRIPTIONS[table]} Key: {_listed(KEYS[table])}.{money}"
        yield f"In Redshift distributed by `{layout.distribution}`, sorted by {_listed(layout.sort)}.\n"
        yield "| column | Spark | Redshift | DuckDB | |\n|---|---|---|---|---|"
        for field in schema:
            types = (field.dataType.simpleString(), redshift_type(field), duckdb_type(field))
            yield f"| {field.name} | {' | '.join(types)} | {COLUMN_DESCRIPTIONS[field.name]} |"
        yield ""


def _record() -> Iterator[str]:
    yield f"## {PIPELINE_RUNS}\n"
    yield "In a warehouse alone: one row per load. It is written in the transaction that loads the tables.\n"
    yield "| column | Redshift | DuckDB | |\n|---|---|---|---|"
    for field in PIPELINE_RUNS_SCHEMA:
        yield f"| {field.name} | {redshift_type(field)} | {duckdb_type(field)} | {RECORD[field.name]} |"
    yield ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(data_dictionary())
