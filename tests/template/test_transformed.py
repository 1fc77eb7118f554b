"""The template as CloudFormation creates it: after the SAM transform, with the values of all parameters as strings.

`make template-lint` reads the template as it is written, with undecided conditions and parameters at their defaults.
"""

import json
import re

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from conftest import KEY
from stack import PROJECT, Stack, source

REGION = "eu-central-1"
PARAMETERS = source()["Parameters"]
# Values of the parameters whose default is empty: nothing else in the template says what they can be.
VALUES = {
    "AlarmEmail": "ops@example.com",
    "AlarmTopicArn": f"arn:aws:sns:{REGION}:123456789012:ops",
    "CertificateArn": f"arn:aws:acm:{REGION}:123456789012:certificate/11111111-2222-3333-4444-555555555555",
    "DomainName": "trunkline.example.com",
    "HostedZoneId": "Z0123456789ABCDEFGHIJ",
    "JwtAudience": "operators",
    "JwtIssuer": "https://login.example.com",
    "KeyArn": KEY,
    "StageName": "prod",
}
# Numbers that stay strings, because the resource has no schema for them. docs/aws.md says what is known about them.
UNTYPED = {
    f"ApiStage/RouteSettings/{route}/Throttling{limit}Limit"
    for route in ("ANY /api/v1/{proxy+}", "ANY /jwt/api/v1/{proxy+}", "GET /console", "GET /console/{proxy+}")
    for limit in ("Rate", "Burst")
}


class Number(str):
    """The value of a parameter of type Number. CloudFormation passes it as a string."""


class Transformed(Stack):
    """The stack as one template without parameters, conditions and rules."""

    def _resolve(self, value):
        """Marks numbers of parameters."""
        resolved = super()._resolve(value)
        is_number = isinstance(value, dict) and PARAMETERS.get(value.get("Ref"), {}).get("Type") == "Number"
        return Number(resolved) if is_number else resolved

    def _substitute(self, text, names):
        """Keeps Fn::Sub for what only CloudFormation knows."""
        text = super()._substitute(text, names)
        unknown = {name: value for name, value in names.items() if f"${{{name}}}" in text}
        if unknown:
            return {"Fn::Sub": [text, unknown]}
        return {"Fn::Sub": text} if "${" in text else text

    def document(self):
        """Returns the template."""
        return {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Resources": {name: self._unconditional(about) for name, about in self.resources.items()},
            "Outputs": {name: self._unconditional(about) for name, about in self.outputs.items()},
        }

    def _unconditional(self, about):
        """Removes the condition, and dependencies on resources that do not exist, as CloudFormation does."""
        about = {name: value for name, value in about.items() if name != "Condition"}
        depends = about.pop("DependsOn", [])
        depends = [name for name in ([depends] if isinstance(depends, str) else depends) if name in self.resources]
        return about | ({"DependsOn": depends} if depends else {})


def other(name):
    """Returns a valid value of a parameter that is not its default."""
    about = PARAMETERS[name]
    default = str(about["Default"])
    if "AllowedValues" in about:
        return next(str(value) for value in about["AllowedValues"] if str(value) != default)
    if about["Type"] == "Number":
        higher = int(default) + 1
        return str(higher if higher <= about.get("MaxValue", higher) else int(default) - 1)
    assert name in VALUES, f"give {name} a value in VALUES"
    return VALUES[name]


CHANGED = {name: other(name) for name in PARAMETERS}
# With these at their other value, the stack has fewer resources.
SWITCHES = {name for name in PARAMETERS if name.startswith("Platform")} | {"AccessLog", "AllowLocalTargets", "Dashboard"}
VARIANTS = {
    "defaults": {},
    "set": {name: value for name, value in CHANGED.items() if name not in SWITCHES},
    "set, without a key": {name: value for name, value in CHANGED.items() if name not in SWITCHES | {"KeyArn"}},
    "set, without the optional parts": CHANGED,
}


def findings(document):
    """Returns what cfn-lint says about a template."""
    matches = lint(json.dumps(document, indent=1), config=ManualArgs(regions=[REGION]))
    return [f"{match.rule.id} {'/'.join(map(str, match.path or []))}: {match.message}" for match in matches]


def untyped_numbers(document):
    """Returns the paths of numbers of parameters to which no schema gives a type."""
    found = set()
    for name, about in document["Resources"].items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, about["Type"]).schema
        found |= {f"{name}/{path}" for path in untyped(about.get("Properties", {}), schema, schema, [])}
    return found


def untyped(value, schema, root, path):
    """Yields the paths of numbers of parameters in a value. `schema` is None where everything is allowed."""
    while schema and "$ref" in schema:
        schema = resolved(root, schema["$ref"])
    if isinstance(value, Number) and not has_scalar_type(schema):
        yield "/".join(path)
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from untyped(each, (schema or {}).get("items"), root, [*path, str(index)])
    if isinstance(value, dict):
        for name, each in value.items():
            yield from untyped(each, of_member(schema, name), root, [*path, name])


def resolved(root, reference):
    """Returns the part of a schema that a reference such as #/definitions/Rule names."""
    for name in reference.removeprefix("#/").split("/"):
        root = root[name]
    return root


def has_scalar_type(schema):
    """Returns whether a schema says which scalar a value is."""
    if not schema:
        return False
    choices = [each for keyword in ("anyOf", "oneOf", "allOf") for each in schema.get(keyword, [])]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return bool({"integer", "number", "string"} & set(kinds)) or any(map(has_scalar_type, choices))


def of_member(schema, name):
    """Returns the schema of a member; None if it can have any value."""
    schema = schema or {}
    if name in schema.get("properties", {}):
        return schema["properties"][name]
    return next((each for pattern, each in schema.get("patternProperties", {}).items() if re.search(pattern, name)), None)


@pytest.fixture(scope="module", params=VARIANTS)
def transformed(request):
    return Transformed(**VARIANTS[request.param])


def test_the_variants_change_every_parameter():
    for name, about in PARAMETERS.items():
        value = CHANGED[name]
        assert value != str(about["Default"]), name
        assert re.search(about.get("AllowedPattern", ""), value), name
        assert value in map(str, about.get("AllowedValues", [value])), name
        if about["Type"] == "Number":
            assert about.get("MinValue", 0) <= int(value) <= about.get("MaxValue", int(value)), name


def test_the_variants_have_every_resource():
    created = {name for parameters in VARIANTS.values() for name in Transformed(**parameters).resources}
    assert created == set(Transformed().template["Resources"])


def test_nothing_refers_to_a_parameter_or_a_condition(transformed):
    document = transformed.document()
    text = json.dumps(document)
    assert '"Fn::If"' not in text and "AWS::NoValue" not in text
    refs = set(re.findall(r'"Ref": "([^"]+)"', text)) | set(re.findall(r"\$\{([\w:]+)[.}]", text))
    subs = {name for found in re.findall(r'"Fn::Sub": \[".*?", \{(.*?)\}\]', text) for name in re.findall(r'"(\w+)":', found)}
    assert {ref for ref in refs - subs if not ref.startswith("AWS::")} <= set(document["Resources"])


def test_the_transformed_template_is_clean(transformed):
    assert findings(transformed.document()) == []


def test_numbers_without_a_type_are_known(transformed):
    """CloudFormation converts a string to the number that the schema requires. Without a schema, it stays a string."""
    found = untyped_numbers(transformed.document())
    assert found <= UNTYPED
    has_issuer = bool(transformed.given["JwtIssuer"])
    assert found == {path for path in UNTYPED if has_issuer or "jwt" not in path}


# Mistakes: what stands in the template, what replaces it, and the finding.
RECOVERY = "PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }"
BROKEN = [
    (
        "TimeToLiveSpecification: { AttributeName: expires, Enabled: true }",
        "TimeToLiveSpecification: !Ref RetentionDays",
        "E3012 Resources/Table/Properties/TimeToLiveSpecification: '91' is not of type 'object'",
    ),
    (RECOVERY, f"{RECOVERY[:-1]}, Days: !Ref RetentionDays }}", "E3002 Resources/Table/Properties/PointInTimeRecoverySpecification"),
    ("Timeout: !Ref OutboundTimeout", "Timeout: !Ref LogLevel", "Outbound/Properties/Timeout: 'error' is not of type 'integer'"),
    ("BillingMode: PAY_PER_REQUEST", "BillingMode: !Ref LogLevel", "E3030 Resources/Table/Properties/BillingMode: 'error'"),
    (
        "MessageRetentionPeriod: 1209600",
        'MessageRetentionPeriod: !Sub "${RetentionDays}000000"',
        "E3034 Resources/TasksQueue/Properties/MessageRetentionPeriod: '91000000' is greater",
    ),
]


def test_broken_properties_are_found():
    text = (PROJECT / "template.yaml").read_text()
    for before, after, _ in BROKEN:
        assert before in text
        text = text.replace(before, after)
    found = findings(Transformed(text, **VARIANTS["set"]).document())
    for _, _, expected in BROKEN:
        assert any(expected in each for each in found), (expected, found)


def test_a_number_in_free_form_json_is_found():
    text = (PROJECT / "template.yaml").read_text()
    before = 'Condition: { Bool: { "aws:SecureTransport": "false" } }'
    after = 'Condition: { NumericLessThan: { "s3:max-keys": !Ref FileDays } }'
    assert before in text
    found = untyped_numbers(Transformed(text.replace(before, after)).document()) - UNTYPED
    assert found == {"FilesBucketPolicy/PolicyDocument/Statement/0/Condition/NumericLessThan/s3:max-keys"}
