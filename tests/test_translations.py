"""Every word on a page is marked for translation."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment

TEMPLATES = Path(__file__).parent.parent / "cop" / "templates"
SPOKEN = "aria-label|title|alt|placeholder"
# What stands between the words: an expression becomes this, so that tags stay whole.
EXPRESSION = "\x00"
ALLOWED = {"<!doctype html>"}


def unmarked(source):
    """The texts of a template that people read and nobody can translate."""
    text = "".join(
        value if kind == "data" else EXPRESSION * kind.endswith("_begin")
        for _, kind, value in Environment(autoescape=True).lex(source)
    )
    for harmless in ALLOWED:
        text = text.replace(harmless, "")
    said = re.findall(rf"""(?:{SPOKEN})\s*=\s*["']([^"']*)["']""", text)
    text = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    text = re.sub(r"""[\w-]+=("[^"]*"|'[^']*')""", "", text)  # also where a macro says it alone
    said += re.split(r"<[^>]*>", text)
    pieces = (piece.strip() for each in said for piece in each.split(EXPRESSION))
    return [piece for piece in pieces if re.search(r"[^\W\d_]", re.sub(r"&\w+;", "", piece))]


def test_every_text_of_a_template_is_marked_for_translation():
    texts = {path: unmarked(path.read_text("utf-8")) for path in TEMPLATES.rglob("*.html")}

    assert texts
    assert {path: found for path, found in texts.items() if found} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hello {{ name }}, welcome.</p>", ["Hello", ", welcome."]),
        ('<nav aria-label="Main"></nav>', ["Main"]),
        ('<img alt="{% if x %}A picture{% endif %}">', ["A picture"]),
        ("<input placeholder='é'>", ["é"]),
        ("{% if x %}<b>Bold</b>{% endif %}", ["Bold"]),
        ('<p class="a" {% if x %}hidden{% endif %}>Ola</p>', ["Ola"]),
    ],
    ids=["text", "aria-label", "alt", "placeholder", "in a block", "beside a cut tag"],
)
def test_an_unmarked_text_is_found(source, found):
    texts = unmarked(source)

    assert texts == found


@pytest.mark.parametrize(
    "source",
    [
        '<p>{{ _("Hello") }} · {{ 3 }}, {{ name }}</p>',
        '<nav aria-label="{{ _(\'Main\') }}" class="menu"></nav>',
        "{# A note for who reads the template. #}<hr>",
        "<p>&nbsp;&amp; 12 – 3</p>",
        "<script src='/x.js'></script>",
    ],
)
def test_a_marked_text_is_not(source):
    texts = unmarked(source)

    assert texts == []
