"""A network and a key of one's own: what the stacks make then, and what they leave."""

from typing import Any

import pytest

from tests.deploy.stacks.templates import resources, template

NETWORK = {
    *("AWS::EC2::FlowLog", "AWS::EC2::RouteTable", "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::EC2::VPC"),
    *("AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::VPCEndpoint"),
}
SUBNETS = {"Fn::Split": [",", {"Ref": "NetworkSubnets"}]}
NOTHING = {"Ref": "AWS::NoValue"}


def of(stack: str, kind: str) -> dict[str, Any]:
    """The properties of the one resource of a type."""
    (properties,) = resources(template(stack), kind).values()
    return properties


def test_the_warehouse_makes_no_network_in_a_network_of_ones_own() -> None:
    content = template("warehouse")
    always = {entry["Type"] for entry in content["Resources"].values() if "Condition" not in entry}
    assert "AWS::RedshiftServerless::Workgroup" in always
    assert not always & NETWORK
    assert content["Conditions"]["MakesNetwork"] == {"Fn::Not": [{"Condition": "HasNetwork"}]}
    condition, own, _ = of("warehouse", "AWS::RedshiftServerless::Workgroup")["SubnetIds"]["Fn::If"]
    assert (condition, own) == ("HasNetwork", SUBNETS)


def test_the_warehouse_has_two_zones_and_a_third_with_enhanced_routing_alone() -> None:
    """Redshift's considerations for Redshift Serverless; us-west-1 has two zones for an account."""
    content = template("warehouse")
    *first, third = of("warehouse", "AWS::RedshiftServerless::Workgroup")["SubnetIds"]["Fn::If"][2]
    assert first == [{"Ref": "SubnetA"}, {"Ref": "SubnetB"}]
    assert third == {"Fn::If": ["MakesThirdSubnet", {"Ref": "SubnetC"}, NOTHING]}
    assert content["Conditions"]["MakesThirdSubnet"]["Fn::And"] == [
        {"Condition": "MakesNetwork"},
        {"Fn::Equals": [{"Ref": "EnhancedRouting"}, "true"]},
    ]
    assert content["Resources"]["SubnetC"]["Condition"] == "MakesThirdSubnet"


def test_every_step_runs_in_the_network_of_ones_own() -> None:
    content = template("jobs")
    connections = {"Fn::If": ["HasNetwork", {"Connections": [{"Ref": "NetworkConnection"}]}, NOTHING]}
    for job in resources(content, "AWS::Glue::Job").values():
        assert job["Connections"] == connections
    connection = of("jobs", "AWS::Glue::Connection")["ConnectionInput"]
    assert connection["ConnectionType"] == "NETWORK"
    physical = connection["PhysicalConnectionRequirements"]
    assert (physical["SubnetId"], physical["SecurityGroupIdList"]) == (
        {"Fn::Select": [0, SUBNETS]},
        [{"Ref": "NetworkGroup"}],
    )
    application = of("jobs", "AWS::EMRServerless::Application")["NetworkConfiguration"]["Fn::If"]
    assert application == ["HasNetwork", {"SubnetIds": SUBNETS, "SecurityGroupIds": [{"Ref": "NetworkGroup"}]}, NOTHING]


@pytest.mark.parametrize(
    ("role", "policy"),
    [
        *((role, "GlueInTheNetwork") for role in ("PipelineRole", "SegmentsRole", "PublishRole")),
        ("SageMakerRole", "SageMakerInTheNetwork"),
    ],
)
def test_a_role_may_make_network_interfaces_in_a_network_of_ones_own_alone(role: str, policy: str) -> None:
    content = template("jobs")
    assert content["Resources"][policy]["Condition"] == "HasNetwork"
    attached = content["Resources"][role]["Properties"]["ManagedPolicyArns"]
    assert {"Fn::If": ["HasNetwork", {"Ref": policy}, NOTHING]} in attached


def test_the_network_admits_its_own_machines_and_https_out() -> None:
    content = template("network")
    group = {"Fn::GetAtt": ["Group", "GroupId"]}
    ingress = of("network", "AWS::EC2::SecurityGroupIngress")
    assert (ingress["GroupId"], ingress["SourceSecurityGroupId"]) == (group, group)
    assert (ingress["FromPort"], ingress["ToPort"]) == (0, 65535)
    assert "SecurityGroupIngress" not in of("network", "AWS::EC2::SecurityGroup")
    assert {name: output["Value"] for name, output in content["Outputs"].items()} == {
        "NetworkVpc": {"Ref": "OwnVpc"},
        "NetworkSubnets": {"Ref": "OwnSubnets"},
        "NetworkGroup": group,
        "NetworkZone": {"Ref": "OwnZone"},
    }


def test_a_network_comes_with_the_zone_of_its_first_subnet() -> None:
    """A connection without a zone is made, and each job that uses it fails."""
    assert "Default" not in template("network")["Parameters"]["OwnZone"]
    rule = template("jobs")["Rules"]["ANetworkHasAZone"]
    (assertion,) = rule["Assertions"]
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "NetworkSubnets"}, ""]}]}
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "NetworkZone"}, ""]}]}
    zone = of("jobs", "AWS::Glue::Connection")["ConnectionInput"]["PhysicalConnectionRequirements"]["AvailabilityZone"]
    assert zone["Fn::If"][:2] == ["HasNetworkZone", {"Ref": "NetworkZone"}]


def test_the_network_makes_an_endpoint_for_each_service_that_the_steps_call() -> None:
    endpoints = resources(template("network"), "AWS::EC2::VPCEndpoint").values()
    prefix = "com.amazonaws.${AWS::Region}."
    services = {
        endpoint["ServiceName"]["Fn::Sub"].removeprefix(prefix): endpoint["VpcEndpointType"] for endpoint in endpoints
    }
    interfaces = {
        *("ecr.api", "ecr.dkr", "glue", "kms", "logs", "monitoring", "redshift-data", "sagemaker.api"),
        *("secretsmanager", "sns", "states", "sts"),
    }
    assert services == {"s3": "Gateway", **dict.fromkeys(interfaces, "Interface")}


def test_no_key_is_made_beside_one_of_ones_own() -> None:
    content = template("storage")
    assert {name for name, entry in content["Resources"].items() if "Condition" in entry} == {"Key", "KeyAlias"}
    assert content["Conditions"]["MakesKey"] == {"Fn::Equals": [{"Ref": "OwnKeyArn"}, ""]}
    key = {"Fn::If": ["MakesKey", {"Fn::GetAtt": ["Key", "Arn"]}, {"Ref": "OwnKeyArn"}]}
    assert content["Outputs"]["KeyArn"]["Value"] == key
    for bucket in ("Data", "Artifacts"):
        (rule,) = content["Resources"][bucket]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == key


def test_the_steps_that_move_the_current_run_may_register_its_tables() -> None:
    content = template("jobs")
    assert {name for name, entry in content["Resources"].items() if entry.get("Condition") == "HasCatalogue"} == {
        *("RegisterTables", "Tables"),
    }
    registers = {"Fn::If": ["HasCatalogue", {"Ref": "RegisterTables"}, NOTHING]}
    roles = resources(content, "AWS::IAM::Role")
    attached = {name for name, role in roles.items() if registers in role.get("ManagedPolicyArns", [])}
    assert attached == {"PipelineRole", "SegmentsRole"}
    assert of("jobs", "AWS::Glue::Database")["DatabaseInput"]["Name"] == {
        "Fn::Join": ["_", {"Fn::Split": ["-", {"Ref": "Prefix"}]}]
    }
    assert content["Outputs"]["CatalogueDatabase"] == {"Condition": "HasCatalogue", "Value": {"Ref": "Tables"}}


def test_the_jobs_need_no_warehouse() -> None:
    jobs, warehouse = template("jobs"), template("warehouse")
    assert not set(jobs["Parameters"]) & set(warehouse["Outputs"])
    assert warehouse["Resources"]["LoadTheWarehouse"]["Properties"]["RoleName"] == {"Ref": "PublishRoleName"}
    assert jobs["Outputs"]["PublishRoleName"]["Value"] == {"Ref": "PublishRole"}


def test_the_warehouse_exports_its_logs_into_its_groups_whether_it_makes_them_or_redshift_did() -> None:
    content = template("warehouse")
    groups = resources(content, "AWS::Logs::LogGroup")
    exports = of("warehouse", "AWS::RedshiftServerless::Namespace")["LogExports"]
    for export, (group, name) in zip(
        exports,
        [("ConnectionLogs", "connectionlog"), ("UserActivityLogs", "useractivitylog"), ("UserLogs", "userlog")],
        strict=True,
    ):
        assert content["Resources"][group]["Condition"] == "MakesLogGroups"
        text = groups[group]["LogGroupName"]["Fn::Sub"]
        assert text.split("/")[4] == name
        assert export == {"Fn::If": ["MakesLogGroups", {"Fn::Select": [4, {"Fn::Split": ["/", {"Ref": group}]}]}, name]}
