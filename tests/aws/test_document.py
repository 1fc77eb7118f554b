"""docs/aws.md has a row for each disagreement."""

import re
from pathlib import Path

from disagreements import KNOWN

DOCUMENT = Path(__file__).parents[2] / "docs/aws.md"


def test_the_document_has_each_disagreement():
    rows = re.findall(r"^\| .* \(`(test_\w+)`\) \| (.*?) \| (.*?) \|", DOCUMENT.read_text(), re.MULTILINE)
    documented = {
        emulator: {name for name, *answers in rows if answers[column] != "as expected"}
        for column, emulator in enumerate(("ministack", "moto"))
    }
    assert documented == KNOWN
