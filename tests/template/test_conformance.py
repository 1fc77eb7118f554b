"""docs/conformance.md is up to date, and its generator reports every wrong tag and every requirement without a test."""

import sys

import pytest
from stack import PROJECT

sys.path.insert(0, str(PROJECT / "tools"))
import conformance

SOURCE = {
    "platform": [
        {"id": "cm", "name": "CM.com", "page": "Page", "url": "https://example.com/", "requirements": {"C1": "One", "C3": "Two"}},
        {"id": "webhook", "name": "webhook"},
    ],
    "input": [{"number": 8, "statement": "Read", "places": ["cm", "shared"]}],
}
TRIALS = """
fn together() -> Vec<Trial> {
    trials!(env, handle, [pairs::runs,])
}
fn upgrade() -> Vec<Trial> {
    let trials = trials!(env, handle, [pairs::waits]);
    trials.into_iter().map(|trial| trial.with_ignored_flag(true)).collect()
}
"""
# The parts are separate, so that this file has no tags.
SHOWS = "/// " "Shows "


def read(path, text):
    """Returns the tags of a file with this text."""
    tags = conformance.Tags()
    trials = conformance.always_run(TRIALS)
    conformance.read_tags(path, text, trials, conformance.names(SOURCE), tags)
    return tags


def test_the_document_is_up_to_date():
    source = conformance.tomllib.loads(conformance.REQUIREMENTS.read_text())
    tags = conformance.scan(PROJECT, conformance.names(source))
    problems = [*tags.problems, *conformance.unshown(source, tags)]
    assert not problems, "\n".join(problems)
    assert conformance.DOCUMENT.read_text() == conformance.document(source, tags), "run `make requirements`"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("cli/src/x.rs", f"    {SHOWS}C1, C3.\n    #[test]\n    fn it() {{}}"),
        ("cli/src/x.rs", f"/// Text.\n{SHOWS}C1\n/// and C3.\n/// Text.\n#[tokio::test(\n  start_paused = true\n)]\nasync fn it() {{"),
        ("cli/src/x.rs", f"{SHOWS}C1. Shows C3.\n#[test]\n#[should_panic]\npub fn it() {{}}"),
        ("tests/e2e/pairs.rs", f"{SHOWS}C1, and C3.\npub async fn runs(env: &TestEnvironment) {{"),
        ("tests/template/test_x.py", f"{SHOWS}C1, C3.\n@mark\ndef test_it():".replace("///", "#")),
        ("functions/console/web/tests/x.spec.mjs", f"{SHOWS}C1, C3.\ntest('it', async () => {{".replace("///", "//")),
    ],
)
def test_a_tag_belongs_to_the_test_below(path, text):
    tags = read(path, text)
    name = "runs" if "e2e" in path else "test_it" if path.endswith("py") else "it"
    assert not tags.problems
    assert tags.requirements == {id: {conformance.Test(path, name)} for id in ("C1", "C3")}


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        ("cli/src/x.rs", f"{SHOWS}C9.\n#[test]\nfn it() {{}}", "names C9, which is unknown"),
        ("cli/src/x.rs", f"{SHOWS}input 9.\n#[test]\nfn it() {{}}", "names 9, which is unknown"),
        ("cli/src/x.rs", f"{SHOWS}C1.\nfn it() {{}}", "is above it, which is not a test"),
        ("cli/src/x.rs", f"{SHOWS}C1.\n#[test]\n#[ignore]\nfn it() {{}}", "is above it, which is ignored"),
        ("cli/src/x.rs", f"{SHOWS}C1.\n\n#[test]\nfn it() {{}}", "is not above a function"),
        ("cli/src/x.rs", f"{SHOWS}C1.", "is not above a function"),
        ("cli/src/x.rs", f"/// Reads it. {SHOWS[4:]}C1.\n#[test]\nfn it() {{}}", "must be a comment line of its own"),
        ("cli/src/x.rs", f"{SHOWS[1:]}C1.\n#[test]\nfn it() {{}}", "must be a comment line of its own"),
        ("cli/src/x.rs", f"{SHOWS}C1 partly.\n#[test]\nfn it() {{}}", "must be a comment line of its own"),
        ("tests/e2e/pairs.rs", f"{SHOWS}C1.\npub async fn waits(env: &TestEnvironment) {{", "`make test` does not run"),
        ("tests/template/test_x.py", f"{SHOWS}C1.\ndef it():".replace("///", "#"), "is not above a test"),
    ],
)
def test_a_wrong_tag_is_reported(path, text, problem):
    tags = read(path, text)
    (reported,) = tags.problems
    assert reported.startswith(f"{path}:1: the tag ") and problem in reported


def shown(*ids, places=("cm", "shared")):
    """Returns tags with a test for each id, and one for the input at each place."""
    tags = conformance.Tags()
    for id in ids:
        tags.requirements[id].add(conformance.Test("functions/cm/tests/x.rs", "it"))
    for place in places:
        tags.inputs[8][place].add(conformance.Test(f"functions/{place}/tests/x.rs", "it"))
    return tags


def with_reason(kind, id):
    """Returns the source with a reason for a requirement of CM.com."""
    return {**SOURCE, "platform": [{**SOURCE["platform"][0], kind: {id: "why"}}]}


def test_what_has_no_test_is_reported():
    assert not [*conformance.unshown(SOURCE, shown("C1", "C3"))]
    assert [*conformance.unshown(SOURCE, shown("C3"))] == ["C1 has no test (CM.com: One)"]
    assert [*conformance.unshown(SOURCE, shown("C1", "C3", places=["cm"]))] == ["input 8 has no test in shared (Read)"]


def test_an_input_names_known_places():
    source = {**SOURCE, "input": [{**SOURCE["input"][0], "places": ["fax"]}]}
    assert [*conformance.unshown(source, shown("C1", "C3"))] == ["input 8 names fax, which is no platform"]


def test_only_some_requirements_may_be_blocked():
    assert not [*conformance.unshown(with_reason("blocked", "C3"), shown("C1"))]
    assert [*conformance.unshown(with_reason("blocked", "C1"), shown("C3"))] == ["C1 must not be blocked"]


def test_a_requirement_that_is_not_applicable_has_no_test():
    assert not [*conformance.unshown(with_reason("not_applicable", "C3"), shown("C1"))]
    (problem,) = conformance.unshown(with_reason("not_applicable", "C3"), shown("C1", "C3"))
    assert problem == "C3 is not applicable, but functions/cm/tests/x.rs shows it in it"
    (problem,) = conformance.unshown(with_reason("not_applicable", "C7"), shown("C1", "C3"))
    assert problem == "C7 has a reason, but is no requirement of CM.com"


def test_the_document_links_the_tests():
    source = with_reason("blocked", "C3")
    text = conformance.document(source, shown("C1"))
    assert "| [CM.com](#cmcom) | 2 | 1 | 1 | 0 |" in text
    assert "| C1 | One | [`it`](../functions/cm/tests/x.rs) |" in text
    assert "| C3 | Two | blocked: why |" in text
    assert "CM.com: [`it`](../functions/cm/tests/x.rs)<br>shared code: [`it`](../functions/shared/tests/x.rs) |" in text
