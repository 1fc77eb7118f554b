#!/usr/bin/env python3
"""Generates the parameter tables in docs/parameters.md from template.yaml, between the markers."""

import re
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).parents[1]
DOCUMENT = PROJECT / "docs/parameters.md"
BETWEEN = re.compile(r"(<!-- from template\.yaml -->\n).*(<!-- end -->\n)", re.DOTALL)


def tables() -> str:
    """Returns a Markdown table for each parameter group."""
    template = yaml_parse((PROJECT / "template.yaml").read_text())
    parameters = template["Parameters"]
    written = []
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        written.append(f"\n## {group['Label']['default']}\n\n| Parameter | Default | Description |\n| --- | --- | --- |\n")
        # The parameters of the platforms differ in their names only.
        alike = [name for name in group["Parameters"] if name.startswith("Platform")]
        if alike:
            about = [parameters.pop(name) for name in alike][0]
            text = re.sub(r"deploys .+?:", "deploys the platform:", description(about))
            written.append(row(", ".join(f"`{name}`" for name in alike), about, text))
        for name in group["Parameters"]:
            if name not in alike:
                about = parameters.pop(name)
                written.append(row(f"`{name}`", about, description(about)))
    assert not parameters, f"parameters without a group: {', '.join(parameters)}"
    return "".join(written) + "\n"


def row(names: str, about: dict, text: str) -> str:
    """Returns a row of a table."""
    default = f"`{about['Default']}`" if about["Default"] != "" else "none"
    return f"| {names} | {default} | {text} |\n"


def description(about: dict) -> str:
    """Returns the description and the allowed values of a parameter."""
    text = re.sub(r"\s+", " ", about["Description"]).replace("|", "\\|")
    # Markdown renders text in angle brackets as HTML.
    text = text.replace("<", "&lt;").replace(">", "&gt;")
    return f"{text}{bounds(about)}"


def bounds(about: dict) -> str:
    """Returns the allowed values of a parameter as a sentence, or an empty string."""
    if "AllowedValues" in about:
        return f" One of {', '.join(f'`{value}`' for value in about['AllowedValues'])}."
    if "MinValue" in about and "MaxValue" in about:
        return f" From {about['MinValue']} to {about['MaxValue']}."
    return f" At least {about['MinValue']}." if "MinValue" in about else ""


def document(before: str) -> str:
    """Returns the document with current tables."""
    text, count = BETWEEN.subn(lambda match: match[1] + tables() + match[2], before)
    assert count == 1, "docs/parameters.md must contain the markers once"
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text()))
