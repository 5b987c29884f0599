"""The figures of a report as DuckDB reads them, by the types that the schemas declare."""

from pathlib import Path
from typing import Any

import duckdb

from jobs.registering.columns import athena_type
from transforms.figure_schemas import FIGURES

Row = dict[str, Any]


def read_figures(run: Path, table: str) -> list[Row]:
    """The rows of a table in a run's folder, in their order."""
    types = {field.name: athena_type(field).replace("string", "varchar") for field in FIGURES[table]}
    path = run / "figures" / table / "part-00000.json"
    with duckdb.connect() as connection:
        rows = connection.sql(
            f"select * from read_json('{path}', format = 'newline_delimited', auto_detect = false, columns = {types})"
        )
        return [dict(zip(rows.columns, row, strict=True)) for row in rows.fetchall()]
