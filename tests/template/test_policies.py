"""IAM permissions of each function. A change of permissions needs a change of EXPECTED here."""

from fnmatch import fnmatchcase as fnmatch

import pytest
from stack import PLATFORMS, as_list, name_of

QUEUE = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-*-"
OUTBOUND_QUEUES, DEAD_QUEUES, LISTEN_QUEUES = (QUEUE + kind for kind in ("outbound.fifo", "dead.fifo", "listen"))
QUEUES = {"TasksQueue", OUTBOUND_QUEUES}
READ = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
EXTERNAL, STATE = (f"${{Table.Arn}}/index/by_{name}" for name in ("external_id", "state"))
PARAMETERS = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/trunkline/${AWS::StackName}/"
FILES = "${FilesBucket.Arn}/*"
SECRETS = PARAMETERS + "secrets/*"
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
TRACES = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
KMS = {f"kms:{n}" for n in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")}
# Actions without resource-level permissions.
WITHOUT_RESOURCE = TRACES


def table(*names):
    return {f"dynamodb:{name}" for name in names}


def grants(*parts):
    """Returns the set of actions for each resource."""
    granted = {}
    for actions, resources in parts:
        for resource in resources:
            granted.setdefault(resource, set()).update(actions)
    return granted


INBOUND = [
    (table("GetItem", "PutItem", "Query", "UpdateItem"), {"Table"}),
    (table("Query"), {EXTERNAL}),
    ({"ssm:GetParameter"}, {SECRETS}),
    ({"sqs:SendMessage"}, QUEUES),
]
OUTBOUND = [
    (table("BatchGetItem", "DeleteItem", "GetItem", "PartiQLUpdate", "PutItem", "Query", "UpdateItem"), {"Table"}),
    (table("Query"), {EXTERNAL}),
    ({"ssm:GetParameter"}, {SECRETS}),
    ({"sqs:SendMessage"}, QUEUES),
]
EXPECTED = {
    "Console": grants(
        (table("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"), {"Table"}),
        (table("Query"), {STATE}),
        ({"ssm:GetParameter", "ssm:PutParameter"}, {SECRETS}),
        ({"sqs:SendMessage"}, QUEUES),
        ({"sqs:GetQueueAttributes"}, {OUTBOUND_QUEUES, DEAD_QUEUES}),
        ({"s3:DeleteObject"}, {FILES}),
    ),
    "Files": grants((table("GetItem"), {"Table"}), ({"s3:GetObject"}, {FILES})),
    "Scheduler": grants(
        (table("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"), {"Table"}),
        ({"sqs:SendMessage"}, QUEUES | {LISTEN_QUEUES}),
        ({"sqs:GetQueueAttributes"}, {OUTBOUND_QUEUES}),
        (READ, {DEAD_QUEUES, "TasksQueue"}),
    ),
    "TwinListener": grants(
        *INBOUND,
        (table("DeleteItem"), {"Table"}),
        (READ | {"sqs:SendMessage"}, {"TwinListenQueue"}),
    ),
}
for platform in map(str.capitalize, PLATFORMS):
    EXPECTED[f"{platform}Inbound"] = grants(*INBOUND)
    EXPECTED[f"{platform}Outbound"] = grants(
        *OUTBOUND,
        (READ | {"sqs:ChangeMessageVisibility"}, {f"{platform}Queue"}),
        ({"sqs:SendMessage"}, {f"{platform}DeadLetters"}),
    )
EXPECTED["TwinOutbound"]["TwinListenQueue"] = {"sqs:SendMessage"}
# The platforms whose files only their own login can download.
for platform in ("Twin", "Unblu"):
    EXPECTED[f"{platform}Outbound"][FILES] = {"s3:PutObject"}


def role_of(stack, function):
    return stack.of("AWS::Lambda::Function")[function]["Role"]["Fn::GetAtt"][0]


def statements(stack, role):
    """Returns the statements of a role's inline and managed policies."""
    about = stack.of("AWS::IAM::Role")[role]
    documents = [policy["PolicyDocument"] for policy in about.get("Policies", [])]
    for policy in about.get("ManagedPolicyArns", []):
        # A string would be an AWS managed policy, which grants more than needed.
        documents.append(stack.of("AWS::IAM::ManagedPolicy")[policy["Ref"]]["PolicyDocument"])
    for policy in stack.of("AWS::IAM::Policy").values():
        if {"Ref": role} in policy["Roles"]:
            documents.append(policy["PolicyDocument"])
    return [statement for document in documents for statement in document["Statement"]]


def granted(stack, function):
    parts = []
    for statement in statements(stack, role_of(stack, function)):
        assert statement["Effect"] == "Allow" and "NotAction" not in statement and "NotResource" not in statement
        parts.append((as_list(statement["Action"]), [name_of(each) for each in as_list(statement["Resource"])]))
    return grants(*parts)


def test_expected_has_every_function(stack):
    assert set(stack.of("AWS::Lambda::Function")) == set(EXPECTED)


def test_every_function_has_its_own_role(stack):
    functions = stack.of("AWS::Lambda::Function")
    roles = {function: role_of(stack, function) for function in functions}
    assert roles == {function: f"{function}Role" for function in functions}
    # There are no unused roles.
    assert set(stack.of("AWS::IAM::Role")) == set(roles.values())


def test_only_lambda_can_assume_roles(stack):
    for about in stack.of("AWS::IAM::Role").values():
        statement, = about["AssumeRolePolicyDocument"]["Statement"]
        assert statement == {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }


@pytest.mark.parametrize("function", EXPECTED)
def test_functions_have_exactly_the_expected_permissions(stack, function):
    is_full = bool(stack.given["KeyArn"])
    common = {"Logs": LOGS} | ({"*": TRACES, stack.given["KeyArn"]: KMS} if is_full else {})
    assert granted(stack, function) == EXPECTED[function] | common


def test_no_wildcard_actions_or_resources(stack):
    for role in stack.of("AWS::IAM::Role"):
        for statement in statements(stack, role):
            actions = as_list(statement["Action"])
            assert not any("*" in action for action in actions), actions
            if "*" in as_list(statement["Resource"]):
                assert set(actions) <= WITHOUT_RESOURCE, actions


def test_the_kms_key_is_only_used_through_the_services_that_store_data(full):
    for role in full.of("AWS::IAM::Role"):
        for statement in statements(full, role):
            if any(action.startswith("kms:") for action in as_list(statement["Action"])):
                through = statement["Condition"]["StringEquals"]["kms:ViaService"]
                assert through == [f"{service}.${{AWS::Region}}.amazonaws.com" for service in ("dynamodb", "s3", "sqs")]


def test_each_queue_has_one_reader(stack):
    readers = {}
    for function in EXPECTED:
        for resource, actions in granted(stack, function).items():
            if "sqs:ReceiveMessage" in actions:
                readers.setdefault(resource, []).append(function)
    expected = {queue: ["Scheduler"] for queue in (DEAD_QUEUES, "TasksQueue")} | {"TwinListenQueue": ["TwinListener"]}
    for name in map(str.capitalize, PLATFORMS):
        expected[f"{name}Queue"] = [f"{name}Outbound"]
    assert readers == expected


def test_readers_have_an_event_source_mapping(stack):
    started = set()
    for mapping in stack.of("AWS::Lambda::EventSourceMapping").values():
        queue, function = name_of(mapping["EventSourceArn"]), mapping["FunctionName"]["Ref"]
        assert READ <= granted(stack, function)[queue]
        started.add(queue)
    # The scheduler's tick reads the dead-letter queues, because each mapping polls all day.
    assert READ <= granted(stack, "Scheduler")[DEAD_QUEUES]
    assert started == {name for name in stack.of("AWS::SQS::Queue") if not name.endswith("DeadLetters")}


def test_wildcards_match_exactly_the_queues_of_their_kind(stack):
    names = {name: queue["QueueName"] for name, queue in stack.of("AWS::SQS::Queue").items()}
    for wildcard, ending in ((OUTBOUND_QUEUES, "Queue"), (DEAD_QUEUES, "DeadLetters"), (LISTEN_QUEUES, "ListenQueue")):
        pattern = wildcard.removeprefix("arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:")
        matched = {name for name, queue in names.items() if fnmatch(queue, pattern)}
        others = {"TasksQueue"} | {name for name in names if name.endswith("ListenQueue") and ending == "Queue"}
        assert matched == {name for name in names if name.endswith(ending)} - others


def test_only_the_console_writes_secrets(stack):
    may = {function for function in EXPECTED if "ssm:PutParameter" in granted(stack, function).get(SECRETS, ())}
    assert may == {"Console"}


def test_only_this_stack_can_invoke_functions(stack):
    for permission in stack.of("AWS::Lambda::Permission").values():
        assert permission["Principal"] in ("apigateway.amazonaws.com", "events.amazonaws.com")
        assert "SourceArn" in permission
