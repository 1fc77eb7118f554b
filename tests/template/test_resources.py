"""Encryption, retention, concurrency, tracing, the dashboard, and completeness for every platform."""

import json
import subprocess

import pytest
from stack import PLATFORMS, PROJECT, Stack, source


def test_stored_data_is_encrypted(plain, full):
    for queue in plain.of("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is True and "KmsMasterKeyId" not in queue
    assert "SSESpecification" not in plain.of("AWS::DynamoDB::Table")["Table"]
    key = full.given["KeyArn"]
    for queue in full.of("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] is False and queue["KmsMasterKeyId"] == key
    sse = full.of("AWS::DynamoDB::Table")["Table"]["SSESpecification"]
    assert sse == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    for group in full.of("AWS::Logs::LogGroup").values():
        assert group["KmsKeyId"] == key


def test_relayed_files_are_private_encrypted_and_expire(plain, full):
    for stack, encryption in (
        (plain, {"SSEAlgorithm": "AES256"}),
        (full, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": full.given["KeyArn"]}),
    ):
        bucket = stack.of("AWS::S3::Bucket")["FilesBucket"]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        rule, = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == encryption
        rule, = bucket["LifecycleConfiguration"]["Rules"]
        assert int(rule["ExpirationInDays"]) == 7 and rule["Status"] == "Enabled"
        assert "AbortIncompleteMultipartUpload" in rule
        statement, = stack.of("AWS::S3::BucketPolicy")["FilesBucketPolicy"]["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    # The local AWS has no TLS.
    assert "FilesBucketPolicy" not in Stack(AllowLocalTargets="yes").of("AWS::S3::BucketPolicy")


def test_the_table_is_protected_against_deletion(plain):
    table = plain.template["Resources"]["Table"]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    properties = plain.of("AWS::DynamoDB::Table")["Table"]
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert Stack(DeletionProtection="no").of("AWS::DynamoDB::Table")["Table"]["DeletionProtectionEnabled"] is False


def test_logs_have_a_retention(stack):
    groups = stack.of("AWS::Logs::LogGroup")
    assert set(groups) == {"Logs", "ApiLogs"}
    assert all(int(group["RetentionInDays"]) == 30 for group in groups.values())


def test_tracing_applies_to_all_functions(plain, full):
    for stack, mode in ((plain, "PassThrough"), (full, "Active")):
        for function in stack.of("AWS::Lambda::Function").values():
            assert function["TracingConfig"] == {"Mode": mode}


def test_concurrency_follows_the_parameters(plain, full):
    for stack, share in ((plain, None), (full, "20")):
        for name, function in stack.of("AWS::Lambda::Function").items():
            expected = share if name.endswith("Inbound") else None
            assert function.get("ReservedConcurrentExecutions") == expected, name
    for name, mapping in plain.of("AWS::Lambda::EventSourceMapping").items():
        if name.endswith("OutboundQueue"):
            assert mapping["ScalingConfig"]["MaximumConcurrency"] == "150"


def test_the_makefile_builds_every_platform():
    rule = "printed: ; @printf '%s\\n' 'platforms $(ALL_PLATFORMS)' 'functions $(FUNCTIONS)' 'packages $(PACKAGES)'"
    command = ["make", "--no-print-directory", f"--eval={rule}", "printed"]
    output = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    found = {line.split()[0]: line.split()[1:] for line in output.splitlines()}
    assert found["platforms"] == PLATFORMS
    code = {about["Properties"]["CodeUri"] for about in source()["Resources"].values() if "CodeUri" in about["Properties"]}
    assert {f"target/lambda/{name}/" for name in found["functions"]} == code
    assert {f"trunkline-{id}" for id in PLATFORMS} <= set(found["packages"])


@pytest.mark.parametrize("on", ["yes", "no"])
def test_the_dashboard_is_valid_json(on):
    dashboards = Stack(Dashboard=on).of("AWS::CloudWatch::Dashboard")
    if on == "no":
        assert not dashboards
        return
    body = dashboards["OperationsDashboard"]["DashboardBody"]
    widgets = json.loads(body["Fn::Sub"] if isinstance(body, dict) else body)["widgets"]
    taken = set()
    for widget in widgets:
        for x in range(widget["x"], widget["x"] + widget["width"]):
            for y in range(widget["y"], widget["y"] + widget["height"]):
                assert x < 24 and (x, y) not in taken, "two widgets overlap"
                taken.add((x, y))
        if widget["type"] == "metric":
            properties = widget["properties"]
            assert properties["region"] == "${AWS::Region}" and properties["title"] and properties["metrics"]


def test_the_dashboard_has_the_metrics_of_the_console(plain):
    body = json.dumps(plain.of("AWS::CloudWatch::Dashboard")["OperationsDashboard"]["DashboardBody"])
    for metric in ("Accepted", "Delivered", "Failed", "Retried", "Parked", "Waiting", "DeliveryTime", "DeadLettered"):
        assert f'\\"{metric}' in body, metric
    # Searches find the metrics of every platform.
    assert body.count("SEARCH(") == 7
