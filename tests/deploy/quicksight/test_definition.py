"""What the dashboard shows: columns that exist, of the right kind, each visual at its own place, and no null as 0."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.quicksight import visuals
from deploy.quicksight.fields import Fields
from tests.deploy.quicksight.api_requests import quicksight_requests

PROJECT = Path(__file__).parents[3]
CSS = PROJECT / "jobs" / "reports" / "pages" / "report.css"
PAGE = PROJECT / "docs" / "dashboard.md"

REQUESTS = quicksight_requests()
DEFINITION: dict[str, Any] = REQUESTS["Dashboard"][1]["Definition"]
SHEETS = {sheet["SheetId"]: sheet for sheet in DEFINITION["Sheets"]}

KINDS = {
    "DateDimensionField": {"DATETIME"},
    "NumericalDimensionField": {"INTEGER", "DECIMAL"},
    "CategoricalDimensionField": {"STRING"},
    "NumericalMeasureField": {"INTEGER", "DECIMAL"},
}
"""The types of columns that a field may have."""


def column_types() -> dict[str, dict[str, str]]:
    """The columns of each data set after its renaming, by the data set's name in the definition."""
    arns = {each["DataSetArn"]: each["Identifier"] for each in DEFINITION["DataSetIdentifierDeclarations"]}
    types = {}
    for operation, request in REQUESTS.values():
        if operation != "CreateDataSet":
            continue
        (logical,) = request["LogicalTableMap"].values()
        source = request["PhysicalTableMap"][logical["Source"]["PhysicalTableId"]]["RelationalTable"]
        new_names = {}
        for step in logical["DataTransforms"]:
            renaming = step["RenameColumnOperation"]
            new_names[renaming["ColumnName"]] = renaming["NewColumnName"]
        columns = {column["Name"]: column["Type"] for column in source["InputColumns"]}
        assert set(new_names) <= set(columns)
        (arn,) = (each for each in arns if each.endswith(f"/{request['DataSetId']}"))
        types[arns[arn]] = {new_names.get(name, name): kind for name, kind in columns.items()}
    assert set(types) == set(arns.values())
    return types


TYPES = column_types()


def pairs(content: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at any depth."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield key, value
            yield from pairs(value)
    elif isinstance(content, list):
        for value in content:
            yield from pairs(value)


def contents() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each visual: its sheet, its kind and its content."""
    for sheet_id, sheet in SHEETS.items():
        for visual in sheet["Visuals"]:
            ((kind, content),) = visual.items()
            yield sheet_id, kind, content


VISUALS = {content["VisualId"]: (kind, content) for _, kind, content in contents()}


def test_every_column_is_one_of_its_data_set() -> None:
    columns = [value for key, value in pairs(DEFINITION) if key in ("Column", "SortBy") and "ColumnName" in value]
    assert len(columns) > 100
    unknown = [each for each in columns if each["ColumnName"] not in TYPES[each["DataSetIdentifier"]]]
    assert unknown == []


def test_every_field_has_a_column_of_the_right_type() -> None:
    fields = [(key, value) for key, value in pairs(DEFINITION["Sheets"]) if key.endswith(("DimensionField", "Field"))]
    assert {key for key, _ in fields} == set(KINDS)
    for key, field in fields:
        column = field["Column"]
        assert TYPES[column["DataSetIdentifier"]][column["ColumnName"]] in KINDS[key], field


def test_a_text_cannot_be_added_up() -> None:
    with pytest.raises(ValueError, match=r"segment_figures\.segment: expected a number to aggregate"):
        Fields("sum", "segment_figures").measure("segment")


def test_a_visual_shows_one_data_set() -> None:
    for visual_id, (_, content) in VISUALS.items():
        sources = {value for key, value in pairs(content) if key == "DataSetIdentifier"}
        assert len(sources) == 1, visual_id


def test_every_id_is_unique() -> None:
    of_fields = [value["FieldId"] for key, value in pairs(DEFINITION["Sheets"]) if key.endswith("Field")]
    of_parts = [
        value
        for key, value in pairs(DEFINITION)
        if key in ("VisualId", "FilterControlId", "FilterGroupId", "FilterId", "SheetId")
        and not (key == "SheetId" and value in SHEETS)
    ]
    for ids in (of_fields, [*of_parts, *SHEETS]):
        assert [each for each, count in Counter(ids).items() if count > 1] == []


def test_a_visual_is_ordered_by_its_own_fields() -> None:
    for visual_id, (_, content) in VISUALS.items():
        fields = {value["FieldId"] for key, value in pairs(content) if key.endswith("Field")}
        orders = {value["FieldId"] for key, value in pairs(content) if key == "FieldSort"}
        assert orders <= fields, visual_id


def places(sheet: dict[str, Any]) -> dict[str, tuple[range, range]]:
    """The rows and columns of the grid that each visual of a sheet takes."""
    (layout,) = sheet["Layouts"]
    return {
        element["ElementId"]: (
            range(element["RowIndex"], element["RowIndex"] + element["RowSpan"]),
            range(element["ColumnIndex"], element["ColumnIndex"] + element["ColumnSpan"]),
        )
        for element in layout["Configuration"]["GridLayout"]["Elements"]
    }


def picture(sheet: dict[str, Any]) -> list[str]:
    """A sheet as text: a line for each row of the grid, a letter for each visual, a dot for nothing."""
    taken: dict[tuple[int, int], str] = {}
    for letter, (name, (rows, columns)) in zip("ABCDEFGHIJ", places(sheet).items(), strict=False):
        for row in rows:
            for column in columns:
                assert (row, column) not in taken, f"{name} lies over another visual"
                taken[row, column] = letter
    return [
        "".join(taken.get((row, column), ".") for column in range(max(column for _, column in taken) + 1))
        for row in range(max(row for row, _ in taken) + 1)
    ]


NUMBERS = ["A" * 12 + "B" * 12 + "C" * 12] * 5


@pytest.mark.parametrize(
    ("sheet_id", "expected"),
    [
        ("segments", [*NUMBERS, *["D" * 36] * 12, *["E" * 36] * 12]),
        ("grid", [*["A" * 12] * 5, *["B" * 18 + "C" * 18] * 12, *["D" * 36] * 12]),
        ("movement", [*["A" * 12] * 5, *["B" * 36] * 17, *["C" * 36] * 12]),
        ("clusters", [*["A" * 12] * 5, *["B" * 36] * 12, *["C" * 36] * 12]),
        ("quality", [*NUMBERS, *["D" * 18 + "E" * 18] * 12, *["F" * 36] * 12]),
        ("money", [*["A" * 12 + "B" * 12] * 5, *["C" * 36] * 12, *["D" * 36] * 12]),
    ],
)
def test_the_visuals_of_a_sheet_lie_beside_and_below_each_other(sheet_id: str, expected: list[str]) -> None:
    lines = [line.ljust(36, ".") for line in picture(SHEETS[sheet_id])]
    assert lines == [line.ljust(36, ".") for line in expected], "\n".join(lines)


def test_every_visual_has_its_place_in_36_columns() -> None:
    for sheet in SHEETS.values():
        ids = {next(iter(visual.values()))["VisualId"] for visual in sheet["Visuals"]}
        assert set(places(sheet)) == ids
        assert len(places(sheet)) == len(sheet["Layouts"][0]["Configuration"]["GridLayout"]["Elements"])
        assert all(columns.stop <= 36 for _, columns in places(sheet).values())


def test_the_filter_of_a_sheet_is_on_a_text_of_that_sheet_and_keeps_rows_without_one() -> None:
    filters = {}
    for group in DEFINITION["FilterGroups"]:
        (scope,) = group["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"]
        ((_, content),) = ((key, each) for item in group["Filters"] for key, each in item.items())
        filters[content["FilterId"]] = (scope["SheetId"], content)
    for sheet_id, sheet in SHEETS.items():
        (control,) = (each["Dropdown"] for each in sheet["FilterControls"])
        scope, content = filters.pop(control["SourceFilterId"])
        column = content["Column"]
        sources = {value for key, value in pairs(sheet["Visuals"]) if key == "DataSetIdentifier"}
        assert scope == sheet_id
        assert column["DataSetIdentifier"] in sources
        assert TYPES[column["DataSetIdentifier"]][column["ColumnName"]] == "STRING"
        assert content["Configuration"]["FilterListConfiguration"]["NullOption"] == "ALL_VALUES"
        (element,) = sheet["SheetControlLayouts"][0]["Configuration"]["GridLayout"]["Elements"]
        assert element["ElementId"] == control["FilterControlId"]
    assert filters == {}


def test_a_hidden_figure_is_never_shown_as_zero() -> None:
    numbers = {
        (each["Column"]["DataSetIdentifier"], each["Column"]["ColumnName"]): each["FormatConfiguration"]
        for each in DEFINITION["ColumnConfigurations"]
    }
    for source, columns in TYPES.items():
        for name, kind in columns.items():
            if kind in ("INTEGER", "DECIMAL"):
                texts = [value for key, value in pairs(numbers[source, name]) if key == "NullString"]
                assert texts == ["not shown"], (source, name)
    for kind, content in VISUALS.values():
        configuration = content["ChartConfiguration"]
        if kind == "LineChartVisual":
            missing = configuration["PrimaryYAxisDisplayOptions"]["MissingDataConfigurations"]
            assert missing == [{"TreatmentOption": "SHOW_AS_BLANK"}]
        elif kind == "TableVisual":
            assert configuration["TotalOptions"] == {"TotalsVisibility": "HIDDEN"}
        elif kind == "HeatMapVisual":
            scale = configuration["ColorScale"]
            assert scale["NullValueColor"] not in scale["Colors"]


def test_numbers_are_written_as_in_the_report() -> None:
    written = {}
    for each in DEFINITION["ColumnConfigurations"]:
        for kind, decimals in pairs(each):
            if kind in ("NumberDisplayFormatConfiguration", "PercentageDisplayFormatConfiguration"):
                places_ = decimals["DecimalPlacesConfiguration"]["DecimalPlaces"]
                written[each["Column"]["ColumnName"]] = (kind.partition("Display")[0], places_)
    assert {
        name: written[name] for name in ("customers", "revenue", "share of customers", "recency", "failed rows")
    } == {
        "customers": ("Number", 0),
        "revenue": ("Number", 2),
        "share of customers": ("Percentage", 1),
        "recency": ("Number", 1),
        "failed rows": ("Number", 0),
    }
    assert {name for name, (kind, _) in written.items() if kind == "Percentage"} == {
        "share of customers",
        "share of revenue",
        "share quarantined",
    }


def test_every_visual_says_what_it_shows_in_which_unit_also_to_those_who_do_not_see_it() -> None:
    for visual_id, (_, content) in VISUALS.items():
        for part in ("Title", "Subtitle"):
            assert content[part]["Visibility"] == "VISIBLE", visual_id
            assert content[part]["FormatText"]["PlainText"], visual_id
        assert content["VisualContentAltText"].endswith("."), visual_id
    money = re.compile("revenue|value|money|lost|spent")
    for visual_id, (kind, content) in VISUALS.items():
        measures = [value for key, value in pairs(content) if key == "NumericalMeasureField"]
        fixed = {"revenue", "value per purchase", "value per customer", "money", "lost"}
        if fixed & {each["Column"]["ColumnName"] for each in measures}:
            unit = content["Subtitle"]["FormatText"]["PlainText"]
            assert "money in the currency of the source" in unit, (visual_id, kind)
            assert money.search(content["Title"]["FormatText"]["PlainText"] + unit)


@pytest.mark.parametrize(
    ("sheet_id", "columns"),
    [
        (
            "segments",
            {"segment", "segment code", "customers", "share of customers", "revenue", "share of revenue"}
            | {"value per purchase", "days since last purchase", "customers change", "as of"},
        ),
        (
            "grid",
            {"recency", "recency score", "other", "other measure", "other score", "segments", "customers"}
            | {"value per customer", "as of"},
        ),
        ("movement", {"segment", "share of customers", "customers change", "as of"}),
        (
            "clusters",
            {
                "cluster",
                "cluster name",
                "customers",
                "share of customers",
                "revenue",
                "recency",
                "frequency",
                "monetary",
            }
            | {"as of"},
        ),
        (
            "quality",
            {"table name", "rows read", "rows accepted", "rows quarantined", "share quarantined", "rule", "failed rows"}
            | {"as of"},
        ),
        ("money", {"stage number", "stage", "money", "lost", "cause", "as of"}),
    ],
)
def test_a_sheet_answers_what_its_section_of_the_report_answers(sheet_id: str, columns: set[str]) -> None:
    visuals_of_sheet = SHEETS[sheet_id]["Visuals"]
    assert {value["ColumnName"] for key, value in pairs(visuals_of_sheet) if key == "Column"} == columns


def test_the_colours_are_those_of_the_report() -> None:
    (light,) = re.findall(
        r"--paper: (#\w+); --ink: (#\w+); --muted: (#\w+); --rule: (#\w+); --quiet: (#\w+); --accent: "
        r"(#0b62b8)",
        CSS.read_text(encoding="utf-8"),
    )
    ours = (visuals.PAPER, visuals.INK, visuals.MUTED, visuals.RULE, visuals.QUIET, visuals.ACCENT)
    assert ours == tuple(colour.upper() for colour in light)
    _, theme = REQUESTS["Theme"]
    assert theme["Configuration"]["DataColorPalette"]["Colors"][:2] == ["#0B62B8", "#AAB4C0"]
    assert 8 <= len(set(theme["Configuration"]["DataColorPalette"]["Colors"])) <= 20


def test_the_cells_of_the_grid_have_the_report_s_shades() -> None:
    # rgb(--tint / .05) and rgb(--tint / .45) over white, with --tint: 11 98 184.
    shades = [
        "#" + "".join(f"{round(255 - (255 - part) * share):02X}" for part in (11, 98, 184)) for share in (0.05, 0.45)
    ]
    for visual_id in ("grid-customers", "grid-value"):
        scale = VISUALS[visual_id][1]["ChartConfiguration"]["ColorScale"]
        assert [each["Color"] for each in scale["Colors"]] == shades


def test_the_page_lists_every_sheet_with_the_tables_that_it_shows() -> None:
    rows = re.findall(r"^\| (\w+) \| [^|]+ \| (`[^|]+`) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    listed = {name: set(re.findall(r"`(\w+)`", tables)) for name, tables in rows}
    assert listed == {
        sheet["Name"]: {value for key, value in pairs(sheet["Visuals"]) if key == "DataSetIdentifier"}
        for sheet in SHEETS.values()
    }
