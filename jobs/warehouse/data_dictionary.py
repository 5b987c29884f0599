"""Writes the data dictionary from the constants that define the tables.

``python -m jobs.warehouse.data_dictionary`` prints the page.
"""

import sys
from collections.abc import Iterator, Mapping

from pyspark.sql.types import StructType

from jobs.warehouse.ddl import (
    AUDIENCES_TABLE,
    KEYS_IN_WAREHOUSE,
    PIPELINE_RUNS,
    PIPELINE_RUNS_SCHEMA,
    duckdb_type,
    layout_of,
    redshift_type,
)
from transforms.data_dictionary import (
    AUDIENCE_COLUMN_DESCRIPTIONS,
    AUDIENCES_DESCRIPTION,
    COLUMN_DESCRIPTIONS,
    FIGURE_COLUMN_DESCRIPTIONS,
    FIGURE_TABLE_DESCRIPTIONS,
    TABLE_DESCRIPTIONS,
)
from transforms.figure_schemas import FIGURES
from transforms.schemas import AUDIENCES, KEYS, MONEY_COLUMNS, TABLES

INTRODUCTION = """\
# Data dictionary

These are the tables of a run: as Parquet in its folder, and in a warehouse ([warehouse.md](warehouse.md)). The code
writes this page: `python -m jobs.warehouse.data_dictionary > docs/data-dictionary.md`.

Money is a decimal with four places. Times are wall-clock, without a time zone. Key columns are never null. In
`transactions`, `purchases` and `rfm` no column is ever null. Athena has Spark's names of the types
([catalogue.md](catalogue.md)).
"""

FIGURES_IN_WORDS = """\
## The figures of the report

A run with scores also has the figures of its report, as JSON in `figures/<table>/`, for a dashboard. They are those of
the page, and hide what the page hides. If all customers are hidden, the tables have no rows. No warehouse has them.
"""

PIPELINE_RUNS_IN_WORDS = {
    "load_number": "Number of the load. The tables hold the load with the highest number.",
    "load_id": "Identifier of the load.",
    "run_id": "The run that was loaded.",
    "as_of": "The last day that counts in the run.",
    "loaded_at": "When the load ran, by the warehouse's clock, in UTC.",
    "configuration_hash": "Hash of the run's settings. Runs with the same settings have the same hash.",
    "tables": "Rows and money of each table, as JSON.",
}


def data_dictionary() -> str:
    """The page as Markdown: the tables of a run, the others of a warehouse, and those of figures."""
    return "\n".join(
        [INTRODUCTION, *_run_tables(), *_pipeline_runs(), *_audiences(), FIGURES_IN_WORDS, *_figure_tables()]
    )


def _run_tables() -> Iterator[str]:
    for table, schema in TABLES.items():
        layout = layout_of(table)
        money = f" Its money is the sum of `{MONEY_COLUMNS[table]}`." if table in MONEY_COLUMNS else ""
        yield f"## {table}\n"
        yield f"{TABLE_DESCRIPTIONS[table]} Key: {_code_list(KEYS[table])}.{money}"
        yield f"Redshift distributes it by `{layout.distribution}` and sorts it by {_code_list(layout.sort)}.\n"
        yield "| column | Spark | Redshift | DuckDB | |\n|---|---|---|---|---|"
        for field in schema:
            types = (field.dataType.simpleString(), redshift_type(field), duckdb_type(field))
            yield f"| {field.name} | {' | '.join(types)} | {COLUMN_DESCRIPTIONS[field.name]} |"
        yield ""


def _pipeline_runs() -> Iterator[str]:
    yield f"## {PIPELINE_RUNS}\n"
    yield "Only in a warehouse: one row per load, written in the transaction that loads the tables.\n"
    yield from _warehouse_columns(PIPELINE_RUNS_SCHEMA, PIPELINE_RUNS_IN_WORDS)


def _audiences() -> Iterator[str]:
    key, layout = KEYS_IN_WAREHOUSE[AUDIENCES_TABLE], layout_of(AUDIENCES_TABLE)
    yield f"## {AUDIENCES_TABLE}\n"
    yield (
        "Only in a warehouse, and no table of a run: each export that is loaded adds its members, and no load of a run "
        f"changes it ([warehouse.md](warehouse.md#audiences)). {AUDIENCES_DESCRIPTION} Key: {_code_list(key)}."
    )
    yield f"Redshift distributes it by `{layout.distribution}` and sorts it by {_code_list(layout.sort)}.\n"
    yield from _warehouse_columns(AUDIENCES, AUDIENCE_COLUMN_DESCRIPTIONS)


def _warehouse_columns(schema: StructType, descriptions: Mapping[str, str]) -> Iterator[str]:
    yield "| column | Redshift | DuckDB | |\n|---|---|---|---|"
    for field in schema:
        yield f"| {field.name} | {redshift_type(field)} | {duckdb_type(field)} | {descriptions[field.name]} |"
    yield ""


def _figure_tables() -> Iterator[str]:
    for table, schema in FIGURES.items():
        yield f"### {table}\n"
        yield f"{FIGURE_TABLE_DESCRIPTIONS[table]}\n"
        yield "| column | type | |\n|---|---|---|"
        for field in schema:
            yield f"| {field.name} | {field.dataType.simpleString()} | {FIGURE_COLUMN_DESCRIPTIONS[field.name]} |"
        yield ""


def _code_list(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(data_dictionary())
