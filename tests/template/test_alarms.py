"""Alarms: notifications, missing data, runbook entries and cost."""

import json
import re

import pytest
from stack import PLATFORMS, PROJECT

ACTIONS = ("AlarmActions", "OKActions")


def alarms(stack):
    return stack.of("AWS::CloudWatch::Alarm")


def metrics(alarm):
    """Returns the metrics of an alarm. Each one is billed."""
    if "MetricName" in alarm:
        return [alarm]
    return [each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each]


def test_alarms_notify_the_configured_topics(full, plain):
    topics = [full.given["AlarmTopicArn"], {"Ref": "AlarmTopic"}]
    for name, alarm in alarms(full).items():
        assert [alarm[actions] for actions in ACTIONS] == [topics, topics], name
    for name, alarm in alarms(plain).items():
        assert [alarm[actions] for actions in ACTIONS] == [[], []], name
    assert not plain.of("AWS::SNS::Topic")


def test_metrics_are_in_a_namespace_per_stack(stack):
    functions = stack.of("AWS::Lambda::Function").values()
    namespaces = {each["Environment"]["Variables"]["TRUNKLINE_METRICS"] for each in functions}
    assert namespaces == {"Trunkline/${AWS::StackName}"}
    names = {each["Namespace"] for alarm in alarms(stack).values() for each in metrics(alarm)}
    assert {name for name in names if not name.startswith("AWS/")} == namespaces
    dashboard = json.loads(stack.of("AWS::CloudWatch::Dashboard")["OperationsDashboard"]["DashboardBody"])
    plots = [each["properties"]["metrics"][0][0] for each in dashboard["widgets"] if each["type"] == "metric"]
    assert {name for name in plots if not name.startswith("AWS/")} == namespaces


def test_alarms_define_missing_data(stack):
    for name, alarm in alarms(stack).items():
        assert alarm["TreatMissingData"] in ("breaching", "notBreaching"), name


def test_alarm_descriptions_link_to_the_runbook(stack):
    for name, alarm in alarms(stack).items():
        assert alarm["AlarmDescription"].endswith(f"See docs/runbook.md#{name.lower()}"), name


def test_the_runbook_has_every_alarm(full):
    runbook = (PROJECT / "docs/runbook.md").read_text()
    headings = set(re.findall(r"^## (\w+)$", runbook, re.MULTILINE))
    assert headings >= set(alarms(full))
    assert not {each for each in headings if each.endswith("Alarm")} - set(alarms(full))


def test_alarms_are_within_cloudwatch_limits(stack):
    for name, alarm in alarms(stack).items():
        assert 1 <= len(metrics(alarm)) <= 10, name
        # Exactly one metric is compared with the threshold.
        returned = [each for each in alarm.get("Metrics", [{}]) if each.get("ReturnData", True)]
        assert len(returned) == 1, name
        ids = [each["Id"] for each in alarm.get("Metrics", [])]
        assert len(ids) == len(set(ids)) and all(re.fullmatch("[a-z][a-zA-Z0-9_]*", each) for each in ids)


@pytest.mark.parametrize(
    ("alarm", "names"),
    [
        ("OldestMessageAlarm", {f"{platform.capitalize()}Queue" for platform in PLATFORMS}),
        ("DeadLettersUnreadAlarm", {f"{platform.capitalize()}DeadLetters" for platform in PLATFORMS} | {"TasksQueue"}),
        ("InboundErrorsAlarm", {f"{platform.capitalize()}Inbound" for platform in PLATFORMS}),
        ("OutboundErrorsAlarm", {f"{platform.capitalize()}Outbound" for platform in PLATFORMS}),
        ("BackgroundErrorsAlarm", {"Console", "TwinListener", "Upkeep"}),
    ],
)
def test_alarms_cover_all_resources_of_a_kind(full, alarm, names):
    covered = set()
    for metric in metrics(alarms(full)[alarm]):
        value = metric["Dimensions"][0]["Value"]
        covered.add(value.get("Ref") or value["Fn::GetAtt"][0])
    assert covered == names


def test_number_of_alarm_metrics_matches_the_cost_document(full):
    # 0.10 USD per month each, see docs/cost.md.
    assert sum(len(metrics(alarm)) for alarm in alarms(full).values()) == 35


def test_the_alarm_topic_is_encrypted_and_cloudwatch_may_use_its_key(full):
    from stack import Stack

    assert full.of("AWS::SNS::Topic")["AlarmTopic"]["KmsMasterKeyId"] == full.given["KeyArn"]
    assert not full.of("AWS::KMS::Key")
    own = Stack(AlarmEmail="ops@example.com")
    assert own.of("AWS::SNS::Topic")["AlarmTopic"]["KmsMasterKeyId"] == {"Ref": "AlarmKey"}
    key = own.of("AWS::KMS::Key")["AlarmKey"]
    assert key["EnableKeyRotation"] and "cloudwatch.amazonaws.com" in json.dumps(key["KeyPolicy"])
