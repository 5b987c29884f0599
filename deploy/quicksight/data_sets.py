"""The data sets of the dashboard: a data set for each table of figures, with the types of its columns."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

TABLES = (
    "segment_figures",
    "grid_figures",
    "trend_figures",
    "cluster_figures",
    "quality_figures",
    "rule_figures",
    "money_figures",
)
"""The tables of the report's figures, in the order of its sections."""

TYPES: Mapping[str, tuple[str, str | None]] = {
    "string": ("STRING", None),
    "int": ("INTEGER", None),
    "bigint": ("INTEGER", None),
    "double": ("DECIMAL", "FLOAT"),
    "float": ("DECIMAL", "FLOAT"),
    "decimal": ("DECIMAL", "FIXED"),
    "date": ("DATETIME", None),
    "timestamp": ("DATETIME", None),
}
"""QuickSight's types, and their subtypes, by Athena's.

A fixed decimal has four decimals, as the project's money has. There is no boolean: the tables have one column of that
type, `is_hidden`, and what it hides is null.
"""

READ_DATA_SET = ("DescribeDataSet", "DescribeDataSetPermissions", "PassDataSet", "DescribeIngestion", "ListIngestions")


@dataclass(frozen=True)
class Column:
    """A column of a data set.

    Attributes:
        name: in the table.
        shown: in the data set, where people read it: words in place of underscores.
        type: QuickSight's type.
        subtype: QuickSight's subtype; None for none.
    """

    name: str
    shown: str
    type: str
    subtype: str | None

    @property
    def is_number(self) -> bool:
        """Whether it can be added up."""
        return self.type in ("INTEGER", "DECIMAL")


@cache
def columns_of(table: str) -> Mapping[str, Column]:
    """The columns of a table that its data set has, by name.

    The types come from `columns.json`, which is generated from the schemas: deploy imports no Spark.

    Raises:
        KeyError: There is no such table, or a column has a type that QuickSight does not have.
    """
    content = json.loads((resources.files("deploy.quicksight") / "columns.json").read_text(encoding="utf-8"))
    columns: dict[str, Column] = {}
    for column in content[table]:
        name, base = column["name"], re.sub(r"\(.*", "", column["type"])
        if base != "boolean":
            kind, subtype = TYPES[base]
            columns[name] = Column(name, name.replace("_", " "), kind, subtype)
    return columns


def logical_id(table: str) -> str:
    """The name of a data set's resource in the stack, such as ``SegmentFigures``."""
    return "".join(word.capitalize() for word in table.split("_"))


def data_set_id(table: str) -> str:
    """The id of a data set without the prefix, such as ``segment-figures``."""
    return table.replace("_", "-")


def data_set(table: str) -> dict[str, Any]:
    """The resource of a data set.

    It imports ``<table>_current``, the figures of the current run, into SPICE. The stack does not wait for the
    import: before the first run there is nothing to import, and an import that fails leaves the stack as it is.
    """
    columns = list(columns_of(table).values())
    renamed = [
        {"RenameColumnOperation": {"ColumnName": column.name, "NewColumnName": column.shown}}
        for column in columns
        if column.shown != column.name
    ]
    source = {
        "DataSourceArn": {"Fn::GetAtt": "Athena.Arn"},
        "Catalog": "AwsDataCatalog",
        "Schema": {"Ref": "CatalogueDatabase"},
        "Name": f"{table}_current",
        "InputColumns": [_input_column(column) for column in columns],
    }
    return {
        "Type": "AWS::QuickSight::DataSet",
        "Properties": {
            "AwsAccountId": {"Ref": "AWS::AccountId"},
            "DataSetId": {"Fn::Sub": f"${{Prefix}}-{data_set_id(table)}"},
            "Name": {"Fn::Sub": f"${{Prefix}}: {table.replace('_', ' ')}"},
            "ImportMode": "SPICE",
            "IngestionWaitPolicy": {"WaitForSpiceIngestion": False},
            "PhysicalTableMap": {"current": {"RelationalTable": source}},
            "LogicalTableMap": {
                "shown": {"Alias": table, "Source": {"PhysicalTableId": "current"}, "DataTransforms": renamed}
            },
            "Permissions": permissions(READ_DATA_SET),
        },
    }


def permissions(actions: Sequence[str]) -> list[dict[str, Any]]:
    """What the people for whom the dashboard is may do with a resource."""
    return [{"Principal": {"Ref": "DashboardPrincipal"}, "Actions": [f"quicksight:{action}" for action in actions]}]


def _input_column(column: Column) -> dict[str, str]:
    subtype = {} if column.subtype is None else {"SubType": column.subtype}
    return {"Name": column.name, "Type": column.type, **subtype}
