"""One word for one thing, in every sentence that people read."""

import ast
import re

from babel.messages.extract import extract_from_dir

from tests.commands import PROJECT

KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "N_")),
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
# By the word to use instead.
BANNED = {
    "email": r"\b[Mm]ails?\b",
    "canceled, canceling": r"[Cc]ancell(ed|ing)",
    "practice": r"[Pp]ractis",
    "check": r"\b[Tt]ick(s|ed)?\b",
    "spot": r"\b(hold|held|your|their|a|the) places?\b",
    "registered": r"\b(is|are|who is) coming\b(?! up)|(?<!\()\bheld\b",
    "waiting list": r"\bin line\b|\bwho waits?\b",
    "join link": r"\bway in\b",
    "role": r"\b[Hh]ats?\b",
    "coordinators": r"\bthe hosts\b",
    "attended": r"\bcame to\b|\bdid not come\b",
}


def sentences():
    """Every text that is marked for translation, by the place where it stands."""
    found = extract_from_dir(PROJECT / "cop", METHODS, keywords=KEYWORDS)
    return [
        (f"{file}:{line}", text)
        for file, line, texts, *_ in found
        for text in (texts if isinstance(texts, tuple) else (texts,))
    ]


def test_every_sentence_uses_the_terms_of_the_site():
    texts = sentences()

    assert len(texts) > 1000
    assert [
        (place, text, f"use: {instead}")
        for place, text in texts
        for instead, pattern in BANNED.items()
        if re.search(pattern, text)
    ] == []


def test_tools_that_extract_sentences_find_every_plural():
    # Where they are defined, the texts come from the call.
    defining = {PROJECT / "cop/web/i18n.py", PROJECT / "cop/mail/writer.py"}
    calls = [
        (file, call)
        for file in set((PROJECT / "cop").rglob("*.py")) - defining
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and "ngettext" in {getattr(call.func, "id", ""), getattr(call.func, "attr", "")}
    ]

    assert calls
    assert [
        f"{file}:{call.lineno}"
        for file, call in calls
        if not all(isinstance(text, ast.Constant) for text in call.args[:2])
    ] == []
