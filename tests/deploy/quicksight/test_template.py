"""The stack ``bi`` as a whole: generated, valid for the API, and with the rights that it needs."""

import copy
from pathlib import Path
from typing import Any

import pytest

from deploy.quicksight.data_sets import TABLES, TYPES, columns_of, data_set
from deploy.quicksight.template import template_text
from tests.deploy.quicksight.api_requests import PRINCIPAL, quicksight_requests, resolve, work_group_request
from tests.deploy.stacks.templates import FOLDER, resources, statements, template
from tests.fakes.http.shapes import service_model, violations_of

ONE_OF_EACH = {
    "rows": [
        {"name": "segment", "type": "string"},
        {"name": "score", "type": "int"},
        {"name": "customers", "type": "bigint"},
        {"name": "share_of_customers", "type": "double"},
        {"name": "revenue", "type": "decimal(18,4)"},
        {"name": "as_of", "type": "date"},
        {"name": "is_hidden", "type": "boolean"},
    ]
}


def violations(service: str, operation: str, request: dict[str, Any]) -> list[str]:
    return violations_of(request, service_model(service).operation_model(operation).input_shape)


def test_the_committed_template_is_the_generated_one() -> None:
    assert Path(FOLDER, "bi.yaml").read_text(encoding="utf-8") == template_text(), "make bi-template writes it anew"


@pytest.mark.parametrize(("operation", "request_"), quicksight_requests().values(), ids=list(quicksight_requests()))
def test_every_resource_is_a_request_of_the_api(operation: str, request_: dict[str, Any]) -> None:
    assert violations("quicksight", operation, request_) == []


def test_the_work_group_is_a_request_of_the_api() -> None:
    request = work_group_request()
    assert violations("athena", "CreateWorkGroup", request) == []
    assert request["Configuration"]["EnforceWorkGroupConfiguration"]
    assert request["Configuration"]["ResultConfiguration"] == {
        "OutputLocation": "s3://shop-data/athena/",
        "ExpectedBucketOwner": "123456789012",
        "EncryptionConfiguration": {
            "EncryptionOption": "SSE_KMS",
            "KmsKey": "arn:aws:kms:eu-west-1:123456789012:key/1",
        },
    }


def test_a_definition_with_an_unknown_aggregation_and_an_unknown_member_is_refused() -> None:
    operation, request = copy.deepcopy(quicksight_requests()["Dashboard"])
    sheet = request["Definition"]["Sheets"][0]
    sheet["Colour"] = "blue"
    (value,) = sheet["Visuals"][1]["KPIVisual"]["ChartConfiguration"]["FieldWells"]["Values"]
    value["NumericalMeasureField"]["AggregationFunction"]["SimpleNumericalAggregation"] = "TOTAL"
    unknown_member, unknown_value = violations("quicksight", operation, request)
    assert '"Colour"' in unknown_member
    assert "'TOTAL'" in unknown_value


def test_a_data_set_imports_a_table_of_the_current_run_with_its_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("json.loads", lambda _: ONE_OF_EACH)
    columns_of.cache_clear()
    properties = data_set("rows")["Properties"]
    columns_of.cache_clear()
    table = properties["PhysicalTableMap"]["current"]["RelationalTable"]
    assert (table["Catalog"], table["Name"]) == ("AwsDataCatalog", "rows_current")
    assert table["InputColumns"] == [
        {"Name": "segment", "Type": "STRING"},
        {"Name": "score", "Type": "INTEGER"},
        {"Name": "customers", "Type": "INTEGER"},
        {"Name": "share_of_customers", "Type": "DECIMAL", "SubType": "FLOAT"},
        {"Name": "revenue", "Type": "DECIMAL", "SubType": "FIXED"},
        {"Name": "as_of", "Type": "DATETIME"},
    ]
    assert properties["LogicalTableMap"]["shown"]["DataTransforms"] == [
        {"RenameColumnOperation": {"ColumnName": "share_of_customers", "NewColumnName": "share of customers"}},
        {"RenameColumnOperation": {"ColumnName": "as_of", "NewColumnName": "as of"}},
    ]


def test_every_type_of_the_catalogue_but_boolean_has_one_in_quicksight() -> None:
    catalogue = {"string", "int", "bigint", "double", "float", "decimal", "timestamp", "date", "boolean"}
    assert set(TYPES) == catalogue - {"boolean"}


def test_a_failed_import_does_not_fail_the_stack() -> None:
    data_sets = resources(template("bi"), "AWS::QuickSight::DataSet")
    assert len(data_sets) == len(TABLES)
    for properties in data_sets.values():
        assert properties["ImportMode"] == "SPICE"
        assert properties["IngestionWaitPolicy"] == {"WaitForSpiceIngestion": False}


def test_ids_have_the_prefix_and_the_outputs_list_them() -> None:
    requests = quicksight_requests()
    ids = [request["DataSetId"] for operation, request in requests.values() if operation == "CreateDataSet"]
    outputs = {name: resolve(output["Value"], {}) for name, output in template("bi")["Outputs"].items()}
    assert outputs == {
        "DashboardId": "shop-dashboard",
        "AthenaWorkGroup": "shop",
        "DashboardDataSets": "shop-segment-figures,shop-grid-figures,shop-trend-figures,shop-cluster-figures,"
        "shop-quality-figures,shop-rule-figures,shop-money-figures",
    }
    assert outputs["DashboardDataSets"].split(",") == ids
    assert requests["Dashboard"][1]["DashboardId"] == "shop-dashboard"


def test_the_principal_reads_and_changes_nothing() -> None:
    changing = ("Create", "Update", "Delete", "Cancel")
    for name, (_, request) in quicksight_requests().items():
        ((principal, actions),) = ((each["Principal"], each["Actions"]) for each in request["Permissions"])
        assert principal == PRINCIPAL, name
        assert not [action for action in actions if action.removeprefix("quicksight:").startswith(changing)], name


def test_the_role_reads_runs_and_the_catalogue_and_writes_results_of_queries_alone() -> None:
    (role,) = resources(template("bi"), "AWS::IAM::Role").values()
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "quicksight.amazonaws.com"}
    assert trust["Condition"] == {"StringEqualsIfExists": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    rights = {statement["Sid"]: statement for statement in statements(role["Policies"])}
    writing = {
        (sid, action)
        for sid, statement in rights.items()
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if not action.partition(":")[2].startswith(("BatchGet", "Describe", "Get", "List"))
    }
    assert writing == {
        ("AskAthena", "athena:StartQueryExecution"),
        ("AskAthena", "athena:StopQueryExecution"),
        ("KeepResultsOfQueries", "s3:AbortMultipartUpload"),
        ("KeepResultsOfQueries", "s3:PutObject"),
        ("UseTheKey", "kms:Decrypt"),
        ("UseTheKey", "kms:GenerateDataKey"),
    }
    places = {sid: resolve(rights[sid]["Resource"], {}) for sid in ("ReadRuns", "KeepResultsOfQueries")}
    assert places == {
        "ReadRuns": "arn:aws:s3:::shop-data/output/runs/*",
        "KeepResultsOfQueries": "arn:aws:s3:::shop-data/athena/*",
    }
    assert {"s3:GetBucketLocation", "s3:ListBucket"} <= set(rights["FindFiles"]["Action"])
