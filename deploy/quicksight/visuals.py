"""The kinds of visuals of the dashboard. Each has a title, a subtitle with its unit, and a text for screen readers.

A null is neither a zero nor a part of a total. Bars leave its place empty, lines have a gap there, a heat map has a
colour of its own for it, and tables say that it is not shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy.quicksight.fields import Direction, Fields

ACCENT, QUIET, INK, MUTED, RULE, PAPER = "#0B62B8", "#AAB4C0", "#1C2530", "#566270", "#DDE2E8", "#FFFFFF"
"""The report's colours (`jobs/reports/pages/report.css`)."""
LIGHTEST, DARKEST = "#F3F7FB", "#91B8DF"
"""The report's accent on its paper at 5 % and at 45 %, between which its grid lies. Text stays readable on both."""

MOST_CATEGORIES = 125
"""As many segments as there are cells of scores. QuickSight would merge those after its own limit into one."""
MOST_DAYS = 400
"""As many runs as the report's trend has."""

VISIBLE, HIDDEN = {"Visibility": "VISIBLE"}, {"Visibility": "HIDDEN"}


@dataclass(frozen=True)
class Words:
    """What a visual says about itself.

    Attributes:
        title: what it shows.
        unit: of what, in which unit.
        alternative: what somebody reads who does not see it.
    """

    title: str
    unit: str
    alternative: str


def bars(
    fields: Fields, words: Words, *, category: str, values: Sequence[dict[str, Any]], order: dict[str, Any]
) -> dict[str, Any]:
    """Horizontal bars, one for each value of a category; of two measures, two beside each other."""
    is_alone = len(values) == 1
    configuration = {
        "FieldWells": {
            "BarChartAggregatedFieldWells": {"Category": [fields.dimension(category)], "Values": list(values)}
        },
        "SortConfiguration": {
            "CategorySort": [order],
            "CategoryItemsLimit": {"ItemsLimit": MOST_CATEGORIES, "OtherCategories": "EXCLUDE"},
        },
        "Orientation": "HORIZONTAL",
        "BarsArrangement": "CLUSTERED",
        "CategoryLabelOptions": HIDDEN,
        "ValueLabelOptions": HIDDEN,
        "DataLabels": {**VISIBLE, "Overlap": "DISABLE_OVERLAP"},
        "Legend": HIDDEN if is_alone else {**VISIBLE, "Position": "TOP"},
    }
    return _visual("BarChartVisual", fields, words, configuration)


def lines(fields: Fields, words: Words, *, day: str, value: dict[str, Any], each: str) -> dict[str, Any]:
    """A small line chart for each value of a column, all with the same axes. Days without a figure are gaps."""
    configuration = {
        "FieldWells": {
            "LineChartAggregatedFieldWells": {
                "Category": [fields.dimension(day)],
                "Values": [value],
                "SmallMultiples": [fields.dimension(each)],
            }
        },
        "SortConfiguration": {
            "CategorySort": [fields.sort(day, "ASC")],
            "CategoryItemsLimitConfiguration": {"ItemsLimit": MOST_DAYS, "OtherCategories": "EXCLUDE"},
            "SmallMultiplesLimitConfiguration": {"ItemsLimit": MOST_CATEGORIES, "OtherCategories": "EXCLUDE"},
        },
        "SmallMultiplesOptions": {
            "MaxVisibleRows": 3,
            "MaxVisibleColumns": 3,
            "PanelConfiguration": {"Title": VISIBLE},
        },
        "Type": "LINE",
        "PrimaryYAxisDisplayOptions": {"MissingDataConfigurations": [{"TreatmentOption": "SHOW_AS_BLANK"}]},
        "XAxisLabelOptions": HIDDEN,
        "PrimaryYAxisLabelOptions": HIDDEN,
        "DefaultSeriesSettings": {"MarkerStyleSettings": {"MarkerVisibility": "VISIBLE", "MarkerShape": "CIRCLE"}},
        "Legend": HIDDEN,
    }
    return _visual("LineChartVisual", fields, words, configuration)


@dataclass(frozen=True)
class Axis:
    """An axis of a heat map: its words, and the number that orders them."""

    column: str
    ordered_by: str
    direction: Direction


def heat_map(fields: Fields, words: Words, *, rows: Axis, columns: Axis, value: dict[str, Any]) -> dict[str, Any]:
    """A grid whose cells are the darker, the more they have. A cell without a figure is grey."""
    limit = {"ItemsLimit": MOST_CATEGORIES, "OtherCategories": "EXCLUDE"}
    configuration = {
        "FieldWells": {
            "HeatMapAggregatedFieldWells": {
                "Rows": [fields.dimension(rows.column)],
                "Columns": [fields.dimension(columns.column)],
                "Values": [value],
            }
        },
        "SortConfiguration": {
            "HeatMapRowSort": [fields.sort_by_column(rows.ordered_by, rows.direction)],
            "HeatMapColumnSort": [fields.sort_by_column(columns.ordered_by, columns.direction)],
            "HeatMapRowItemsLimitConfiguration": limit,
            "HeatMapColumnItemsLimitConfiguration": limit,
        },
        "RowLabelOptions": HIDDEN,
        "ColumnLabelOptions": HIDDEN,
        "ColorScale": {
            "Colors": [{"Color": LIGHTEST}, {"Color": DARKEST}],
            "ColorFillType": "GRADIENT",
            "NullValueColor": {"Color": RULE},
        },
        "DataLabels": {**VISIBLE, "LabelColor": INK, "Overlap": "ENABLE_OVERLAP"},
    }
    return _visual("HeatMapVisual", fields, words, configuration)


def table(
    fields: Fields, words: Words, *, groups: Sequence[str], values: Sequence[dict[str, Any]], order: dict[str, Any]
) -> dict[str, Any]:
    """A table, without a row of totals: it would be less than the whole where a cell is hidden."""
    configuration = {
        "FieldWells": {
            "TableAggregatedFieldWells": {
                "GroupBy": [fields.dimension(name) for name in groups],
                "Values": list(values),
            }
        },
        "SortConfiguration": {"RowSort": [order]},
        "TotalOptions": {"TotalsVisibility": "HIDDEN"},
    }
    return _visual("TableVisual", fields, words, configuration)


def figure(fields: Fields, words: Words, *, value: dict[str, Any]) -> dict[str, Any]:
    """One number."""
    return _visual("KPIVisual", fields, words, {"FieldWells": {"Values": [value]}})


def _visual(kind: str, fields: Fields, words: Words, configuration: dict[str, Any]) -> dict[str, Any]:
    return {
        kind: {
            "VisualId": fields.visual,
            "Title": {**VISIBLE, "FormatText": {"PlainText": words.title}},
            "Subtitle": {**VISIBLE, "FormatText": {"PlainText": words.unit}},
            "ChartConfiguration": configuration,
            "VisualContentAltText": words.alternative,
        }
    }
