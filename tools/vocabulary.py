#!/usr/bin/env python3
"""Checks the words of this project: banned words, retired names and missing or empty doc comments.

The lists are in tools/vocabulary.toml. Prints `path:line: problem` for each finding and exits with 1 if there is any.
"""

import fnmatch
import pathlib
import re
import subprocess
import sys
import tomllib

from conformance import LOOKS_LIKE_TAG

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENDINGS = (".rs", ".py", ".js", ".yaml", ".md")
MAX_EXCEPTIONS = 30
# A doc comment shorter than this, in characters, repeats the name of its item.
SHORTEST_DOC = 15


def files(exclude):
    """The tracked files that are read, as paths below the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")
    for path in sorted(filter(None, listed)):
        skipped = any(fnmatch.fnmatch(path, pattern) or fnmatch.fnmatch("/" + path, pattern) for pattern in exclude)
        if path.endswith(ENDINGS) and not skipped and (ROOT / path).is_file():
            yield path


def phrase(words):
    """A pattern that matches words whole, in any case, across single spaces."""
    return re.compile(r"(?<![\w])" + r"\s+".join(map(re.escape, words.split())) + r"(?![\w])", re.IGNORECASE)


def definition(name):
    """Where an item, a member, a metric or a resource of this name is defined."""
    word = re.escape(name)
    return re.compile(
        rf"^\s*(?:pub(?:\([a-z]+\))?\s+)?(?:async\s+)?(?:struct|enum|trait|type|fn|const|static|mod|class|def|function)\s+{word}\b"
        rf"|^\s*pub(?:\([a-z]+\))?\s+{word}:"
        rf"|^  {word}:$"
        rf"|MetricName:\s*[\"']?{word}\b"
        rf"|=>\s*\"{word}\"",
    )


def occurring(rules, text):
    """The rules whose first word is anywhere in the text: most files have few of the words, and a substring is found
    much faster than a pattern."""
    text = text.lower()
    return [rule for rule in rules if rule[0].split()[0].lower() in text]


def docs(path, lines):
    """Doc comments that are too short, and public items that lack one."""
    if not path.endswith(".rs"):
        return
    public = "/src/" in path and not path.startswith(("tests/", "bench/"))
    item = re.compile(r"^\s*pub (?:async )?(struct|enum|trait|fn) (\w+)")
    comment = []
    for number, line in enumerate([*lines, ""], 1):
        text = line.strip()
        if text.startswith("///"):
            # A tag names what a test shows, and is no description.
            if not LOOKS_LIKE_TAG.match(text[3:].strip()):
                comment.append(text[3:].strip())
            continue
        length = len(" ".join(comment).strip())
        if comment and length < SHORTEST_DOC:
            yield number - 1, f"doc comment of {length} characters: say shape, unit or source, or remove it"
        found = item.match(line)
        if found and public and not comment and not documented(lines, number - 1):
            yield number, f"{found[1]} {found[2]} has no doc comment"
        comment = []


def documented(lines, index):
    """Whether a doc comment stands above the attributes of an item."""
    while index > 0:
        index -= 1
        text = lines[index].strip()
        if text.startswith("///"):
            return True
        if not text or text.endswith((";", "}", "{")):
            return False
    return False


def main():
    rules = tomllib.loads((ROOT / "tools/vocabulary.toml").read_text())
    banned = [(word, phrase(word), use) for word, use in rules["banned"].items()]
    limited = [(word, phrase(word), most) for word, most in rules["limited"].items()]
    retired = [(name, definition(name), use) for name, use in rules["retired"].items()]
    exceptions = rules.get("exception", [])
    used, counts, problems = set(), {word: [] for word, _, _ in limited}, []

    def excepted(path, line):
        for index, exception in enumerate(exceptions):
            if exception["path"] == path and exception["text"] in line:
                used.add(index)
                return True
        return False

    for path in files(rules["exclude"]):
        text = (ROOT / path).read_text(encoding="utf-8")
        lines = text.splitlines()
        banned_here, limited_here, retired_here = (occurring(rules, text) for rules in (banned, limited, retired))
        for number, line in enumerate(lines, 1):
            # A phrase may be broken over two lines.
            following = lines[number].strip().lstrip("/!#*> ") if number < len(lines) else ""
            joined = f"{line.rstrip()} {following}"
            for word, pattern, use in banned_here:
                found = pattern.search(joined)
                if found and found.start() < len(line.rstrip()) and not excepted(path, line):
                    problems.append(f"{path}:{number}: '{word}': {use}")
            for word, pattern, _ in limited_here:
                if pattern.search(line) and not excepted(path, line):
                    counts[word].append(f"{path}:{number}")
            for name, pattern, use in retired_here:
                if pattern.search(line) and not excepted(path, line):
                    problems.append(f"{path}:{number}: '{name}' was replaced by {use}")
        problems.extend(f"{path}:{number}: {problem}" for number, problem in docs(path, lines))

    for word, _, most in limited:
        if len(counts[word]) >= most:
            places = ", ".join(counts[word])
            problems.append(f"'{word}' is on {len(counts[word])} lines, fewer than {most} are allowed: {places}")
    if len(exceptions) > MAX_EXCEPTIONS:
        problems.append(f"tools/vocabulary.toml: {len(exceptions)} exceptions, at most {MAX_EXCEPTIONS} are allowed")
    for index, exception in enumerate(exceptions):
        if not exception.get("reason"):
            problems.append(f"tools/vocabulary.toml: the exception for {exception['path']} has no reason")
        if index not in used:
            problems.append(f"tools/vocabulary.toml: the exception for {exception['path']} matches nothing")
    print("\n".join(problems) if problems else "vocabulary: no findings")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
