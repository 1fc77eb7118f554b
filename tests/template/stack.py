"""The template as CloudFormation sees it: transformed by SAM, with resolved parameters and conditions."""

import json
import logging
import re
import sys
from pathlib import Path

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "tools"))
from template import discover

PLATFORMS = [platform.id for platform in discover()]
KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
NOTHING = object()

logging.getLogger("samtranslator").setLevel(logging.ERROR)


def source(text=None):
    """Parses the template source."""
    return yaml_parse(text or (PROJECT / "template.yaml").read_text())


class Stack:
    """The template with these parameters."""

    def __init__(self, text=None, **parameters):
        template = source(text)
        given = {name: str(about.get("Default", "")) for name, about in template["Parameters"].items()}
        assert parameters.keys() <= given.keys()
        given |= parameters
        # The SAM transform requires uploaded code. No AWS call is made.
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = "s3://bucket/" + resource["Properties"]["CodeUri"]
        session = boto3.Session(region_name="eu-central-1")
        self.template = Translator({}, Parser(), None, session).translate(template, given)
        self.given = given
        self.conditions = self.template["Conditions"]
        existing = {name: resource for name, resource in self.template["Resources"].items() if self._exists(resource)}
        self.resources = {name: self._resolve(resource) for name, resource in existing.items()}
        self.outputs = {
            name: self._resolve(output) for name, output in self.template["Outputs"].items() if self._exists(output)
        }

    def of(self, kind):
        """Returns the properties of resources of a type, by logical name."""
        return {name: about["Properties"] for name, about in self.resources.items() if about["Type"] == kind}

    def _exists(self, thing):
        return "Condition" not in thing or self._is_true({"Condition": thing["Condition"]})

    def _is_true(self, condition):
        (name, inner), = condition.items()
        if name == "Condition":
            return self._is_true(self.conditions[inner])
        if name == "Fn::Equals":
            first, second = (self._resolve(value) for value in inner)
            return str(first) == str(second)
        if name == "Fn::Not":
            return not self._is_true(inner[0])
        if name == "Fn::And":
            return all(self._is_true(each) for each in inner)
        assert name == "Fn::Or", name
        return any(self._is_true(each) for each in inner)

    def _resolve(self, value):
        if isinstance(value, list):
            resolved = [self._resolve(each) for each in value]
            return [each for each in resolved if each is not NOTHING]
        if not isinstance(value, dict):
            return value
        if value == {"Ref": "AWS::NoValue"}:
            return NOTHING
        if set(value) == {"Ref"} and value["Ref"] in self.given:
            return self.given[value["Ref"]]
        if set(value) == {"Fn::If"}:
            condition, yes, no = value["Fn::If"]
            return self._resolve(yes if self._is_true({"Condition": condition}) else no)
        if set(value) == {"Fn::GetAtt"} and isinstance(value["Fn::GetAtt"], str):
            return {"Fn::GetAtt": value["Fn::GetAtt"].split(".", 1)}
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            return self._substitute(value["Fn::Sub"], {})
        if set(value) == {"Fn::Sub"}:
            text, names = value["Fn::Sub"]
            return self._substitute(text, self._resolve(names))
        resolved = {name: self._resolve(each) for name, each in value.items()}
        return {name: each for name, each in resolved.items() if each is not NOTHING}

    def _substitute(self, text, names):
        def known(match):
            name = match[1]
            found = names.get(name, self.given.get(name))
            return found if isinstance(found, str) else match[0]

        return re.sub(r"\$\{([^}!]+)\}", known, text)


def name_of(value):
    """Returns the logical name or ARN that a resource reference points to."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return value["Ref"]
    if "Fn::GetAtt" in value:
        return value["Fn::GetAtt"][0]
    return json.dumps(value)


def as_list(value):
    """Wraps a single value in a list."""
    return value if isinstance(value, list) else [value]
