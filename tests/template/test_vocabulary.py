"""The vocabulary check finds what it looks for."""

import sys

import pytest
from stack import PROJECT

sys.path.insert(0, str(PROJECT / "tools"))
import vocabulary


@pytest.mark.parametrize("line", ["// An" "ew it is sent.", "an" "ew", '"an' 'ew"'])
def test_banned_word_matches_whole_in_any_case(line):
    assert vocabulary.phrase("an" "ew").search(line)


@pytest.mark.parametrize("line", ["an" "ewal", "re_an" "ew_x", "a new one"])
def test_banned_word_does_not_match_parts_of_words(line):
    assert not vocabulary.phrase("an" "ew").search(line)


@pytest.mark.parametrize("line", ["pub struct Turn {", "pub(super) enum Turn", "    pub Turn: u32,", "  Turn:", "=> " + '"Turn",'])
def test_retired_name_matches_where_it_is_defined(line):
    assert vocabulary.definition("Turn").search(line)


@pytest.mark.parametrize("line", ["let x = Turn;", "// Turn", "pub struct Turned {", "      Turn: x"])
def test_retired_name_does_not_match_elsewhere(line):
    assert not vocabulary.definition("Turn").search(line)


def test_doc_comments_are_long_enough_and_present():
    lines = ["/// Which.", "pub struct A;", "", "/// The state of a leg.", "#[derive(Debug)]", "pub struct B;", "", "pub fn c() {}"]
    lines += ["", "/// " "Shows U6.", "#[test]", "fn d() {}"]
    found = dict(vocabulary.docs("shared/runtime/src/x.rs", lines))
    assert set(found) == {1, 8}
    assert "has no doc comment" in found[8]
