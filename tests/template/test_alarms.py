"""Alarms: notifications, missing data, runbook entries and cost."""

import json
import re

from stack import PLATFORMS, PROJECT, Stack

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
    searched = {re.search(r"SEARCH\('\{\"?([^\",]+)", each["expression"])[1] for each in plots if isinstance(each, dict)}
    plotted = {each for each in plots if isinstance(each, str)}
    assert {name for name in searched | plotted if not name.startswith("AWS/")} == namespaces


def test_alarms_define_missing_data(stack):
    for name, alarm in alarms(stack).items():
        assert {"ComparisonOperator", "EvaluationPeriods", "Threshold"} <= alarm.keys(), name
        assert alarm["TreatMissingData"] in ("breaching", "notBreaching"), name


def anchor(name):
    """Returns the section of an alarm: its own, or one that the alarms of all platforms share."""
    platform = next((id.capitalize() for id in PLATFORMS if name.startswith(id.capitalize())), None)
    shared = {f"{platform}ErrorsAlarm": "platformerrorsalarm", f"{platform}ListenerErrorsAlarm": "backgrounderrorsalarm"}
    return shared[name] if platform else name.lower()


def test_alarm_descriptions_link_to_the_runbook(stack):
    for name, alarm in alarms(stack).items():
        assert alarm["AlarmDescription"].endswith(f"See docs/runbook.md#{anchor(name)}"), name


def test_the_runbook_has_every_alarm(full):
    runbook = (PROJECT / "docs/runbook.md").read_text()
    headings = {heading.lower() for heading in re.findall(r"^## (\w+)$", runbook, re.MULTILINE)}
    sections = {anchor(name) for name in alarms(full)}
    assert headings >= sections
    assert not {each for each in headings if each.endswith("alarm")} - sections


def test_alarms_are_within_cloudwatch_limits(stack):
    for name, alarm in alarms(stack).items():
        assert 1 <= len(metrics(alarm)) <= 10, name
        # Exactly one metric is compared with the threshold.
        returned = [each for each in alarm.get("Metrics", [{}]) if each.get("ReturnData", True)]
        assert len(returned) == 1, name
        ids = [each["Id"] for each in alarm.get("Metrics", [])]
        assert len(ids) == len(set(ids)) and all(re.fullmatch("[a-z][a-zA-Z0-9_]*", each) for each in ids)


def watched(alarm):
    """Returns the functions or queues that an alarm watches."""
    values = [metric["Dimensions"][0]["Value"] for metric in metrics(alarm)]
    return {value.get("Ref") or value["Fn::GetAtt"][0] for value in values}


def test_the_errors_of_every_function_raise_an_alarm(full):
    """An API Gateway counts a failed invocation as 5xx, so functions behind it need no metric of their own."""
    behind_the_api = {
        integration["IntegrationUri"]["Fn::GetAtt"][0]
        for integration in full.of("AWS::ApiGatewayV2::Integration").values()
    }
    errors = [each for each in alarms(full).values() if each.get("Namespace") == "AWS/Lambda" and "Dimensions" in each]
    assert all(each["MetricName"] == "Errors" for each in errors)
    assert {name for alarm in errors for name in watched(alarm)} == set(full.of("AWS::Lambda::Function")) - behind_the_api
    assert alarms(full)["ApiErrorsAlarm"]["MetricName"] == "5xx"
    assert alarms(full)["PanicsAlarm"]["Threshold"] == 0


def test_the_schedule_is_a_heartbeat(stack):
    """the scheduler reports the metrics of the queues once a minute. If it does not, the alarm fires."""
    alarm = alarms(stack)["DeadLettersUnreadAlarm"]
    assert alarm["MetricName"] == "DeadLettersUnread" and alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] == 60 and alarm["EvaluationPeriods"] == 10
    assert watched(alarms(stack)["OldestTaskAlarm"]) == {"TasksQueue"}


def test_number_of_alarm_metrics_matches_the_cost_document(full):
    # 0.10 USD per month each, see docs/cost.md.
    assert sum(len(metrics(alarm)) for alarm in alarms(full).values()) == 13 + len(PLATFORMS)


def test_alarms_that_need_several_metrics_are_only_on_aws():
    local = alarms(Stack(AllowLocalTargets="yes"))
    assert local and not any("Metrics" in alarm for alarm in local.values())


def test_the_alarm_topic_is_encrypted_and_cloudwatch_may_use_its_key(full):
    assert full.of("AWS::SNS::Topic")["AlarmTopic"]["KmsMasterKeyId"] == full.given["KeyArn"]
    assert not full.of("AWS::KMS::Key")
    own = Stack(AlarmEmail="ops@example.com")
    assert own.of("AWS::SNS::Topic")["AlarmTopic"]["KmsMasterKeyId"] == {"Ref": "AlarmKey"}
    key = own.of("AWS::KMS::Key")["AlarmKey"]
    assert key["EnableKeyRotation"] and "cloudwatch.amazonaws.com" in json.dumps(key["KeyPolicy"])
