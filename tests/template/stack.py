"""The template as CloudFormation sees it: transformed by SAM, with parameters and conditions worked out."""

import json
import logging
import re
from pathlib import Path

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).parents[2]
PLATFORMS = ["cm", "servisbot", "twin", "unblu", "webex", "webhook"]
KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
NOTHING = object()

logging.getLogger("samtranslator").setLevel(logging.ERROR)


def source(text=None):
    """The template as it is written."""
    return yaml_parse(text or (PROJECT / "template.yaml").read_text())


class Stack:
    """What is deployed with these parameters."""

    def __init__(self, text=None, **parameters):
        template = source(text)
        given = {name: str(about.get("Default", "")) for name, about in template["Parameters"].items()}
        assert parameters.keys() <= given.keys()
        given |= parameters
        # The transform wants code that is uploaded already; nothing here asks AWS for anything.
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = "s3://bucket/" + resource["Properties"]["CodeUri"]
        session = boto3.Session(region_name="eu-central-1")
        self.template = Translator({}, Parser(), None, session).translate(template, given)
        self.given = given
        self.conditions = self.template["Conditions"]
        there = {name: resource for name, resource in self.template["Resources"].items() if self._is_there(resource)}
        self.resources = {name: self._work_out(resource) for name, resource in there.items()}
        self.outputs = {
            name: self._work_out(output) for name, output in self.template["Outputs"].items() if self._is_there(output)
        }

    def of(self, kind):
        """The resources of a kind, by name."""
        return {name: about["Properties"] for name, about in self.resources.items() if about["Type"] == kind}

    def _is_there(self, thing):
        return "Condition" not in thing or self._holds({"Condition": thing["Condition"]})

    def _holds(self, condition):
        (name, inner), = condition.items()
        if name == "Condition":
            return self._holds(self.conditions[inner])
        if name == "Fn::Equals":
            first, second = (self._work_out(value) for value in inner)
            return str(first) == str(second)
        if name == "Fn::Not":
            return not self._holds(inner[0])
        if name == "Fn::And":
            return all(self._holds(each) for each in inner)
        assert name == "Fn::Or", name
        return any(self._holds(each) for each in inner)

    def _work_out(self, value):
        if isinstance(value, list):
            worked = [self._work_out(each) for each in value]
            return [each for each in worked if each is not NOTHING]
        if not isinstance(value, dict):
            return value
        if value == {"Ref": "AWS::NoValue"}:
            return NOTHING
        if set(value) == {"Ref"} and value["Ref"] in self.given:
            return self.given[value["Ref"]]
        if set(value) == {"Fn::If"}:
            condition, yes, no = value["Fn::If"]
            return self._work_out(yes if self._holds({"Condition": condition}) else no)
        if set(value) == {"Fn::GetAtt"} and isinstance(value["Fn::GetAtt"], str):
            return {"Fn::GetAtt": value["Fn::GetAtt"].split(".", 1)}
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            return self._substitute(value["Fn::Sub"], {})
        if set(value) == {"Fn::Sub"}:
            text, names = value["Fn::Sub"]
            return self._substitute(text, self._work_out(names))
        worked = {name: self._work_out(each) for name, each in value.items()}
        return {name: each for name, each in worked.items() if each is not NOTHING}

    def _substitute(self, text, names):
        def known(match):
            name = match[1]
            found = names.get(name, self.given.get(name))
            return found if isinstance(found, str) else match[0]

        return re.sub(r"\$\{([^}!]+)\}", known, text)


def name_of(value):
    """A short name of what a policy's resource or the like points to."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return value["Ref"]
    if "Fn::GetAtt" in value:
        return value["Fn::GetAtt"][0]
    return json.dumps(value)


def as_list(value):
    """A list, of one where it is none."""
    return value if isinstance(value, list) else [value]
