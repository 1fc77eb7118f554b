#!/usr/bin/env python3
"""check_requests.py FILE: checks recorded AWS requests against the service models of botocore.

FILE has one request a line: {"target": "DynamoDB_20120810.PutItem", "body": {...}}, where the target is the header
X-Amz-Target and the body is the JSON that was sent. Requests without a target, such as those to S3, are not checked.

The program prints the number of requests by operation. It ends with 1 and prints the first problems if the model has no
such operation, requires another member, has no such member, or limits a type, an enumeration, a length, a range or a
pattern that the body does not keep. botocore's own validation ignores the last four limits in part, so they are checked
here. Run it with the Python of .tools/sam, which has botocore.
"""

import argparse
import base64
import binascii
import collections
import datetime
import json
import sys
from pathlib import Path

try:
    import botocore.session
    import regex
    from botocore.validate import ParamValidator
except ImportError:
    sys.exit("botocore is not installed here: run `make tools`, then .tools/sam/bin/python3 tools/check_requests.py FILE")

# The services that Trunkline's functions call with X-Amz-Target.
SERVICES = ("dynamodb", "sqs", "ssm")
SHOWN = 20


class Models:
    """The operations of the services, by X-Amz-Target."""

    def __init__(self):
        session = botocore.session.get_session()
        models = [session.get_service_model(name) for name in SERVICES]
        self.by_prefix = {model.metadata["targetPrefix"]: model for model in models}

    def input(self, target: str):
        """Returns the shape of an operation's input. Raises ValueError if there is no such operation."""
        prefix, _, name = target.partition(".")
        model = self.by_prefix.get(prefix)
        if model is None:
            raise ValueError(f"no service has the target prefix '{prefix}': expected {', '.join(sorted(self.by_prefix))}")
        if name not in model.operation_names:
            raise ValueError(f"the service has no operation '{name}'")
        return model.operation_model(name).input_shape


def check(models: Models, target: str, body) -> list[str]:
    """Returns the problems of a request."""
    try:
        shape = models.input(target)
    except ValueError as error:
        return [str(error)]
    if not isinstance(body, dict):
        return [f"the body is not an object but {kind(body)}"]
    problems = []
    value = decode(shape, body, "", problems)
    report = ParamValidator().validate(value, shape).generate_report()
    return [*problems, *report.splitlines()]


def decode(shape, value, path: str, problems: list[str]):
    """Converts a value from its form on the wire to that of botocore, and adds what its shape does not allow."""
    if value is None:
        # botocore reports it as a wrong type.
        return value
    if shape.type_name == "structure" and isinstance(value, dict):
        if shape.name == "AttributeValue" and len(value) != 1:
            problems.append(f"{path} must have exactly one type, but has {', '.join(value) or 'none'}")
        # Members that the shape does not know stay, so that botocore reports them.
        return {
            name: decode(shape.members[name], each, f"{path}.{name}", problems) if name in shape.members else each
            for name, each in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        limits(shape, len(value), path, problems)
        return [decode(shape.member, each, f"{path}[{index}]", problems) for index, each in enumerate(value)]
    if shape.type_name == "map" and isinstance(value, dict):
        limits(shape, len(value), path, problems)
        return {
            decode(shape.key, name, f"{path} (key '{name}')", problems): decode(
                shape.value, each, f"{path}.{name}", problems
            )
            for name, each in value.items()
        }
    return decode_scalar(shape, value, path, problems)


def decode_scalar(shape, value, path: str, problems: list[str]):
    """Converts a value that has no members."""
    match shape.type_name:
        case "blob":
            return decode_blob(value, path, problems)
        case "timestamp":
            if isinstance(value, bool) or not isinstance(value, int | float):
                problems.append(f"{path} must be a time in seconds, but is {kind(value)}")
                return datetime.datetime.fromtimestamp(0, datetime.UTC)
            return datetime.datetime.fromtimestamp(value, datetime.UTC)
        case "integer" | "long" | "float" | "double":
            if isinstance(value, bool):
                problems.append(f"{path} must be a number, but is a boolean")
            elif isinstance(value, int | float):
                limits(shape, value, path, problems)
        case "string" if isinstance(value, str):
            limits(shape, len(value), path, problems)
            words(shape, value, path, problems)
    return value


def decode_blob(value, path: str, problems: list[str]) -> bytes:
    """Decodes base64."""
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        problems.append(f"{path} must be base64, but is {kind(value)} that is none")
        return b""


def limits(shape, size, path: str, problems: list[str]):
    """Adds a problem if a size or a number exceeds the maximum. botocore checks the minimum."""
    maximum = shape.metadata.get("max")
    if maximum is not None and size > maximum:
        problems.append(f"{path} is {size}, but at most {maximum} is allowed")


def words(shape, value: str, path: str, problems: list[str]):
    """Adds a problem if a text is not one of the enumeration, or does not match the pattern."""
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        problems.append(f"{path} is '{value}', but must be one of {', '.join(allowed)}")
    pattern = shape.metadata.get("pattern")
    # AWS matches the whole value, also where the pattern has no anchors.
    if pattern and not regex.fullmatch(pattern, value):
        problems.append(f"{path} is '{value}', which does not match {pattern}")


def kind(value) -> str:
    """Returns the JSON type of a value, with its article."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def read(line: str) -> tuple[str | None, object]:
    """Returns the target and the body of a recorded request. Raises ValueError if the line is none."""
    try:
        recorded = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"the line is not JSON: {error}") from error
    if not isinstance(recorded, dict) or not isinstance(recorded.get("target"), str | None):
        raise ValueError("the line is not a recorded request: expected {\"target\": …, \"body\": …}")
    return recorded.get("target"), recorded.get("body")


def check_file(path: Path) -> tuple[collections.Counter, list[str]]:
    """Returns the number of requests by target, and all problems with their lines."""
    models, counts, problems = Models(), collections.Counter(), []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                target, body = read(line)
            except ValueError as error:
                problems.append(f"line {number}: {error}")
                continue
            if target:
                counts[target] += 1
                problems.extend(f"line {number}: {target}: {problem}" for problem in check(models, target, body))
    return counts, problems


def main():
    parser = argparse.ArgumentParser(description="Checks recorded AWS requests against the service models of botocore.")
    parser.add_argument("file", type=Path, help="the recorded requests, one JSON object a line")
    path = parser.parse_args().file
    try:
        counts, problems = check_file(path)
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"cannot read {path}: {error}. `make e2e` writes it")
    for target, count in sorted(counts.items()):
        print(f"{count:>8} {target}")
    if not counts:
        # A recorder that records nothing must not pass.
        problems.append(f"{path} has no request with a target")
    for problem in problems[:SHOWN]:
        print(problem, file=sys.stderr)
    if problems:
        sys.exit(f"{len(problems)} problems in {sum(counts.values())} requests")


if __name__ == "__main__":
    main()
