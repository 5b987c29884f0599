"""Whether the catalogue has what a request says. What differs is written again."""

from typing import Any

import pytest

from jobs.registering.table_inputs import holds

EXPECTED = {"Name": "rfm_current", "PartitionKeys": [], "Parameters": {}, "Columns": [{"Name": "cluster"}]}


@pytest.mark.parametrize(
    "present",
    [
        EXPECTED,
        {**EXPECTED, "VersionId": "3", "Parameters": {"owner_team": "crm"}},
        {"Name": "rfm_current", "Columns": [{"Name": "cluster", "Comment": "Number of the cluster."}]},
        {**EXPECTED, "PartitionKeys": None, "Parameters": None},
    ],
    ids=["the same", "members of others", "no empty members", "nulls for empty members"],
)
def test_the_same_is_there_whatever_else_the_catalogue_returns(present: dict[str, Any]) -> None:
    assert holds(present, EXPECTED)


@pytest.mark.parametrize(
    "present",
    [
        {**EXPECTED, "Name": "rfm"},
        {**EXPECTED, "PartitionKeys": [{"Name": "run_id"}]},
        {**EXPECTED, "Columns": []},
        {**EXPECTED, "Columns": [{"Name": "cluster"}, {"Name": "segment"}]},
        {"PartitionKeys": [], "Parameters": {}, "Columns": [{"Name": "cluster"}]},
        None,
    ],
    ids=["another name", "another key", "no column", "one column more", "no name", "nothing"],
)
def test_what_differs_is_seen(present: dict[str, Any] | None) -> None:
    assert not holds(present, EXPECTED)
