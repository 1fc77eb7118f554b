"""What the queues expect of SQS, call by call, and the secrets of Parameter Store.

shared/testkit has a script of SQS operations (contract.rs) that `make e2e` runs on MiniStack. This contract also covers
the limits and the errors on which Trunkline relies.
"""

import json
import time
import uuid

import pytest
from calls import code

# Largest message of Trunkline, and the limit of SQS for a message and for a batch, in bytes.
OWN_LIMIT = 256 * 1_024
LIMIT = 1_024 * 1_024


@pytest.fixture
def send(aws):
    """Sends a message to a FIFO queue and returns its id."""

    def send(url, group, id, body="x", **request):
        request |= {"MessageGroupId": group, "MessageDeduplicationId": id, "MessageBody": body}
        return aws.sqs.send_message(QueueUrl=url, **request)["MessageId"]

    return send


@pytest.fixture
def receive(aws):
    """Receives up to ten messages."""

    def receive(url, limit=10, **request):
        wanted = {"MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"]}
        answer = aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=limit, **wanted, **request)
        return answer.get("Messages", [])

    return receive


@pytest.fixture
def drain(receive):
    """Receives all visible messages: one answer of a FIFO queue may have those of one group only."""

    def drain(url):
        received = []
        while more := receive(url):
            received += more
        return received

    return drain


@pytest.fixture
def wait(receive):
    """Receives until a message is there, for up to three seconds."""

    def wait(url):
        for _ in range(30):
            if received := receive(url):
                return received
            time.sleep(0.1)
        return []

    return wait


@pytest.fixture
def delete(aws):
    """Deletes a received message."""
    return lambda url, message: aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture
def change(aws):
    """Sets the visibility timeout of a received message."""
    return lambda url, message, seconds: aws.sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
    )


def bodies(messages):
    return [message["Body"] for message in messages]


def counts(messages):
    """Returns the body and the receive count of each message."""
    return [(message["Body"], int(message["Attributes"]["ApproximateReceiveCount"])) for message in messages]


# ---------------------------------------------------------------- groups and order


def test_the_queue_has_the_attributes_of_the_template(aws, fifo):
    known = aws.sqs.get_queue_attributes(QueueUrl=fifo, AttributeNames=["All"])["Attributes"]
    expected = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    expected |= {"VisibilityTimeout": "45", "MessageRetentionPeriod": "1209600", "SqsManagedSseEnabled": "true"}
    assert {name: known.get(name) for name in expected} == expected


def test_messages_of_a_group_are_received_in_order(fifo, send, drain):
    for body in ("a1", "b1", "a2", "b2", "a3"):
        send(fifo, body[0], body, body)
    received = bodies(drain(fifo))
    assert sorted(received) == ["a1", "a2", "a3", "b1", "b2"]
    for group in "ab":
        own = [body for body in received if body[0] == group]
        assert own == sorted(own)


def test_a_group_waits_while_one_of_its_messages_is_in_flight(fifo, send, receive, delete):
    send(fifo, "a", "1", "first")
    first, = receive(fifo)
    send(fifo, "a", "2", "second")
    send(fifo, "b", "3", "other group")
    assert bodies(receive(fifo)) == ["other group"]
    delete(fifo, first)
    assert bodies(receive(fifo)) == ["second"]


def test_a_message_has_its_group_and_its_times(fifo, send, receive):
    ids = [send(fifo, "a", id) for id in ("1", "2")]
    first, second = receive(fifo)
    assert [first["MessageId"], second["MessageId"]] == ids
    about = first["Attributes"]
    assert about["MessageGroupId"] == "a" and about["MessageDeduplicationId"] == "1"
    assert about["ApproximateReceiveCount"] == "1"
    now = time.time() * 1_000
    for name in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
        assert abs(int(about[name]) - now) < 60_000


# ---------------------------------------------------------------- deduplication


def test_a_repeat_is_accepted_and_dropped(fifo, send, drain):
    send(fifo, "a", "1", "first")
    send(fifo, "a", "1", "again")
    assert bodies(drain(fifo)) == ["first"]


def test_a_repeat_is_dropped_after_the_first_was_deleted(fifo, send, receive, delete):
    send(fifo, "a", "1")
    for message in receive(fifo):
        delete(fifo, message)
    send(fifo, "a", "1")
    assert receive(fifo) == []


def test_groups_have_their_own_ids(fifo, send, drain):
    assert send(fifo, "a", "1", "in a") != send(fifo, "b", "1", "in b")
    assert sorted(bodies(drain(fifo))) == ["in a", "in b"]


def test_without_high_throughput_ids_belong_to_the_queue(create_queue, send, drain):
    queue = create_queue(".fifo", FifoQueue="true")
    send(queue, "a", "1", "in a")
    send(queue, "b", "1", "in b")
    assert bodies(drain(queue)) == ["in a"]


# ---------------------------------------------------------------- visibility and dead letters


def test_a_message_is_visible_again_when_its_timeout_is_set_to_zero(fifo, send, receive, change):
    send(fifo, "a", "1")
    send(fifo, "a", "2", "y")
    first, = receive(fifo, limit=1)
    change(fifo, first, 0)
    assert counts(receive(fifo)) == [("x", 2), ("y", 1)]


def test_a_group_waits_for_a_message_that_was_delayed(fifo, send, receive, change, wait):
    send(fifo, "a", "1")
    first, = receive(fifo)
    change(fifo, first, 1)
    send(fifo, "a", "2", "y")
    assert receive(fifo) == []
    assert counts(wait(fifo)) == [("x", 2), ("y", 1)]


def test_a_visible_message_has_no_timeout_to_change(fifo, send, receive, change):
    send(fifo, "a", "1")
    first, = receive(fifo)
    change(fifo, first, 0)
    assert code(change, url=fifo, message=first, seconds=5) == "MessageNotInflight"


def test_a_timeout_has_at_most_12_hours(fifo, send, receive, change):
    send(fifo, "a", "1")
    first, = receive(fifo)
    assert code(change, url=fifo, message=first, seconds=43_201) == "InvalidParameterValue"


def test_a_message_that_was_received_too_often_becomes_a_dead_letter(aws, create_queue, send, receive, change, wait):
    dead = create_queue(".fifo", FifoQueue="true")
    arn = aws.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    queue = create_queue(".fifo", FifoQueue="true", RedrivePolicy=policy)
    sent = send(queue, "a", "1", "first")
    send(queue, "a", "2", "second")
    for count in (1, 2):
        received = receive(queue, limit=1)
        assert counts(received) == [("first", count)]
        change(queue, received[0], 0)
    assert counts(receive(queue, limit=1)) == [("second", 1)]
    letter, = wait(dead)
    assert letter["Body"] == "first" and letter["MessageId"] == sent
    assert letter["Attributes"]["MessageGroupId"] == "a" and letter["Attributes"]["MessageDeduplicationId"] == "1"


# ---------------------------------------------------------------- the tasks queue


def test_a_task_arrives_after_its_delay(aws, standard, receive, wait):
    aws.sqs.send_message(QueueUrl=standard, MessageBody="later", DelaySeconds=1)
    aws.sqs.send_message(QueueUrl=standard, MessageBody="now", DelaySeconds=0)
    assert bodies(receive(standard)) == ["now"]
    assert bodies(wait(standard)) == ["later"]


def test_a_delay_has_at_most_15_minutes(aws, standard):
    refused = code(aws.sqs.send_message, QueueUrl=standard, MessageBody="x", DelaySeconds=901)
    assert refused == "InvalidParameterValue"


def test_a_fifo_queue_has_no_delay_per_message(fifo, send):
    assert code(send, url=fifo, group="a", id="1", DelaySeconds=5) == "InvalidParameterValue"


def test_the_sizes_of_a_queue(aws, standard, receive):
    for delay in (0, 0, 900):
        aws.sqs.send_message(QueueUrl=standard, MessageBody="x", DelaySeconds=delay)
    receive(standard, limit=1)
    names = [f"ApproximateNumberOfMessages{part}" for part in ("", "NotVisible", "Delayed")]
    known = aws.sqs.get_queue_attributes(QueueUrl=standard, AttributeNames=names)["Attributes"]
    assert [known[name] for name in names] == ["1", "1", "1"]


# ---------------------------------------------------------------- batches


def entry(id, body="x", **more):
    return {"Id": id, "MessageBody": body, "MessageGroupId": id, "MessageDeduplicationId": id} | more


def test_a_batch_has_at_most_10_messages(aws, fifo):
    answer = aws.sqs.send_message_batch(QueueUrl=fifo, Entries=[entry(f"{index}") for index in range(10)])
    assert len(answer["Successful"]) == 10 and not answer.get("Failed")
    entries = [entry(f"{index}") for index in range(11)]
    assert code(aws.sqs.send_message_batch, QueueUrl=fifo, Entries=entries) == "TooManyEntriesInBatchRequest"


def test_the_messages_of_a_batch_have_different_ids(aws, fifo):
    entries = [entry("a"), entry("a", "y")]
    assert code(aws.sqs.send_message_batch, QueueUrl=fifo, Entries=entries) == "BatchEntryIdsNotDistinct"


def test_a_batch_is_not_empty(aws, fifo):
    assert code(aws.sqs.send_message_batch, QueueUrl=fifo, Entries=[]) == "EmptyBatchRequest"


def test_the_messages_of_a_batch_succeed_or_fail_one_by_one(aws, fifo, drain):
    entries = [entry("a"), entry("b", DelaySeconds=5), entry("c")]
    answer = aws.sqs.send_message_batch(QueueUrl=fifo, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["a", "c"]
    failed, = answer["Failed"]
    assert failed["Id"] == "b" and failed["Code"] == "InvalidParameterValue" and failed["SenderFault"] is True
    assert len(drain(fifo)) == 2


def test_a_delayed_batch_arrives_after_its_delays(aws, standard, receive, wait):
    entries = [{"Id": str(delay), "MessageBody": str(delay), "DelaySeconds": delay} for delay in (0, 1)]
    assert len(aws.sqs.send_message_batch(QueueUrl=standard, Entries=entries)["Successful"]) == 2
    assert bodies(receive(standard)) == ["0"] and bodies(wait(standard)) == ["1"]


# ---------------------------------------------------------------- sizes and contents


def test_the_largest_message_of_trunkline_is_accepted(aws, fifo, send, receive):
    send(fifo, "a", "1", "x" * OWN_LIMIT, MessageAttributes={"reason": {"DataType": "String", "StringValue": "y"}})
    received, = receive(fifo)
    assert len(received["Body"]) == OWN_LIMIT


def test_a_message_has_at_most_1_mb(fifo, send):
    send(fifo, "a", "1", "x" * LIMIT)
    assert code(send, url=fifo, group="a", id="2", body="x" * (LIMIT + 1)) == "InvalidParameterValue"


def test_a_batch_has_at_most_1_mb(aws, fifo):
    entries = [entry(id, "x" * (LIMIT // 2)) for id in ("a", "b")]
    assert len(aws.sqs.send_message_batch(QueueUrl=fifo, Entries=entries)["Successful"]) == 2
    entries = [entry(id, "y" * (LIMIT // 2 + 1)) for id in ("c", "d")]
    assert code(aws.sqs.send_message_batch, QueueUrl=fifo, Entries=entries) == "BatchRequestTooLong"


@pytest.mark.parametrize("character", ["\u0001", "\ufffe"])
def test_a_body_has_no_control_characters(fifo, send, character):
    assert code(send, url=fifo, group="a", id="1", body=f"a{character}") == "InvalidMessageContents"


def test_every_other_character_is_kept(fifo, send, receive):
    body = "\t\n\r é \ud7ff\ue000\ufffd\U0001f600"
    send(fifo, "a", "1", body)
    assert bodies(receive(fifo)) == [body]


def test_attributes_arrive_with_their_message(aws, fifo, send, receive):
    attributes = {name: {"DataType": "String", "StringValue": f"{name} é"} for name in ("reason", "traceparent", "chain")}
    send(fifo, "a", "1", MessageAttributes=attributes)
    received, = receive(fifo)
    assert received["MessageAttributes"] == attributes


def test_an_attribute_is_not_empty(fifo, send):
    attributes = {"reason": {"DataType": "String", "StringValue": ""}}
    assert code(send, url=fifo, group="a", id="1", MessageAttributes=attributes) == "InvalidParameterValue"


TRACE = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1"
TRACED = {"MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}}}


def test_the_trace_header_is_a_system_attribute(fifo, send, receive):
    send(fifo, "a", "1", **TRACED)
    received, = receive(fifo)
    assert received["Attributes"]["AWSTraceHeader"] == TRACE and "MessageAttributes" not in received


def test_the_messages_of_a_batch_have_their_trace_headers(aws, fifo, receive):
    aws.sqs.send_message_batch(QueueUrl=fifo, Entries=[entry("a", **TRACED)])
    received, = receive(fifo)
    assert received["Attributes"].get("AWSTraceHeader") == TRACE


# ---------------------------------------------------------------- refusals


def test_a_queue_that_does_not_exist_is_named_so(aws, fifo):
    missing = fifo.replace("contract-", "missing-")
    for call, request in (
        (aws.sqs.send_message, {"MessageBody": "x", "MessageGroupId": "a", "MessageDeduplicationId": "1"}),
        (aws.sqs.get_queue_attributes, {"AttributeNames": ["All"]}),
    ):
        assert code(call, QueueUrl=missing, **request) == "NonExistentQueue"


def test_a_fifo_queue_requires_a_group_and_an_id(aws, fifo):
    request = {"QueueUrl": fifo, "MessageBody": "x"}
    assert code(aws.sqs.send_message, **request, MessageDeduplicationId="1") == "MissingParameter"
    assert code(aws.sqs.send_message, **request, MessageGroupId="a") == "InvalidParameterValue"


@pytest.mark.parametrize("name", ["MessageGroupId", "MessageDeduplicationId"])
def test_a_group_and_an_id_have_at_most_128_characters(aws, fifo, name):
    request = {"QueueUrl": fifo, "MessageBody": "x", "MessageGroupId": "a", "MessageDeduplicationId": "1"}
    aws.sqs.send_message(**request | {name: "x" * 128})
    assert code(aws.sqs.send_message, **request | {name: "x" * 129}) == "InvalidParameterValue"


@pytest.mark.parametrize("name", ["MessageGroupId", "MessageDeduplicationId"])
def test_a_group_and_an_id_have_no_spaces(aws, fifo, name):
    request = {"QueueUrl": fifo, "MessageBody": "x", "MessageGroupId": "a", "MessageDeduplicationId": "1"}
    assert code(aws.sqs.send_message, **request | {name: "a b"}) == "InvalidParameterValue"


# ---------------------------------------------------------------- secrets


@pytest.fixture
def secret():
    """The name of a parameter that only this test uses."""
    return f"/trunkline/contract/secrets/{uuid.uuid4().hex}/token"


def test_a_secret_is_replaced_and_has_versions(aws, secret):
    put = {"Name": secret, "Type": "SecureString", "Tier": "Intelligent-Tiering", "Overwrite": True}
    versions = [aws.ssm.put_parameter(**put, Value=value)["Version"] for value in ("first", "second é")]
    found = aws.ssm.get_parameter(Name=secret, WithDecryption=True)["Parameter"]
    assert versions == [1, 2] and found["Version"] == 2
    assert found["Value"] == "second é" and found["Type"] == "SecureString"


def test_a_secret_is_read_encrypted_without_decryption(aws, secret):
    aws.ssm.put_parameter(Name=secret, Type="SecureString", Value="first", Overwrite=True)
    assert aws.ssm.get_parameter(Name=secret, WithDecryption=False)["Parameter"]["Value"] != "first"


def test_a_secret_that_does_not_exist_is_named_so(aws, secret):
    assert code(aws.ssm.get_parameter, Name=secret, WithDecryption=True) == "ParameterNotFound"


def test_a_secret_has_at_most_8_kb(aws, secret):
    put = {"Name": secret, "Type": "SecureString", "Tier": "Intelligent-Tiering", "Overwrite": True}
    aws.ssm.put_parameter(**put, Value="x" * 8_192)
    assert code(aws.ssm.put_parameter, **put, Value="x" * 8_193) == "ValidationException"
