#!/usr/bin/env python3
"""Generates template.yaml and the sample events from template/ and the folders of the platforms.

    template.py                         writes template.yaml, events/<id>-*.json and the lists in events/README.md
    template.py --check                 fails if one of them is out of date
    template.py --parameters [ID ...]   prints the parameters that deploy only these platforms; `none` for no platform

A folder functions/<id> with src/bin/<id>-inbound.rs is a platform. template/platform.yaml is rendered once for each,
and functions/<id>/template.yaml after it, if there is one. Text is assembled, so that comments stay. A sample event of
a platform is functions/<id>/events/<function>.json.
"""

import argparse
import dataclasses
import re
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
TEMPLATE = PROJECT / "template.yaml"
HEADER = """\
# Generated: edit template/*.yaml or functions/*/template.yaml, then run `make generate`.
"""
SECTIONS = ("Parameters", "Conditions", "Resources")
# A name of 9 characters keeps the queue names of a stack name of 56 characters within the 80 that SQS allows.
ID = re.compile(r"[a-z][a-z0-9]{1,8}")
# Names that YAML needs no quotes for.
NAME = re.compile(r"\w[\w .()/'&-]*")


@dataclasses.dataclass(frozen=True)
class Platform:
    """A platform: its id in paths and queues, its name in descriptions, and the text of its own fragment."""

    id: str
    name: str
    fragment: str = ""

    def __post_init__(self):
        if not ID.fullmatch(self.id):
            raise SystemExit(f"functions/{self.id}: a platform's id has 2 to 9 characters, a-z and 0-9")
        if not NAME.fullmatch(self.name):
            raise SystemExit(f"functions/{self.id}: the name '{self.name}' has characters other than letters and .()/'&-")

    @property
    def parameter(self) -> str:
        """The parameter that deploys the platform."""
        return f"Platform{self.id.capitalize()}"


def discover(project: Path = PROJECT) -> list[Platform]:
    """Returns the platforms by id."""
    folders = sorted(path for path in (project / "functions").iterdir() if path.is_dir())
    ids = [folder.name for folder in folders if (folder / f"src/bin/{folder.name}-inbound.rs").is_file()]
    return [Platform(id, name_of(project, id), fragment_of(project, id)) for id in ids]


def samples(project: Path = PROJECT) -> dict[Path, str]:
    """Returns the generated files in events/ with their texts."""
    texts = {}
    for platform in discover(project):
        for source in sorted((project / "functions" / platform.id / "events").glob("*.json")):
            texts[project / "events" / f"{platform.id}-{source.name}"] = source.read_text()
    page = project / "events/README.md"
    names = sorted({path.stem for path in texts} | {path.stem for path in page.parent.glob("*.json")})
    functions = [(name, "".join(part.capitalize() for part in name.split("-"))) for name in names]
    text = page.read_text()
    for command in (
        "make invoke FUNCTION={function:<17} EVENT=events/{name}.json",
        "sam local invoke {function:<17} -e {event:<31} --env-vars env.json",
    ):
        lines = [
            "$ " + command.format(function=function, name=name, event=f"events/{name}.json")
            for name, function in functions
        ]
        start = re.escape(command.split("{")[0].strip())
        text = re.sub(rf"(?:^\$ {start}.*\n)+", "\n".join(lines) + "\n", text, count=1, flags=re.MULTILINE)
    return texts | {page: text}


def name_of(project: Path, id: str) -> str:
    """Returns the first heading of the platform's README; the id without one."""
    path = project / "functions" / id / "README.md"
    found = re.search(r"^# (.+)$", path.read_text(), re.MULTILINE) if path.is_file() else None
    return found[1].strip() if found else id


def fragment_of(project: Path, id: str) -> str:
    """Returns the platform's own fragment, or an empty text."""
    path = project / "functions" / id / "template.yaml"
    return path.read_text() if path.is_file() else ""


def sections(text: str) -> dict[str, str]:
    """Returns the top-level members of a file by name, each with its indented lines."""
    parts = re.split(r"^([\w-]+):\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2]))


def rendered(text: str, platform: Platform) -> str:
    """Fills the placeholders of a fragment."""
    for placeholder, value in (
        ("<platform>", platform.id),
        ("<Platform>", platform.id.capitalize()),
        ("<name>", platform.name),
    ):
        text = text.replace(placeholder, value)
    return text


def conditional(resources: str, platform: Platform) -> str:
    """Adds the platform's condition to each resource that has no condition of its own."""
    condition = f"    Condition: Deploys{platform.id.capitalize()}\n"
    return re.sub(r"^( {4}Type: \S+\n)(?! {4}Condition:)", rf"\1{condition}", resources, flags=re.MULTILINE)


def with_blocks(text: str, blocks: dict[str, str]) -> str:
    """Replaces each comment `include BLOCK` by the lines of the block, with the comment's indentation."""

    def block(match: re.Match) -> str:
        if match[2] not in blocks:
            raise SystemExit(f"template/blocks.yaml has no block '{match[2]}'")
        lines = "".join(f"{match[1]}{line[2:]}\n" for line in blocks[match[2]].splitlines())
        return with_blocks(lines, blocks)

    return re.sub(r"^( *)# include (\S+)\n", block, text, flags=re.MULTILINE)


def template(platforms: list[Platform]) -> str:
    """Returns the template for these platforms."""
    base, common, blocks = ((PROJECT / f"template/{name}.yaml").read_text() for name in ("base", "platform", "blocks"))
    inserted = {section: "" for section in SECTIONS}
    for platform in platforms:
        for section, lines in of_platform(platform, common).items():
            inserted[section] += lines
    names = re.findall(r"^  (\w+):$", inserted["Parameters"], re.MULTILINE)
    # The comment on top is about the base.
    text = re.sub(r"\A(#.*\n)+", "", base)
    for section, lines in inserted.items():
        text = once(text, f"  # platforms: {section}\n", lines)
    listed = "".join(f"\n          - {name}" for name in names) or " []"
    text = once(text, " <platform parameters>", listed)
    routes = re.findall(r"^  (\w+):\n    Type: AWS::ApiGatewayV2::Route$", text, re.MULTILINE)
    text = once(text, " <routes>", "".join(f"\n      - {name}" for name in sorted(routes)))
    text = HEADER + with_blocks(text, sections(blocks))
    # One empty line between resources, also where nothing is inserted.
    return re.sub(r"\n{3,}", "\n\n", text)


def of_platform(platform: Platform, common: str) -> dict[str, str]:
    """Returns the lines of a platform for each section."""
    fragments = [sections(rendered(each, platform)) for each in (common, platform.fragment)]
    if unknown := {name for fragment in fragments for name in fragment} - set(SECTIONS):
        raise SystemExit(f"functions/{platform.id}/template.yaml: unknown section {', '.join(sorted(unknown))}")
    lines = {
        section: [fragment[section].strip("\n") + "\n" for fragment in fragments if section in fragment]
        for section in SECTIONS
    }
    heading = f"  # {'-' * 64} {platform.id}\n"
    return {
        "Parameters": "".join(lines["Parameters"]),
        "Conditions": "".join(lines["Conditions"]),
        "Resources": heading + conditional("\n".join(lines["Resources"]), platform) + "\n",
    }


def once(text: str, marker: str, by: str) -> str:
    """Replaces a marker that occurs once."""
    if text.count(marker) != 1:
        raise SystemExit(f"template/base.yaml must contain '{marker.strip()}' once")
    return text.replace(marker, by)


def parameters(platforms: list[Platform], wanted: list[str]) -> str:
    """Returns the parameters that deploy only the platforms of these ids; `none` stands for none."""
    known = [platform.id for platform in platforms]
    if wanted == ["none"]:
        wanted = []
    if unknown := [id for id in wanted if id not in known]:
        raise SystemExit(f"unknown platform: {', '.join(unknown)}. The platforms are {', '.join(known)}; none deploys none")
    return " ".join(f"{each.parameter}={'yes' if each.id in wanted else 'no'}" for each in platforms)


def main():
    parser = argparse.ArgumentParser(description="Generates template.yaml.")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="fail if template.yaml is out of date")
    action.add_argument("--parameters", nargs="*", metavar="ID", help="print the parameters that deploy these platforms")
    given = parser.parse_args()
    platforms = discover()
    if given.parameters is not None:
        print(parameters(platforms, given.parameters))
        return
    for path, text in (samples() | {TEMPLATE: template(platforms)}).items():
        if not given.check:
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            sys.exit(f"{path.name} is out of date, or was edited: change what it is generated from, then run `make generate`")


if __name__ == "__main__":
    main()
