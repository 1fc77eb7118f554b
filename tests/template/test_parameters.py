"""Parameters: descriptions, use, and docs/parameters.md."""

import re
import sys

from stack import PROJECT, source

sys.path.insert(0, str(PROJECT / "tools"))
from parameters import DOCUMENT, document


def test_the_document_is_up_to_date():
    text = DOCUMENT.read_text()
    assert document(text) == text, "run `make parameters`"


def test_parameters_have_a_description_and_are_used():
    text = (PROJECT / "template.yaml").read_text()
    for name, about in source()["Parameters"].items():
        assert len(about["Description"]) > 20 and about["Description"].rstrip().endswith("."), name
        assert "Default" in about, name
        assert re.search(rf"!Ref {name}\b|\$\{{{name}\}}", text), f"{name} is not used"


def test_parameters_in_the_readme_exist():
    readme = (PROJECT / "README.md").read_text()
    deploy = readme.split("\n## Deploy it\n")[1].split("\n## ")[0]
    named = re.findall(r"^\| (.+?) \|", deploy, re.MULTILINE)[2:]
    named = [name for cell in named for name in re.findall(r"`(\w+)`", cell)]
    assert named and set(named) <= set(source()["Parameters"])
