#!/usr/bin/env python3
"""Writes template.yaml anew so that a deployment shifts traffic bit by bit.

`make deploy DEPLOYMENT=Canary10Percent5Minutes` uses it. Each function gets the alias `live`, to which API Gateway
and the queues lead, and CodeDeploy moves it; it moves back by itself when one of the alarms below rings.

SAM cannot have an alias on a condition, and an alias has its price: it leads to a published version, whose parameters
are those of the deployment that published it. So the plain template has none, and here each deployment publishes
every function anew.
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
ALARMS = ["ApiErrorsAlarm", "HouseErrorsAlarm", "InboundErrorsAlarm", "OutboundErrorsAlarm"]


def gradual(template: str, shift: str, release: str) -> str:
    """The template with aliases. `release` is what a version is told from the one before by."""
    alarms = "".join(f"        - !Ref {alarm}\n" for alarm in ALARMS)
    globals_ = (
        "Globals:\n  Function:\n    AutoPublishAlias: live\n"
            f"    DeploymentPreference:\n      Type: {shift}\n      Alarms:\n{alarms}"
    )
    template = replace(r"^Globals:\n  Function:\n", globals_, template)
    template = replace(r"^(      Variables:)$", rf'\1\n        TRUNKLINE_RELEASE: "{release}"', template, most=1)
    template = replace(r"^(      IntegrationUri: )!GetAtt (\w+)\.Arn$", r"\1!Ref \2.Alias", template)
    template = replace(r"^(      FunctionName: !Ref \w+)$", r"\1.Alias", template)
    # It is for AWS alone, and the alarms must be there.
    template = replace(r"^ +(Condition: IsOnAws|IsOnAws: .*|# A local AWS .*)\n", "", template)
    # It lies in target/.
    return replace(r"^(      CodeUri: )target/", r"\1", template)


def replace(pattern: str, by: str, text: str, most: int = 0) -> str:
    """Replaces all, of which there must be some."""
    text, count = re.subn(pattern, by, text, count=most, flags=re.MULTILINE)
    if not count:
        raise SystemExit(f"template.yaml has nothing like {pattern}")
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes target/template.yaml, which shifts traffic bit by bit.")
    parser.add_argument("shift", choices=SHIFTS)
    shift = parser.parse_args().shift
    text = gradual((PROJECT / "template.yaml").read_text(), shift, f"{int(time.time()):010d}")
    (PROJECT / "target").mkdir(exist_ok=True)
    (PROJECT / "target/template.yaml").write_text(text)
