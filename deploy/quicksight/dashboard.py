"""The dashboard and its theme, as the stack has them: sheets, their layout, filters and formats."""

from collections.abc import Sequence
from typing import Any

from deploy.quicksight.account_sheets import money, quality
from deploy.quicksight.customer_sheets import clusters, grid, movement, segments
from deploy.quicksight.data_sets import TABLES, columns_of, logical_id, permissions
from deploy.quicksight.fields import column_configuration, column_identifier
from deploy.quicksight.sheet import Sheet
from deploy.quicksight.visuals import ACCENT, DARKEST, INK, LIGHTEST, MUTED, PAPER, QUIET, RULE

SEE_DASHBOARD = ("DescribeDashboard", "ListDashboardVersions", "QueryDashboard")
SEE_THEME = ("DescribeTheme", "DescribeThemeAlias", "ListThemeAliases", "ListThemeVersions")

PALETTE = (ACCENT, QUIET, MUTED, DARKEST, INK, "#5D6976", "#6FB4F5", RULE)
"""Eight colours, as many as a theme needs at least. The first two are the report's two bars."""

FILTER_COLUMNS = 4


def theme() -> dict[str, Any]:
    """The colours of the report's page."""
    return {
        "Type": "AWS::QuickSight::Theme",
        "Properties": {
            "AwsAccountId": {"Ref": "AWS::AccountId"},
            "ThemeId": {"Fn::Sub": "${Prefix}-report"},
            "Name": {"Fn::Sub": "${Prefix}: colours of the report"},
            "BaseThemeId": "CLASSIC",
            "Configuration": {
                "DataColorPalette": {
                    "Colors": list(PALETTE),
                    "MinMaxGradient": [LIGHTEST, DARKEST],
                    "EmptyFillColor": RULE,
                },
                "UIColorPalette": {
                    "PrimaryForeground": INK,
                    "PrimaryBackground": PAPER,
                    "SecondaryForeground": MUTED,
                    "SecondaryBackground": PAPER,
                    "Accent": ACCENT,
                    "AccentForeground": PAPER,
                },
            },
            "Permissions": permissions(SEE_THEME),
        },
    }


def dashboard() -> dict[str, Any]:
    """The resource of the dashboard."""
    return {
        "Type": "AWS::QuickSight::Dashboard",
        "Properties": {
            "AwsAccountId": {"Ref": "AWS::AccountId"},
            "DashboardId": {"Fn::Sub": "${Prefix}-dashboard"},
            "Name": {"Fn::Sub": "${Prefix}: customer segments"},
            "ThemeArn": {"Fn::GetAtt": "Theme.Arn"},
            "ValidationStrategy": {"Mode": "STRICT"},
            "DashboardPublishOptions": {
                "AdHocFilteringOption": {"AvailabilityStatus": "ENABLED"},
                "ExportToCSVOption": {"AvailabilityStatus": "ENABLED"},
                "SheetControlsOption": {"VisibilityState": "EXPANDED"},
            },
            "Definition": definition(),
            "Permissions": permissions(SEE_DASHBOARD),
        },
    }


def definition() -> dict[str, Any]:
    """The definition of the dashboard: its sheets are in the order of the report's sections.

    Its data sets have the names of their tables.
    """
    content = [segments(), grid(), movement(), clusters(), quality(), money()]
    return {
        "DataSetIdentifierDeclarations": [
            {"Identifier": table, "DataSetArn": {"Fn::GetAtt": f"{logical_id(table)}.Arn"}} for table in TABLES
        ],
        "ColumnConfigurations": [
            column_configuration(table, column) for table in TABLES for column in columns_of(table).values()
        ],
        "FilterGroups": [_filter_group(sheet) for sheet in content],
        "Sheets": [_sheet(sheet) for sheet in content],
    }


def _sheet(sheet: Sheet) -> dict[str, Any]:
    control = f"{sheet.sheet_id}-control"
    table, column = sheet.filter_on
    return {
        "SheetId": sheet.sheet_id,
        "Name": sheet.name,
        "Title": sheet.name,
        "Description": sheet.question,
        "ContentType": "INTERACTIVE",
        "Visuals": [visual for row in sheet.rows for visual in row.visuals],
        "FilterControls": [
            {
                "Dropdown": {
                    "FilterControlId": control,
                    "Title": columns_of(table)[column].shown,
                    "SourceFilterId": _filter_id(sheet),
                    "Type": "MULTI_SELECT",
                }
            }
        ],
        "Layouts": [{"Configuration": {"GridLayout": {"Elements": _layout(sheet)}}}],
        "SheetControlLayouts": [
            {
                "Configuration": {
                    "GridLayout": {
                        "Elements": [
                            {
                                "ElementId": control,
                                "ElementType": "FILTER_CONTROL",
                                "ColumnSpan": FILTER_COLUMNS,
                                "RowSpan": 1,
                            }
                        ]
                    }
                }
            }
        ],
    }


def _layout(sheet: Sheet) -> Sequence[dict[str, Any]]:
    """The place of each visual: rows below each other, and in a row from left to right."""
    elements, top = [], 0
    for row in sheet.rows:
        for position, visual in enumerate(row.visuals):
            (content,) = visual.values()
            elements.append(
                {
                    "ElementId": content["VisualId"],
                    "ElementType": "VISUAL",
                    "ColumnIndex": position * row.columns,
                    "ColumnSpan": row.columns,
                    "RowIndex": top,
                    "RowSpan": row.height,
                }
            )
        top += row.height
    return elements


def _filter_group(sheet: Sheet) -> dict[str, Any]:
    """The filter of a sheet. It holds for all data sets of the sheet that have a column of that name."""
    table, column = sheet.filter_on
    return {
        "FilterGroupId": f"{sheet.sheet_id}-filters",
        "CrossDataset": "ALL_DATASETS",
        "Status": "ENABLED",
        "ScopeConfiguration": {
            "SelectedSheets": {
                "SheetVisualScopingConfigurations": [{"SheetId": sheet.sheet_id, "Scope": "ALL_VISUALS"}]
            }
        },
        "Filters": [
            {
                "CategoryFilter": {
                    "FilterId": _filter_id(sheet),
                    "Column": column_identifier(table, column),
                    "Configuration": {
                        "FilterListConfiguration": {
                            "MatchOperator": "CONTAINS",
                            "SelectAllOptions": "FILTER_ALL_VALUES",
                            "NullOption": "ALL_VALUES",
                        }
                    },
                }
            }
        ],
    }


def _filter_id(sheet: Sheet) -> str:
    return f"{sheet.sheet_id}-filter"
