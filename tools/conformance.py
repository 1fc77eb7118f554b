#!/usr/bin/env python3
"""Generates docs/conformance.md: each requirement of the vendors' public pages, and the tests that show it.

The requirements are in tests/requirements.toml. A test says what it shows in a comment directly above it: `/// Shows U6, U9.`
or `/// Shows input 8.` in Rust, the same after `#` in Python and after `//` in Playwright. With `--check`, the document is
compared and not written. Prints each problem and exits with 1 if there is any.
"""

import re
import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "tests/requirements.toml"
DOCUMENT = ROOT / "docs/conformance.md"
TRIALS = ROOT / "tests/e2e/main.rs"
FOLDERS = ("functions", "shared", "tests", "cli", "bench")
SKIPPED = {"node_modules", "target", "__pycache__", "fixtures"}
# Requirements whose form the vendor does not document.
MAY_BE_BLOCKED = {"C3", "C9", "W28"}
SHARED = "shared"

# How a comment begins that may have a tag, by the end of the file's name.
COMMENTS = {".rs": "///", ".py": "#", ".spec.mjs": "//"}
ANY_COMMENT = re.compile(r"^\s*(///|//!|//|#)\s?(.*)$")
LOOKS_LIKE_TAG = re.compile(r"\bShows (?:inputs? )?[A-Z]?\d")
SHOWN = r"(?:inputs? )?[A-Z]?\d+"
SENTENCE = rf"Shows {SHOWN}(?:(?:,| and|, and) {SHOWN})*\."
TAG = re.compile(rf"{SENTENCE}(?: {SENTENCE})*")
RUST_TEST = re.compile(r"#\[(?:\w+::)*test\b")
RUST_FUNCTION = re.compile(r"\s*(?:pub(?:\([a-z]+\))? )?(?:async )?fn (\w+)")
PYTHON_TEST = re.compile(r"\s*(?:async )?def (test_\w+)")
BROWSER_TEST = re.compile(r"\s*test\(\s*(['\"`])(.+?)\1")


@dataclass(frozen=True, order=True)
class Test:
    """A test: its file, as a path below the root, and its name."""

    path: str
    name: str

    def link(self):
        return f"[`{self.name}`](../{self.path})"


@dataclass
class Tags:
    """The tests that show each requirement, the tests that show each input by place, and problems with tags."""

    requirements: dict = field(default_factory=lambda: defaultdict(set))
    inputs: dict = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    problems: list = field(default_factory=list)


def shown_by_tag(text):
    """The ids of requirements and the numbers of inputs that a tag names."""
    ids, numbers = [], []
    for word in re.findall(r"\b[A-Z]?\d+", text):
        (numbers if word.isdigit() else ids).append(word)
    return ids, [int(number) for number in numbers]


def always_run(main):
    """The end-to-end tests that run without a variable, as `module::name`, from tests/e2e/main.rs."""
    groups = re.split(r"^(?=(?:async )?fn )", main, flags=re.M)
    groups = [group for group in groups if "with_ignored_flag" not in group]
    lists = [trials for group in groups for trials in re.findall(r"trials!\([^\[]*\[(.*?)\]", group, re.S)]
    return {name for trials in lists for name in re.findall(r"\b\w+::\w+\b", trials)}


def test_below(path, lines, index, trials):
    """The name of the test that begins at the line of this index, or the reason why none does."""
    if path.endswith(".rs"):
        return rust_test(path, lines, index, trials)
    pattern, number = (PYTHON_TEST, 1) if path.endswith(".py") else (BROWSER_TEST, 2)
    while index < len(lines) and lines[index].lstrip().startswith("@"):
        index += 1
    found = pattern.match(lines[index]) if index < len(lines) else None
    return (found[number], None) if found else (None, "is not above a test")


def rust_test(path, lines, index, trials):
    """The same for Rust, whose attributes say that a function is a test. End-to-end tests are listed as trials."""
    attributes = ""
    while index < len(lines) and (lines[index].strip().startswith("#[") or attributes.count("[") > attributes.count("]")):
        attributes += lines[index].strip()
        index += 1
    found = RUST_FUNCTION.match(lines[index]) if index < len(lines) else None
    if not found:
        return None, "is not above a function"
    if path.startswith("tests/e2e/"):
        trial = f"{Path(path).stem}::{found[1]}"
        return (found[1], None) if trial in trials else (None, f"is above {trial}, which `make test` does not run")
    if not RUST_TEST.search(attributes):
        return None, f"is above {found[1]}, which is not a test"
    return (None, f"is above {found[1]}, which is ignored") if "#[ignore" in attributes else (found[1], None)


def read_tags(path, text, trials, known, tags):
    """Adds the tags of a file. `path` is below the root; `known` has all ids and numbers."""
    lines = text.splitlines()
    marker = next(marker for end, marker in COMMENTS.items() if path.endswith(end))
    for index, line in enumerate(lines):
        comment = ANY_COMMENT.match(line)
        if not comment or not LOOKS_LIKE_TAG.search(comment[2]):
            continue
        place = f"{path}:{index + 1}: the tag"
        after, words = index + 1, comment[2].strip()
        while after < len(lines) and (more := ANY_COMMENT.match(lines[after])) and more[1] == comment[1]:
            words += "" if words.endswith(".") else f" {more[2].strip()}"
            after += 1
        if comment[1] != marker or not TAG.fullmatch(words):
            tags.problems.append(f"{place} must be a comment line of its own, such as `{marker} Shows U6, U9.`")
            continue
        name, problem = test_below(path, lines, after, trials)
        if problem:
            tags.problems.append(f"{place} {problem}")
            continue
        ids, numbers = shown_by_tag(words)
        tags.problems += [f"{place} names {each}, which is unknown" for each in [*ids, *numbers] if each not in known]
        for each in ids:
            tags.requirements[each].add(Test(path, name))
        for number in numbers:
            tags.inputs[number][place_of(path, known)].add(Test(path, name))


def place_of(path, known):
    """The platform whose folder has a file, or `shared`."""
    folder, _, rest = path.partition("/")
    id = rest.split("/")[0]
    return id if folder == "functions" and id in known else SHARED


def files(root):
    """The files that may have tests, as paths below the root."""
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            path = file.relative_to(root)
            if file.name.endswith(tuple(COMMENTS)) and not SKIPPED & set(path.parts):
                yield path.as_posix()


def scan(root, known):
    """All tags of the project."""
    tags = Tags()
    trials = always_run((root / TRIALS.relative_to(ROOT)).read_text())
    for path in files(root):
        text = (root / path).read_text(encoding="utf-8")
        if "Shows" in text:
            read_tags(path, text, trials, known, tags)
    return tags


def names(source):
    """All ids of requirements, numbers of inputs and ids of platforms."""
    ids = {id for platform in source["platform"] for id in platform.get("requirements", {})}
    return ids | {each["number"] for each in source["input"]} | {platform["id"] for platform in source["platform"]}


def unshown(source, tags):
    """The problems of requirements and inputs: without a test, or with a reason that they may not have."""
    for platform in source["platform"]:
        requirements = platform.get("requirements", {})
        blocked, excluded = platform.get("blocked", {}), platform.get("not_applicable", {})
        for id in [*blocked, *excluded]:
            if id not in requirements:
                yield f"{id} has a reason, but is no requirement of {platform['name']}"
        yield from (f"{id} must not be blocked" for id in blocked if id not in MAY_BE_BLOCKED)
        for id, statement in requirements.items():
            if id in excluded and id in tags.requirements:
                test = min(tags.requirements[id])
                yield f"{id} is not applicable, but {test.path} shows it in {test.name}"
            elif id not in blocked and id not in excluded and id not in tags.requirements:
                yield f"{id} has no test ({platform['name']}: {statement})"
    places = {SHARED, *(platform["id"] for platform in source["platform"])}
    for each in source["input"]:
        for place in each["places"]:
            if place not in places:
                yield f"input {each['number']} names {place}, which is no platform"
            elif not tags.inputs[each["number"]][place]:
                yield f"input {each['number']} has no test in {place} ({each['statement']})"


def cell(text):
    """A text as the content of a table's cell."""
    return text.replace("|", "\\|")


def links(tests):
    """Links to tests, for a table's cell."""
    return "<br>".join(test.link() for test in sorted(tests))


def platform_table(platform, tags):
    """The section of a platform."""
    written = [f"\n## {platform['name']}\n\nFrom [{platform['page']}]({platform['url']}).\n\n"]
    written.append("| | requirement | shown by |\n| --- | --- | --- |\n")
    blocked, excluded = platform.get("blocked", {}), platform.get("not_applicable", {})
    for id, statement in platform["requirements"].items():
        shown = links(tags.requirements[id])
        if id in excluded:
            shown = f"not applicable: {cell(excluded[id])}"
        elif id in blocked:
            shown = "<br>".join(filter(None, [f"blocked: {cell(blocked[id])}", shown]))
        written.append(f"| {id} | {cell(statement)} | {shown} |\n")
    return "".join(written)


def summary(platforms, tags):
    """The table of counts."""
    rows, total = [], [0, 0, 0, 0]
    for platform in platforms:
        blocked, excluded = platform.get("blocked", {}), platform.get("not_applicable", {})
        count = len(platform["requirements"])
        counts = [count, count - len(blocked) - len(excluded), len(blocked), len(excluded)]
        total = [sum(pair) for pair in zip(total, counts)]
        rows.append(f"| [{platform['name']}](#{anchor(platform['name'])}) | {' | '.join(map(str, counts))} |\n")
    rows.append(f"| all | {' | '.join(map(str, total))} |\n")
    return "| | requirements | shown by tests | blocked | not applicable |\n| --- | --- | --- | --- | --- |\n" + "".join(rows)


def anchor(heading):
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def inputs_table(source, tags):
    """The table of inputs."""
    of_platform = {platform["id"]: platform["name"] for platform in source["platform"]} | {SHARED: "shared code"}
    written = ["| | right result | shown by |\n| --- | --- | --- |\n"]
    for each in source["input"]:
        places = tags.inputs[each["number"]]
        order = [*each["places"], *sorted(places.keys() - set(each["places"]))]
        shown = [f"{of_platform[place]}: {', '.join(test.link() for test in sorted(places[place]))}" for place in order if places[place]]
        written.append(f"| input {each['number']} | {cell(each['statement'])} | {'<br>'.join(shown)} |\n")
    return "".join(written)


def document(source, tags):
    """The text of docs/conformance.md."""
    platforms = [platform for platform in source["platform"] if "requirements" in platform]
    return "".join([INTRODUCTION, summary(platforms, tags), *(platform_table(platform, tags) for platform in platforms),
                    INPUTS, inputs_table(source, tags)])


INTRODUCTION = """<!-- Generated by `make requirements` from tests/requirements.toml and the tests' comments. Do not edit. -->
# Conformance: the vendors' requirements and the tests that show them

Each platform's vendor states on a public page what a program at the other end must do. This page lists these requirements in plain
words, each with the tests that show it. `make requirements` generates it from `tests/requirements.toml` and from comments above the
tests, as [adding-a-platform.md](adding-a-platform.md#5-the-vendors-requirements) describes. `make check` fails if a requirement has no
test, or if this page is out of date.

No test calls a vendor's live system. The tests call mocks that enforce the vendors' rules, and requests and responses are compared with the
vendor's machine-readable documents where they exist. Each platform's page says what is an assumption, and which setting changes it.

*Blocked* means that the vendor documents no form for it. The setting in that row covers it for an operator who knows the form. *Not
applicable* means that the requirement is not about a program at the other end.

"""

INPUTS = """
## Inputs

These inputs made other programs of this kind fail, as their public bug reports tell. The numbers are names. Where a platform's own code
reads the input, that platform has a test of its own.

"""


def main():
    source = tomllib.loads(REQUIREMENTS.read_text())
    tags = scan(ROOT, names(source))
    problems = [*tags.problems, *unshown(source, tags)]
    if not problems:
        text = document(source, tags)
        if "--check" not in sys.argv[1:]:
            DOCUMENT.write_text(text)
        elif not DOCUMENT.exists() or DOCUMENT.read_text() != text:
            problems = ["docs/conformance.md is out of date: run `make requirements`"]
    if problems:
        print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
