"""The fields of a visual: columns as dimensions and measures, and the order of what they show."""

from dataclasses import dataclass
from typing import Any, Literal

from deploy.quicksight.data_sets import Column, columns_of

Aggregation = Literal["SUM", "MAX", "MIN", "AVERAGE"]
Direction = Literal["ASC", "DESC"]

NO_FIGURE = "not shown"
"""What a table has for a null: most are small cells, which are hidden. A null is no zero."""
NO_TEXT = "none"


@dataclass(frozen=True)
class Fields:
    """The fields of one visual, over one data set.

    Attributes:
        visual: its id, with which the ids of its fields begin.
        table: whose data set it shows.
    """

    visual: str
    table: str

    def field_id(self, column: str) -> str:
        """The id of a column's field. A visual has each column once."""
        return f"{self.visual}-{column}"

    def dimension(self, name: str) -> dict[str, Any]:
        """A column that groups rows, by its type. Days stay days."""
        field: dict[str, Any] = {"FieldId": self.field_id(name), "Column": column_identifier(self.table, name)}
        column = columns_of(self.table)[name]
        if column.type == "DATETIME":
            return {"DateDimensionField": {**field, "DateGranularity": "DAY"}}
        kind = "NumericalDimensionField" if column.is_number else "CategoricalDimensionField"
        return {kind: field}

    def measure(self, name: str, aggregation: Aggregation = "SUM") -> dict[str, Any]:
        """A column whose values are added up, or aggregated in another way.

        Raises:
            ValueError: The column is no number.
        """
        if not columns_of(self.table)[name].is_number:
            raise ValueError(f"{self.table}.{name}: expected a number to aggregate")
        return {
            "NumericalMeasureField": {
                "FieldId": self.field_id(name),
                "Column": column_identifier(self.table, name),
                "AggregationFunction": {"SimpleNumericalAggregation": aggregation},
            }
        }

    def sort(self, name: str, direction: Direction) -> dict[str, Any]:
        """The order by a field of the visual."""
        return {"FieldSort": {"FieldId": self.field_id(name), "Direction": direction}}

    def sort_by_column(self, name: str, direction: Direction) -> dict[str, Any]:
        """The order by a number that the visual does not show, such as the score of a band in words."""
        return {
            "ColumnSort": {
                "SortBy": column_identifier(self.table, name),
                "Direction": direction,
                "AggregationFunction": {"NumericalAggregationFunction": {"SimpleNumericalAggregation": "MIN"}},
            }
        }


def column_identifier(table: str, name: str) -> dict[str, str]:
    """A column, as a definition names it."""
    return {"DataSetIdentifier": table, "ColumnName": columns_of(table)[name].shown}


def column_configuration(table: str, column: Column) -> dict[str, Any]:
    """How a column is written wherever the dashboard shows it.

    The kinds are those of the report: shares in percent to one decimal, money to the cent, means to one decimal, and
    whole numbers.
    """
    return {"Column": column_identifier(table, column.name), "FormatConfiguration": _format(column)}


def _format(column: Column) -> dict[str, Any]:
    if column.type == "STRING":
        return {"StringFormatConfiguration": {"NullValueFormatConfiguration": {"NullString": NO_TEXT}}}
    if column.type == "DATETIME":
        return {"DateTimeFormatConfiguration": {"DateTimeFormat": "YYYY-MM-DD"}}
    is_share = column.name.startswith("share_")
    decimals = {"FIXED": 2, "FLOAT": 1, None: 0}[column.subtype]
    number = {
        "SeparatorConfiguration": {
            "DecimalSeparator": "DOT",
            "ThousandsSeparator": {"Symbol": "COMMA", "Visibility": "VISIBLE"},
        },
        "DecimalPlacesConfiguration": {"DecimalPlaces": decimals},
        "NullValueFormatConfiguration": {"NullString": NO_FIGURE},
    }
    kind = "PercentageDisplayFormatConfiguration" if is_share else "NumberDisplayFormatConfiguration"
    return {
        "NumberFormatConfiguration": {
            "FormatConfiguration": {kind: number if is_share else {**number, "NumberScale": "NONE"}}
        }
    }
