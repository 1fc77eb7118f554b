"""Every alarm tells somebody, knows what silence means, and is in the runbook."""

import json
import re

import pytest
from stack import PLATFORMS, PROJECT

ACTIONS = ("AlarmActions", "OKActions")


def alarms(stack):
    return stack.of("AWS::CloudWatch::Alarm")


def metrics(alarm):
    """The metrics that an alarm looks at, each of which costs."""
    if "MetricName" in alarm:
        return [alarm]
    return [each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each]


def test_an_alarm_tells_whoever_is_to_be_told(full, plain):
    topics = [full.given["AlarmTopicArn"], {"Ref": "AlarmTopic"}]
    for name, alarm in alarms(full).items():
        assert [alarm[actions] for actions in ACTIONS] == [topics, topics], name
    for name, alarm in alarms(plain).items():
        assert [alarm[actions] for actions in ACTIONS] == [[], []], name
    assert not plain.of("AWS::SNS::Topic")


def test_stacks_do_not_ring_each_others_alarms(stack):
    functions = stack.of("AWS::Lambda::Function").values()
    counted_in = {each["Environment"]["Variables"]["TRUNKLINE_METRICS"] for each in functions}
    assert counted_in == {"Trunkline/${AWS::StackName}"}
    names = {each["Namespace"] for alarm in alarms(stack).values() for each in metrics(alarm)}
    assert {name for name in names if not name.startswith("AWS/")} == counted_in
    shown = json.loads(stack.of("AWS::CloudWatch::Dashboard")["Board"]["DashboardBody"])
    plots = [each["properties"]["metrics"][0][0] for each in shown["widgets"] if each["type"] == "metric"]
    assert {name for name in plots if not name.startswith("AWS/")} == counted_in


def test_an_alarm_says_what_silence_means(stack):
    for name, alarm in alarms(stack).items():
        assert alarm["TreatMissingData"] in ("breaching", "notBreaching"), name


def test_an_alarm_names_its_place_in_the_runbook(stack):
    for name, alarm in alarms(stack).items():
        assert alarm["AlarmDescription"].endswith(f"See docs/runbook.md#{name.lower()}"), name


def test_the_runbook_has_every_alarm(full):
    runbook = (PROJECT / "docs/runbook.md").read_text()
    headings = set(re.findall(r"^## (\w+)$", runbook, re.MULTILINE))
    assert headings >= set(alarms(full))
    assert not {each for each in headings if each.endswith("Alarm")} - set(alarms(full))


def test_an_alarm_is_within_what_cloudwatch_takes(stack):
    for name, alarm in alarms(stack).items():
        assert 1 <= len(metrics(alarm)) <= 10, name
        # One number is compared with the threshold.
        told = [each for each in alarm.get("Metrics", [{}]) if each.get("ReturnData", True)]
        assert len(told) == 1, name
        ids = [each["Id"] for each in alarm.get("Metrics", [])]
        assert len(ids) == len(set(ids)) and all(re.fullmatch("[a-z][a-zA-Z0-9_]*", each) for each in ids)


@pytest.mark.parametrize(
    ("alarm", "names"),
    [
        ("OldestMessageAlarm", {f"{platform.capitalize()}Queue" for platform in PLATFORMS}),
        ("DeadLettersUnreadAlarm", {f"{platform.capitalize()}DeadLetters" for platform in PLATFORMS} | {"WakeQueue"}),
        ("InboundErrorsAlarm", {f"{platform.capitalize()}Inbound" for platform in PLATFORMS}),
        ("OutboundErrorsAlarm", {f"{platform.capitalize()}Outbound" for platform in PLATFORMS}),
        ("HouseErrorsAlarm", {"Console", "TwinListener", "Upkeep"}),
    ],
)
def test_an_alarm_looks_at_all_of_a_kind(full, alarm, names):
    looked_at = set()
    for metric in metrics(alarms(full)[alarm]):
        value = metric["Dimensions"][0]["Value"]
        looked_at.add(value.get("Ref") or value["Fn::GetAtt"][0])
    assert looked_at == names


def test_what_the_alarms_cost_is_known(full):
    # 0.10 USD a month each: docs/cost.md.
    assert sum(len(metrics(alarm)) for alarm in alarms(full).values()) == 35


def test_a_topic_of_ours_is_encrypted_and_cloudwatch_may_use_it(full):
    from stack import Stack

    assert full.of("AWS::SNS::Topic")["AlarmTopic"]["KmsMasterKeyId"] == full.given["KeyArn"]
    assert not full.of("AWS::KMS::Key")
    own = Stack(AlarmEmail="ops@example.com")
    assert own.of("AWS::SNS::Topic")["AlarmTopic"]["KmsMasterKeyId"] == {"Ref": "AlarmKey"}
    key = own.of("AWS::KMS::Key")["AlarmKey"]
    assert key["EnableKeyRotation"] and "cloudwatch.amazonaws.com" in json.dumps(key["KeyPolicy"])
