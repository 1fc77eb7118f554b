"""The template for gradual deployments: everything that invokes a function invokes its alias."""

import json
import sys

import pytest
from stack import PLATFORMS, PROJECT, Stack

sys.path.insert(0, str(PROJECT / "tools"))
from gradual import ALARMS, SHIFTS, gradual


def written(release="1234567890", shift=SHIFTS[0]):
    return gradual((PROJECT / "template.yaml").read_text(), shift, release)


@pytest.fixture(scope="module")
def shifting():
    return Stack(written())


def test_the_plain_template_has_no_alias(plain):
    assert not plain.of("AWS::Lambda::Alias") and not plain.of("AWS::Lambda::Version")
    assert not plain.of("AWS::CodeDeploy::Application")


def test_all_callers_invoke_the_alias(shifting):
    functions = set(shifting.of("AWS::Lambda::Function"))
    aliases = {name: alias["FunctionName"]["Ref"] for name, alias in shifting.of("AWS::Lambda::Alias").items()}
    assert set(aliases.values()) == functions and len(aliases) == len(functions)
    for kind, called in (
        ("AWS::ApiGatewayV2::Integration", "IntegrationUri"),
        ("AWS::Lambda::Permission", "FunctionName"),
        ("AWS::Lambda::EventSourceMapping", "FunctionName"),
    ):
        for name, resource in shifting.of(kind).items():
            assert resource[called]["Ref"] in aliases, name
    for rule in shifting.of("AWS::Events::Rule").values():
        assert all(target["Arn"]["Ref"] in aliases for target in rule["Targets"])


def test_every_function_shifts_traffic_and_rolls_back_on_an_alarm(shifting):
    groups = shifting.of("AWS::CodeDeploy::DeploymentGroup")
    assert set(groups) == {f"{name}DeploymentGroup" for name in shifting.of("AWS::Lambda::Function")}
    alarms = set(shifting.of("AWS::CloudWatch::Alarm"))
    for name, group in groups.items():
        rung = [each["Name"]["Ref"] for each in group["AlarmConfiguration"]["Alarms"]]
        platform = next((id.capitalize() for id in PLATFORMS if name.startswith(id.capitalize())), None)
        own = [alarm for alarm in alarms if platform and alarm.startswith(platform)]
        assert sorted(rung) == sorted(ALARMS + own) and set(rung) <= alarms
        # The limit of CodeDeploy.
        assert len(rung) <= 10
        assert group["AutoRollbackConfiguration"]["Enabled"] is True
        assert SHIFTS[0] in json.dumps(group["DeploymentConfigName"])


def test_each_deployment_publishes_a_new_version(shifting):
    """Otherwise a change of parameters alone would have no effect."""
    after = Stack(written("1234567891"))
    versions = [set(stack.of("AWS::Lambda::Version")) for stack in (shifting, after)]
    assert len(versions[0]) == len(versions[1]) and not versions[0] & versions[1]


@pytest.mark.parametrize("shift", SHIFTS)
def test_every_step_is_accepted(shift):
    assert shift in json.dumps(Stack(written(shift=shift)).of("AWS::CodeDeploy::DeploymentGroup"))


def test_all_other_resources_match_the_plain_template(plain, shifting):
    own = {name for name in shifting.resources if "Alias" not in name and "Version" not in name}
    added = {f"{name}DeploymentGroup" for name in plain.of("AWS::Lambda::Function")}
    added |= {"CodeDeployServiceRole", "ServerlessDeploymentApplication"}
    assert own - added == set(plain.resources)
    # SAM creates this role, which only CodeDeploy can assume.
    role = shifting.of("AWS::IAM::Role")["CodeDeployServiceRole"]
    assert "codedeploy" in json.dumps(role["AssumeRolePolicyDocument"])
