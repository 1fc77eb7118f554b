#!/usr/bin/env python3
"""Writes the tables of template.yaml's parameters into docs/parameters.md, between its markers."""

import re
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).parents[1]
DOCUMENT = PROJECT / "docs/parameters.md"
BETWEEN = re.compile(r"(<!-- from template\.yaml -->\n).*(<!-- end -->\n)", re.DOTALL)


def tables() -> str:
    """A table for each group of parameters."""
    template = yaml_parse((PROJECT / "template.yaml").read_text())
    parameters = template["Parameters"]
    written = []
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        written.append(f"\n## {group['Label']['default']}\n\n| parameter | default | |\n| --- | --- | --- |\n")
        for name in group["Parameters"]:
            about = parameters.pop(name)
            default = f"`{about['Default']}`" if about["Default"] != "" else "none"
            written.append(f"| `{name}` | {default} | {description(about)} |\n")
    assert not parameters, f"in no group: {', '.join(parameters)}"
    return "".join(written) + "\n"


def description(about: dict) -> str:
    """What it says, and what may be given."""
    text = re.sub(r"\s+", " ", about["Description"]).replace("|", "\\|")
    # Markdown would take a name between angle brackets for HTML.
    text = text.replace("<", "&lt;").replace(">", "&gt;")
    return f"{text}{bounds(about)}"


def bounds(about: dict) -> str:
    """What may be given."""
    if "AllowedValues" in about:
        return f" One of {', '.join(f'`{value}`' for value in about['AllowedValues'])}."
    if "MinValue" in about and "MaxValue" in about:
        return f" From {about['MinValue']} to {about['MaxValue']}."
    return f" At least {about['MinValue']}." if "MinValue" in about else ""


def document(before: str) -> str:
    """The document with the tables as they are now."""
    text, count = BETWEEN.subn(lambda match: match[1] + tables() + match[2], before)
    assert count == 1, "docs/parameters.md has lost its markers"
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text()))
