"""The generated template: up to date, valid for any set of platforms, and within the limits of AWS for twenty."""

import json
import re
import subprocess
import sys

import pytest
from stack import PLATFORMS, PROJECT, Stack, name_of, source

sys.path.insert(0, str(PROJECT / "tools"))
import template as generator
from gradual import SHIFTS, gradual

LONGEST_STACK = "s" * 56
HAND_WRITTEN = 1_400


def known(*ids):
    """Returns the discovered platforms of these ids."""
    return [platform for platform in generator.discover() if platform.id in ids]


@pytest.fixture(scope="module")
def twenty():
    """A template with twenty platforms with ids of nine characters, all of which have a listener."""
    listener = (PROJECT / "functions/twin/template.yaml").read_text()
    listener = listener.replace("ListenerTimeout", "<Platform>ListenerTimeout")
    toys = [generator.Platform(f"toytoy{number:03}", f"Toy {number}", listener) for number in range(20)]
    return generator.template(toys)


def test_the_template_is_up_to_date():
    text = (PROJECT / "template.yaml").read_text()
    assert text == generator.template(generator.discover()), "run `make generate`"
    assert text == generator.template(generator.discover())
    assert "make generate" in text.splitlines()[0]


def test_an_edited_template_is_reported(tmp_path, monkeypatch):
    edited = tmp_path / "template.yaml"
    edited.write_text((PROJECT / "template.yaml").read_text() + "# edited\n")
    monkeypatch.setattr(generator, "TEMPLATE", edited)
    monkeypatch.setattr(sys, "argv", ["template.py", "--check"])
    with pytest.raises(SystemExit, match="make generate"):
        generator.main()


def test_the_sources_are_short():
    files = [*PROJECT.glob("template/*.yaml"), *PROJECT.glob("functions/*/template.yaml")]
    assert sum(len(file.read_text().splitlines()) for file in files) < HAND_WRITTEN


def test_the_list_of_platforms_is_only_the_folders():
    names = "|".join(PLATFORMS)
    listed = re.compile(rf"[\"'\s](?:{names})[\"'\s](?!.*#)|\b(?:{names})-(?:inbound|outbound)|(?:{names}) (?:{names})")
    for path in ("Makefile", "template/base.yaml", "template/platform.yaml", "template/blocks.yaml", "tools/template.py"):
        lines = [line for line in (PROJECT / path).read_text().splitlines() if not re.search(r"^\s*#|##", line)]
        found = [line for line in lines if listed.search(line) and "TARGET=" not in line]
        assert not found, f"{path} names a platform: {found}"


@pytest.mark.parametrize("ids", [[], ["webhook"], ["twin", "webex"], PLATFORMS])
def test_any_set_of_platforms_is_valid(ids, tmp_path):
    text = generator.template(known(*ids))
    file = tmp_path / "template.yaml"
    file.write_text(text)
    if ids != PLATFORMS:  # template.yaml itself is linted by `make template-lint`
        # Without platforms, some parameters and conditions are not used, which is a warning.
        command = [PROJECT / ".tools/sam/bin/cfn-lint", "--non-zero-exit-code", "warning" if ids else "error", file]
        linted = subprocess.run(command, capture_output=True, text=True, check=False)
        assert linted.returncode == 0, linted.stdout
    stack = Stack(text)
    inbound = {name for name in stack.of("AWS::Lambda::Function") if name.endswith("Inbound")}
    assert inbound == {f"{id.capitalize()}Inbound" for id in ids}


@pytest.mark.parametrize("deployed", [[], ["webhook"], ["twin", "webex"], PLATFORMS])
def test_a_platform_that_is_not_deployed_has_no_resources(deployed):
    given = dict(pair.split("=") for pair in generator.parameters(generator.discover(), deployed or ["none"]).split())
    stack = Stack(**given)
    for id in PLATFORMS:
        own = [name for name in stack.resources if name.startswith(id.capitalize())]
        assert (len(own) > 10) == (id in deployed), (id, own)
    same = Stack(generator.template(known(*deployed)))
    # Apart from the parameters, as if the template did not have the others.
    assert set(stack.resources) == set(same.resources)


def references(value):
    """Returns the resources that a value refers to outside of Fn::If."""
    if isinstance(value, list):
        return {name for each in value for name in references(each)}
    if not isinstance(value, dict):
        return set()
    if "Fn::If" in value:
        return set()
    found = set()
    for key, inner in value.items():
        if key == "Ref":
            found.add(inner)
        elif key == "Fn::GetAtt":
            found.add(inner.split(".")[0] if isinstance(inner, str) else inner[0])
        elif key == "Fn::Sub":
            text, names = (inner, {}) if isinstance(inner, str) else inner
            found |= {name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", text)} - set(names)
            found |= references(names)
        elif key == "DependsOn":
            # CloudFormation ignores a dependency on a resource that it does not create.
            continue
        else:
            found |= references(inner)
    return found


def test_no_shared_resource_refers_to_one_of_a_platform():
    template = Stack().template
    of_platform = {
        name: resource["Condition"].removeprefix("Deploys").removeprefix("Alarms")
        for name, resource in template["Resources"].items()
        if re.match("(Deploys|Alarms)[A-Z]", resource.get("Condition", ""))
    }
    assert {name.lower() for name in of_platform.values()} == set(PLATFORMS)
    for name, resource in template["Resources"].items():
        for target in references(resource) & of_platform.keys():
            assert of_platform.get(name) == of_platform[target], f"{name} refers to {target}"
    for name, output in template["Outputs"].items():
        assert not references(output) & of_platform.keys(), name


def test_every_resource_of_a_platform_has_its_condition():
    raw = source()["Resources"]
    start = list(raw).index(f"{PLATFORMS[0].capitalize()}InboundRole")
    assert all(re.match("(Deploys|Alarms)[A-Z]", about["Condition"]) for about in list(raw.values())[start:])


def test_only_named_platforms_are_deployed():
    platforms = known("cm", "webex")
    assert generator.parameters(platforms, ["webex"]) == "PlatformCm=no PlatformWebex=yes"
    assert generator.parameters(platforms, ["none"]) == "PlatformCm=no PlatformWebex=no"
    with pytest.raises(SystemExit, match="fax.*cm, webex"):
        generator.parameters(platforms, ["webex", "fax"])


@pytest.mark.parametrize("id", ["x", "Webex", "web-ex", "1web", "webexwebex"])
def test_an_id_that_does_not_fit_is_rejected(id):
    with pytest.raises(SystemExit, match="2 to 9 characters"):
        generator.Platform(id, "Name")


def test_a_name_comes_from_the_readme(tmp_path):
    folder = tmp_path / "functions/fax"
    (folder / "src/bin").mkdir(parents=True)
    (folder / "src/bin/fax-inbound.rs").write_text("")
    (tmp_path / "functions/other").mkdir()
    assert generator.discover(tmp_path) == [generator.Platform("fax", "fax")]
    (folder / "README.md").write_text("# Fax & Co.\n\nText.\n")
    assert generator.discover(tmp_path) == [generator.Platform("fax", "Fax & Co.")]


def filled(value):
    """Fills a text of the template as CloudFormation does, with the longest values."""
    text = json.dumps(value)
    # References are at most as long as the longest ARN or URL of this stack.
    text = text.replace('{"Ref": "AWS::StackName"}', f'"{LONGEST_STACK}"').replace("${AWS::StackName}", LONGEST_STACK)
    text = re.sub(r'\{"(Ref|Fn::GetAtt)": ("[^"]+"|\[[^]]+\])\}', f'"{"x" * 160}"', text)
    return json.loads(re.sub(r"\$\{[^}]+\}", "y" * 20, text))


def size(policy):
    """The length of a policy as IAM counts it: without white space."""
    return len(re.sub(r"\s", "", json.dumps(filled(policy))))


def test_twenty_platforms_are_within_the_limits_of_aws(twenty):
    full = {
        "KeyArn": "arn:aws:kms:eu-central-1:123456789012:key/" + "1" * 36,
        "AlarmEmail": "ops@example.com",
        "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:ops",
        "DomainName": "a.example.com",
        "CertificateArn": "arn:aws:acm:x:1:certificate/1",
        "HostedZoneId": "Z1",
        "JwtIssuer": "https://login.example.com",
        "Tracing": "xray",
    }
    stack = Stack(twenty, **full)
    assert len(stack.of("AWS::Lambda::Function")) == 63
    assert len(stack.template["Resources"]) <= 500
    assert len(stack.template["Parameters"]) <= 200
    assert len(stack.template.get("Outputs", {})) <= 200
    assert len(twenty.encode()) < 1_000_000 and len(json.dumps(stack.template)) < 1_000_000
    for name, function in stack.of("AWS::Lambda::Function").items():
        variables = filled(function["Environment"]["Variables"])
        assert sum(len(key) + len(str(value)) for key, value in variables.items()) < 4_096, name
        assert len(function.get("FunctionName", name)) <= 64
    for name, parameter in stack.of("AWS::SSM::Parameter").items():
        assert len(json.dumps(filled(parameter["Value"]))) < 4_096, name
    for name, alarm in stack.of("AWS::CloudWatch::Alarm").items():
        assert len([each for each in alarm.get("Metrics", []) if "MetricStat" in each]) <= 10, name
    for name, policy in stack.of("AWS::IAM::ManagedPolicy").items():
        assert size(policy["PolicyDocument"]) < 6_144, name
    inline = {name: [] for name in stack.of("AWS::IAM::Role")}
    for name, role in stack.of("AWS::IAM::Role").items():
        inline[name] += [policy["PolicyDocument"] for policy in role.get("Policies", [])]
        assert len(role.get("RoleName", "")) <= 64
    for policy in stack.of("AWS::IAM::Policy").values():
        inline[name_of(policy["Roles"][0])].append(policy["PolicyDocument"])
    for name, policies in inline.items():
        assert sum(map(size, policies)) < 10_240, name
    for name, queue in stack.of("AWS::SQS::Queue").items():
        assert len(filled(queue["QueueName"])) <= 80, name


def test_twenty_platforms_can_be_deployed_gradually():
    """Each function then has an alias, a version and a deployment group."""
    toys = [generator.Platform(f"toytoy{number:03}", f"Toy {number}") for number in range(20)]
    shifting = Stack(gradual(generator.template(toys), SHIFTS[0], "1234567890"))
    assert len(shifting.of("AWS::Lambda::Alias")) == 43
    assert len(shifting.template["Resources"]) <= 500


def test_shared_resources_do_not_grow_with_the_platforms(twenty):
    small, large = Stack(generator.template([])), Stack(twenty)
    for kind in ("AWS::IAM::ManagedPolicy", "AWS::SSM::Parameter", "AWS::CloudWatch::Dashboard"):
        assert small.of(kind) == large.of(kind), kind
    for kind in ("AWS::IAM::Role", "AWS::CloudWatch::Alarm", "AWS::Lambda::Function"):
        for name, about in small.of(kind).items():
            assert large.of(kind)[name] == about, name
