"""The shape of the templates: short, and without what the policy of our pages forbids."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

import cop

FOLDER = Path(cop.__file__).parent / "templates"
TEMPLATES = sorted(FOLDER.rglob("*.html"))
PAGES = [path for path in TEMPLATES if path.parent.name != "email"]  # mails have no style sheet


def each(paths):
    return pytest.mark.parametrize(
        "path", paths, ids=[str(path.relative_to(FOLDER)) for path in paths]
    )


@each(PAGES)
def test_a_template_does_nothing_that_the_policy_forbids(path):
    source = path.read_text("utf-8")

    banned = re.findall(
        r"hx-on|hx-boost|hx-push-url|js:|\|\s*safe\b|<style|\bstyle=|(?<![-\w])on\w+=", source
    )

    assert banned == []


@each(TEMPLATES)
def test_a_template_can_be_read_at_a_glance(path):
    lines = len(path.read_text("utf-8").splitlines())

    assert lines <= 60


@each([path for path in TEMPLATES if path.name.startswith("_")])
def test_a_fragment_says_what_it_needs_and_extends_nothing(path):
    source = path.read_text("utf-8")

    assert source.startswith("{# ")
    assert "{% extends" not in source


def test_every_template_named_exists_and_every_file_is_named():
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    sources = [path.read_text("utf-8") for path in [*FOLDER.parent.rglob("*.py"), *TEMPLATES]]

    quoted = r"""["']((?:[a-z_]+/)?[a-z_{} ]+\.(?:html|txt|xml))["']"""
    found = {name for source in sources for name in re.findall(quoted, source)}
    # What stands in braces in an f-string may be any name: settings/{part}.html.
    names = {re.sub(r"\{.*?\}", "*", name) for name in found} - {"observances.txt"}
    patterns = {name.replace("letter", "email/letter") for name in names}

    assert [name for name in patterns if not any(fnmatch(file, name) for file in files)] == []
    assert [file for file in files if not any(fnmatch(file, name) for name in patterns)] == []
