"""The API: access log, throttling, routes and address."""

import json
import re

from stack import PLATFORMS, Stack

# Fields of the access log. Paths and queries are not allowed, because they contain keys and tokens.
LOGGED = {
    "$context.identity.sourceIp",
    "$context.integrationErrorMessage",
    # API Gateway refuses a format without the id.
    "$context.requestId",
    "$context.responseLatency",
    "$context.routeKey",
    "$context.status",
}

# Longest values of a call that Lambda answered, except for the route. The API has IPv4 addresses only.
LONGEST = {
    "$context.identity.sourceIp": "203.113.113.113",
    "$context.integrationErrorMessage": "-",
    "$context.requestId": "JKJaXmPLvHcESHA=",
    "$context.responseLatency": "29000",
    "$context.status": "200",
}


def stage(stack):
    return stack.of("AWS::ApiGatewayV2::Stage")["ApiStage"]


def test_no_path_is_logged(stack):
    form = stage(stack)["AccessLogSettings"]["Format"]
    assert set(re.findall(r"\$[\w.]+", form)) == LOGGED
    assert set(json.loads(form)) == {"id", "ip", "route", "status", "ms", "error"}


def test_a_line_of_the_access_log_has_at_most_150_bytes(stack):
    form = stage(stack)["AccessLogSettings"]["Format"]
    assert "IpAddressType" not in stack.of("AWS::ApiGatewayV2::Api")["Api"]
    for route in stack.of("AWS::ApiGatewayV2::Route").values():
        values = LONGEST | {"$context.routeKey": route["RouteKey"]}
        line = re.sub(r"\$[\w.]+", lambda found: values.get(found[0], found[0]), form)
        assert json.loads(line)["route"] == route["RouteKey"] and "$context" not in line
        assert len(line) <= 150, line


def test_the_access_log_is_optional():
    without = Stack(AccessLog="no")
    assert "AccessLogSettings" not in stage(without) and "ApiLogs" not in without.resources


def test_operator_routes_have_lower_throttling_limits(full):
    routes = full.of("AWS::ApiGatewayV2::Route")
    console = {route["RouteKey"] for name, route in routes.items() if name.startswith("Console")}
    settings = stage(full)["RouteSettings"]
    assert set(settings) == console
    for setting in settings.values():
        for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit"):
            assert 0 < int(setting[limit]) < int(stage(full)["DefaultRouteSettings"][limit])


def test_routes_are_created_before_their_settings(stack):
    depends = stack.template["Resources"]["ApiStage"]["DependsOn"]
    assert set(depends) >= {name for name in stack.of("AWS::ApiGatewayV2::Route") if name.startswith("Console")}


def test_links_of_files_can_only_be_read(stack):
    routes = stack.of("AWS::ApiGatewayV2::Route")
    keys = {about["RouteKey"] for name, about in routes.items() if name.startswith("Files")}
    assert keys == {"GET /files/{id}", "HEAD /files/{id}"}


def test_every_platform_has_its_routes(stack):
    keys = {route["RouteKey"] for route in stack.of("AWS::ApiGatewayV2::Route").values()}
    assert {f"ANY /in/{platform}/{{connection}}/{{key}}" for platform in PLATFORMS} <= keys


def addresses(stack):
    """Returns the address, after checking that all its users get the same one."""
    address = stack.of("AWS::SSM::Parameter")["Address"]["Value"]
    assert stack.outputs["ApiUrl"]["Value"] == {"Fn::GetAtt": ["Address", "Value"]}
    console = stack.of("AWS::Lambda::Function")["Console"]["Environment"]["Variables"]
    assert console["TRUNKLINE_API"] == {"Fn::GetAtt": ["Address", "Value"]}
    for function in stack.of("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["TRUNKLINE_URL"] == {"Fn::GetAtt": ["Address", "Value"]}
    info = stack.template["Resources"]["StackInfo"]["Properties"]["Value"]["Fn::Sub"]
    assert '"api":"${Address}"' in info[0] and info[1] == {"Address": {"Fn::GetAtt": ["Address", "Value"]}}
    return address


def test_the_address_follows_the_stage_and_the_domain(plain, full):
    amazon = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
    assert addresses(plain) == amazon
    assert addresses(Stack(StageName="prod")) == amazon + "/prod"
    assert addresses(full) == "https://trunkline.example.com"


def test_stack_info_has_the_format_that_the_cli_reads(stack):
    text = stack.template["Resources"]["StackInfo"]["Properties"]["Value"]["Fn::Sub"][0]
    info = json.loads(re.sub(r"\$\{[^}]+\}", "1", text))
    assert set(info) == {"table", "api", "secrets", "tasks_queue", "retention_days", "allow_local", "files_bucket", "file_days"}
    assert '"tasks_queue":"${TasksQueue}"' in text


def test_the_names_of_the_queues_follow_from_the_tasks_queue(stack):
    for function in stack.of("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["TRUNKLINE_TASKS_QUEUE"] == {"Ref": "TasksQueue"}
    names = {queue["QueueName"] for queue in stack.of("AWS::SQS::Queue").values()}
    expected = {f"${{AWS::StackName}}-{id}-{kind}.fifo" for id in PLATFORMS for kind in ("outbound", "dead")}
    listen = {name for name in names if name.endswith("-listen")}
    assert names - listen == expected | {"${AWS::StackName}-tasks"}
    assert listen <= {f"${{AWS::StackName}}-{id}-listen" for id in PLATFORMS}


def test_a_custom_domain_has_mapping_and_record(full):
    domain = full.of("AWS::ApiGatewayV2::DomainName")["Domain"]
    assert domain["DomainNameConfigurations"][0]["SecurityPolicy"] == "TLS_1_2"
    assert full.of("AWS::ApiGatewayV2::ApiMapping") and full.of("AWS::Route53::RecordSet")
    assert "DomainTarget" in full.outputs
    alone = Stack(DomainName="a.example.com", CertificateArn="arn:aws:acm:x:1:certificate/1")
    assert not alone.of("AWS::Route53::RecordSet") and alone.of("AWS::ApiGatewayV2::ApiMapping")
    # A hosted zone without a domain name has no effect.
    assert not Stack(HostedZoneId="Z1").of("AWS::Route53::RecordSet")
