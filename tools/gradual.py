#!/usr/bin/env python3
"""Writes target/template.yaml: template.yaml with gradual traffic shifting.

`make deploy DEPLOYMENT=Canary10Percent5Minutes` uses it. Each function gets the alias `live`, which API Gateway and
the queues invoke. CodeDeploy shifts the alias to the new version and rolls back if one of the alarms below fires.

SAM does not support conditional aliases. An alias also points to a published version, which keeps the parameter
values of the deployment that published it. So template.yaml has no aliases, and the template written here publishes
a new version of every function in each deployment.
"""

import argparse
import re
import time
from pathlib import Path

PROJECT = Path(__file__).parents[1]
SHIFTS = [
    "Canary10Percent5Minutes",
    "Canary10Percent10Minutes",
    "Canary10Percent15Minutes",
    "Canary10Percent30Minutes",
    "Linear10PercentEvery1Minute",
    "Linear10PercentEvery2Minutes",
    "Linear10PercentEvery3Minutes",
    "Linear10PercentEvery10Minutes",
]
# Alarms of every function. A function of a platform also has the platform's alarm. CodeDeploy allows ten.
ALARMS = ["ApiErrorsAlarm", "BackgroundErrorsAlarm"]


def gradual(template: str, shift: str, release: str) -> str:
    """Returns the template with aliases. `release` makes the versions of each deployment distinct."""
    alarms = "".join(f"        - !Ref {alarm}\n" for alarm in ALARMS)
    globals_ = (
        "Globals:\n  Function:\n    AutoPublishAlias: live\n"
            f"    DeploymentPreference:\n      Type: {shift}\n      Alarms:\n{alarms}"
    )
    template = replace(r"^Globals:\n  Function:\n", globals_, template)
    template = replace(r"^(      Variables:)$", rf'\1\n        TRUNKLINE_RELEASE: "{release}"', template, limit=1)
    template = replace(r"^(      IntegrationUri: )!GetAtt (\w+)\.Arn$", r"\1!Ref \2.Alias", template)
    template = replace(r"^(      FunctionName: !Ref \w+)$", r"\1.Alias", template)
    # The deployment preference of a function is added to that of Globals.
    template = re.sub(
        r"^(    Type: AWS::Serverless::Function\n    Condition: Deploys(\w+)\n(?:    .*\n)*?    Properties:\n)",
        lambda found: f"{found[1]}      DeploymentPreference: {{ Alarms: [{platform_alarms(template, found[2])}] }}\n",
        template,
        flags=re.MULTILINE,
    )
    # This template is only for AWS, where the alarms exist whenever their functions do.
    template = re.sub(r"^    Condition: Alarms(\w+)$", r"    Condition: Deploys\1", template, flags=re.MULTILINE)
    template = re.sub(r"^  Alarms\w+: !And .*\n", "", template, flags=re.MULTILINE)
    template = replace(r"^ +(Condition: IsOnAws|IsOnAws: .*|# A local AWS .*)\n", "", template)
    # The paths are relative to target/.
    return replace(r"^(      CodeUri: )target/", r"\1", template)


def platform_alarms(template: str, platform: str) -> str:
    """Returns references to the alarms that exist if the platform is deployed."""
    pattern = rf"^  (\w+):\n    Type: AWS::CloudWatch::Alarm\n    Condition: (?:Alarms|Deploys){platform}$"
    return ", ".join(f"!Ref {name}" for name in re.findall(pattern, template, re.MULTILINE))


def replace(pattern: str, by: str, text: str, limit: int = 0) -> str:
    """Replaces the first `limit` matches, or all if it is 0. At least one must exist."""
    text, count = re.subn(pattern, by, text, count=limit, flags=re.MULTILINE)
    if not count:
        raise SystemExit(f"template.yaml has no match for {pattern}")
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes target/template.yaml, which shifts traffic gradually.")
    parser.add_argument("shift", choices=SHIFTS)
    shift = parser.parse_args().shift
    text = gradual((PROJECT / "template.yaml").read_text(), shift, f"{int(time.time()):010d}")
    (PROJECT / "target").mkdir(exist_ok=True)
    (PROJECT / "target/template.yaml").write_text(text)
