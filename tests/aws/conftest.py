"""The emulators of AWS on which the contract runs: MiniStack, which all other tests use, and moto as a second opinion.

    pytest tests/aws                                     starts both emulators, one after the other
    pytest tests/aws --emulator moto                     starts only this one
    pytest tests/aws --endpoint http://127.0.0.1:4600    uses what runs there; knows no disagreements
"""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path

import boto3
import calls
import pytest
from botocore.config import Config
from disagreements import KNOWN

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "tests/template"))
from stack import PLATFORMS, Stack

REGION = "us-east-1"
SECONDS_TO_START = 60
TABLE_PROPERTIES = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
# The properties of a queue that CreateQueue takes as attributes.
QUEUE_PROPERTIES = (
    "FifoQueue",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "SqsManagedSseEnabled",
)


@dataclasses.dataclass(frozen=True)
class Aws:
    """AWS, or something that stands for it: its name and clients."""

    name: str
    dynamodb: object
    sqs: object
    ssm: object


def pytest_addoption(parser):
    parser.addoption("--emulator", action="append", choices=sorted(KNOWN), help="start only this emulator")
    parser.addoption("--endpoint", help="use the AWS at this URL")


def pytest_generate_tests(metafunc):
    if "aws" in metafunc.fixturenames:
        option = metafunc.config.getoption
        chosen = ["endpoint"] if option("--endpoint") else option("--emulator") or sorted(KNOWN)
        metafunc.parametrize("aws", chosen, indirect=True, scope="session")


def pytest_collection_modifyitems(items):
    """A known disagreement must be there: if it is gone, its row in docs/aws.md is out of date."""
    for item in items:
        name = getattr(item, "callspec", None) and item.callspec.params.get("aws")
        if item.originalname in KNOWN.get(name, ()):
            item.add_marker(pytest.mark.xfail(strict=True, reason=f"{name} disagrees: see docs/aws.md"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(name, port):
    """Returns the command that starts an emulator, its environment, and the path that answers when it is up."""
    if name == "moto":
        return [PROJECT / ".tools/moto/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)], {}, "/moto-api/"
    environment = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1"}
    return [PROJECT / ".tools/aws/bin/ministack"], environment, "/_ministack/health"


def wait_until_up(process, url, log):
    for _ in range(SECONDS_TO_START * 10):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the emulator did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def aws(request, tmp_path_factory):
    """The clients of one AWS, which runs as long as tests use it."""
    if endpoint := request.config.getoption("--endpoint"):
        yield clients(request.param, endpoint)
        return
    port, folder = free_port(), tmp_path_factory.mktemp(request.param)
    program, environment, health = command(request.param, port)
    assert program[0].is_file(), f"{request.param} is not installed: run `make {program[0].parents[1].relative_to(PROJECT)}/.installed`"
    log = folder / "log"
    with log.open("w") as output:
        environment = {**os.environ, **environment, "TMPDIR": str(folder)}
        process = subprocess.Popen(
            program, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        endpoint = f"http://127.0.0.1:{port}"
        wait_until_up(process, endpoint + health, log)
        yield clients(request.param, endpoint)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def clients(name, endpoint):
    # No retries, so that each test sees the answer to its own call.
    config = Config(retries={"max_attempts": 0}, read_timeout=20)
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    return Aws(name, *(session.client(each, endpoint_url=endpoint, config=config) for each in ("dynamodb", "sqs", "ssm")))


@pytest.fixture(scope="session")
def table(aws):
    """The name of a table with the keys and indexes of template.yaml."""
    properties = Stack().of("AWS::DynamoDB::Table")["Table"]
    name = f"contract-{uuid.uuid4().hex}"
    aws.dynamodb.create_table(TableName=name, **{each: properties[each] for each in TABLE_PROPERTIES})
    aws.dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    yield name
    aws.dynamodb.delete_table(TableName=name)


@pytest.fixture
def pk():
    """A partition key that only this test uses."""
    return f"TEST#{uuid.uuid4().hex}"


@pytest.fixture
def put(aws, table):
    """Puts an item."""
    return lambda pk, sk="A", **attributes: aws.dynamodb.put_item(TableName=table, Item=calls.key(pk, sk) | attributes)


@pytest.fixture
def get(aws, table):
    """Returns an item; None if there is none."""
    return lambda pk, sk="A": aws.dynamodb.get_item(TableName=table, Key=calls.key(pk, sk), ConsistentRead=True).get("Item")


def queue_attributes(logical_name):
    """Returns the attributes of a queue of template.yaml."""
    properties = Stack().of("AWS::SQS::Queue")[logical_name]
    text = {True: "true", False: "false"}
    return {name: str(text.get(properties[name], properties[name])) for name in QUEUE_PROPERTIES if name in properties}


@pytest.fixture
def create_queue(aws):
    """Creates queues, and deletes them after the test."""
    created = []

    def create(suffix="", **attributes):
        name = f"contract-{uuid.uuid4().hex}{suffix}"
        created.append(aws.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])
        return created[-1]

    yield create
    for url in created:
        aws.sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def fifo(create_queue):
    """The URL of a queue like the outbound queue of a platform."""
    return create_queue(".fifo", **queue_attributes(f"{PLATFORMS[0].capitalize()}Queue"))


@pytest.fixture
def standard(create_queue):
    """The URL of a queue like the tasks queue."""
    return create_queue(**queue_attributes("TasksQueue"))
