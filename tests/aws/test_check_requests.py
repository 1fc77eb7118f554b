"""The check of recorded requests accepts what AWS accepts, and reports every kind of mistake."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "tools"))
import check_requests

MODELS = check_requests.Models()
KEY = {"pk": {"S": "CONV#a#b"}, "sk": {"S": "CONV"}}
PUT = {
    "TableName": "table",
    "Item": {**KEY, "v": {"N": "1"}, "outcomes": {"M": {"bot": {"S": "x"}}}, "is": {"BOOL": True}, "raw": {"B": "AAE="}},
    "ConditionExpression": "attribute_not_exists(pk)",
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}
UPDATE = {
    "TableName": "table",
    "Key": KEY,
    "UpdateExpression": "ADD failures :one",
    "ExpressionAttributeValues": {":one": {"N": "1"}},
    "ReturnValues": "ALL_NEW",
}
QUERY = {
    "TableName": "table",
    "IndexName": "by_state",
    "KeyConditionExpression": "#list = :list",
    "ExpressionAttributeNames": {"#list": "list"},
    "ExpressionAttributeValues": {":list": {"S": "a#b"}},
    "ScanIndexForward": False,
    "Limit": 26,
}
TRANSACTION = {
    "TransactItems": [{"Put": {"TableName": "table", "Item": KEY}}, {"Delete": {"TableName": "table", "Key": KEY}}],
    "ClientRequestToken": "0199c6c2-5c0e-7cc3-a3f1-0c6d8c1d2e3f",
}
STATEMENTS = {"Statements": [{"Statement": "UPDATE t SET a=? WHERE pk=?", "Parameters": [{"S": "x"}, {"S": "y"}]}]}
SEND = {
    "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/trunkline-faxline-outbound.fifo",
    "MessageBody": "{}",
    "MessageGroupId": "a",
    "MessageDeduplicationId": "b",
    "MessageAttributes": {"reason": {"DataType": "String", "StringValue": "x"}},
    "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-0-0"}},
}
SECRET = {"Name": "/trunkline/stack/secrets/a/b", "Value": "x", "Type": "SecureString", "Overwrite": True}

GOOD = {
    "DynamoDB_20120810.PutItem": PUT,
    "DynamoDB_20120810.UpdateItem": UPDATE,
    "DynamoDB_20120810.Query": QUERY,
    "DynamoDB_20120810.TransactWriteItems": TRANSACTION,
    "DynamoDB_20120810.BatchExecuteStatement": STATEMENTS,
    "AmazonSQS.SendMessage": SEND,
    "AmazonSSM.PutParameter": SECRET,
}


@pytest.mark.parametrize("target", GOOD)
def test_a_good_body_has_no_problem(target):
    assert check_requests.check(MODELS, target, GOOD[target]) == []


def without(body, *names):
    """Returns a body without some members."""
    return {name: value for name, value in body.items() if name not in names}


@pytest.mark.parametrize(
    ("target", "body", "problem"),
    [
        ("DynamoDB_20120810.PutItems", PUT, "no operation 'PutItems'"),
        ("DynamoDB_20111205.PutItem", PUT, "no service has the target prefix 'DynamoDB_20111205'"),
        ("PutItem", PUT, "no service has the target prefix 'PutItem'"),
        ("DynamoDB_20120810.PutItem", [PUT], "the body is not an object but an array"),
        ("DynamoDB_20120810.PutItem", None, "the body is not an object but null"),
        ("DynamoDB_20120810.PutItem", without(PUT, "TableName"), 'Missing required parameter in input: "TableName"'),
        ("DynamoDB_20120810.PutItem", {**PUT, "Condition": "x"}, 'Unknown parameter in input: "Condition"'),
        ("DynamoDB_20120810.PutItem", {**PUT, "Item": {"pk": {"Text": "x"}}}, 'Unknown parameter in Item.pk: "Text"'),
        ("DynamoDB_20120810.PutItem", {**PUT, "Item": {"pk": {"N": 1}}}, "Invalid type for parameter Item.pk.N"),
        ("DynamoDB_20120810.PutItem", {**PUT, "Item": {"pk": {"S": None}}}, "Invalid type for parameter Item.pk.S"),
        ("DynamoDB_20120810.PutItem", {**PUT, "Item": {"pk": {"B": "!"}}}, ".Item.pk.B must be base64"),
        ("DynamoDB_20120810.PutItem", {**PUT, "Item": {"pk": {"S": "a", "N": "1"}}}, ".Item.pk must have exactly one type"),
        ("DynamoDB_20120810.PutItem", {**PUT, "Item": {"pk": {}}}, ".Item.pk must have exactly one type, but has none"),
        ("DynamoDB_20120810.PutItem", {**PUT, "ReturnValues": "OLD"}, ".ReturnValues is 'OLD', but must be one of NONE, "),
        ("DynamoDB_20120810.PutItem", {**PUT, "TableName": ""}, "Invalid length for parameter TableName, value: 0"),
        ("DynamoDB_20120810.PutItem", {**PUT, "TableName": "t" * 1_025}, ".TableName is 1025, but at most 1024"),
        ("DynamoDB_20120810.Query", {**QUERY, "IndexName": "by state"}, "which does not match [a-zA-Z0-9_.-]+"),
        ("DynamoDB_20120810.Query", {**QUERY, "Limit": 0}, "Invalid value for parameter Limit, value: 0"),
        ("DynamoDB_20120810.Query", {**QUERY, "Limit": "26"}, "Invalid type for parameter Limit"),
        ("DynamoDB_20120810.Query", {**QUERY, "Limit": 2.5}, "Invalid type for parameter Limit"),
        ("DynamoDB_20120810.Query", {**QUERY, "Limit": True}, ".Limit must be a number, but is a boolean"),
        (
            "DynamoDB_20120810.TransactWriteItems",
            {**TRANSACTION, "TransactItems": TRANSACTION["TransactItems"] * 51},
            ".TransactItems is 102, but at most 100 is allowed",
        ),
        (
            "DynamoDB_20120810.TransactWriteItems",
            {**TRANSACTION, "ClientRequestToken": "x" * 37},
            ".ClientRequestToken is 37, but at most 36",
        ),
        ("DynamoDB_20120810.BatchExecuteStatement", {"Statements": []}, "Invalid length for parameter Statements, value: 0"),
        (
            "AmazonSQS.SendMessage",
            {**SEND, "MessageSystemAttributes": {"Trace": {"DataType": "String"}}},
            ".MessageSystemAttributes (key 'Trace') is 'Trace', but must be one of AWSTraceHeader",
        ),
        ("AmazonSQS.SendMessage", {**SEND, "DelaySeconds": "5"}, "Invalid type for parameter DelaySeconds"),
        ("AmazonSQS.ReceiveMessage", {"QueueUrl": "x", "AttributeNames": ["Body"]}, "[0] is 'Body', but must be one of"),
        ("AmazonSSM.PutParameter", {**SECRET, "Type": "Secret"}, ".Type is 'Secret', but must be one of String, "),
        ("AmazonSSM.PutParameter", {**SECRET, "KeyId": "a key"}, "which does not match ^([a-zA-Z0-9:/_-]+)$"),
        (
            "AmazonSSM.GetParameterHistory",
            {"Name": "x", "MaxResults": 51},
            ".MaxResults is 51, but at most 50 is allowed",
        ),
    ],
)
def test_a_bad_body_is_reported(target, body, problem):
    problems = check_requests.check(MODELS, target, body)
    assert any(problem in each for each in problems), problems


def test_a_time_is_a_number_on_the_wire():
    target = "AmazonSSM.CreateActivation"
    body = {"IamRole": "role", "ExpirationDate": 1_790_000_000.5}
    assert check_requests.check(MODELS, target, body) == []
    problems = check_requests.check(MODELS, target, {**body, "ExpirationDate": "2026-11-30T00:00:00Z"})
    assert problems == [".ExpirationDate must be a time in seconds, but is a string"]


def test_a_body_keeps_the_members_that_the_check_decodes():
    """Otherwise an unknown member inside a known one would pass."""
    problems = []
    shape = MODELS.input("DynamoDB_20120810.PutItem")
    decoded = check_requests.decode(shape, {**PUT, "Extra": 1}, "", problems)
    expected = {**PUT["Item"], "raw": {"B": b"\x00\x01"}}
    assert decoded == {**PUT, "Extra": 1, "Item": expected} and not problems


def run(path):
    """Runs the program on a file."""
    command = [sys.executable, PROJECT / "tools/check_requests.py", path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def written(tmp_path, *lines):
    """Writes a file of recorded requests."""
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return path


def test_the_program_counts_by_operation(tmp_path):
    calls = [{"target": target, "body": body} for target, body in GOOD.items()]
    ended = run(written(tmp_path, *calls, calls[0], {"target": None, "body": "a file"}, {"body": {}}))
    assert ended.returncode == 0, ended.stderr
    counts = dict(reversed(line.split()) for line in ended.stdout.splitlines())
    assert counts == {target: "2" if target == calls[0]["target"] else "1" for target in GOOD}


def test_the_program_prints_the_first_problems_and_fails(tmp_path):
    bad = {"target": "AmazonSQS.SendMessage", "body": without(SEND, "QueueUrl")}
    ended = run(written(tmp_path, {"target": "AmazonSQS.SendMessage", "body": SEND}, *[bad] * 30))
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert len(lines) == 21
    assert lines[0] == 'line 2: AmazonSQS.SendMessage: Missing required parameter in input: "QueueUrl"'
    assert lines[-1] == "30 problems in 31 requests"


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["{\n"], "line 1: the line is not JSON"),
        (["[]\n"], "line 1: the line is not a recorded request"),
        ([{"target": 7, "body": {}}], "line 1: the line is not a recorded request"),
        ([], "has no request with a target"),
        ([{"body": {}}], "has no request with a target"),
    ],
)
def test_the_program_fails_on_a_file_that_shows_nothing(tmp_path, lines, problem):
    ended = run(written(tmp_path, *lines))
    assert ended.returncode == 1 and problem in ended.stderr, ended.stderr


def test_the_program_names_a_missing_file(tmp_path):
    ended = run(tmp_path / "none.jsonl")
    assert ended.returncode == 1 and "`make e2e` writes it" in ended.stderr
