"""The data dictionary is what the code says."""

from pathlib import Path

from jobs.warehouse.data_dictionary import data_dictionary
from transforms.data_dictionary import (
    COLUMN_DESCRIPTIONS,
    FIGURE_COLUMN_DESCRIPTIONS,
    FIGURE_TABLE_DESCRIPTIONS,
    TABLE_DESCRIPTIONS,
)
from transforms.figure_schemas import FIGURES
from transforms.schemas import TABLES

PAGE = Path(__file__).parents[3] / "docs" / "data-dictionary.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == data_dictionary()


def test_every_table_and_column_has_a_description() -> None:
    assert set(TABLES) <= set(TABLE_DESCRIPTIONS)
    assert {name for schema in TABLES.values() for name in schema.fieldNames()} <= set(COLUMN_DESCRIPTIONS)
    assert set(FIGURES) == set(FIGURE_TABLE_DESCRIPTIONS)
    assert {name for schema in FIGURES.values() for name in schema.fieldNames()} == set(FIGURE_COLUMN_DESCRIPTIONS)
