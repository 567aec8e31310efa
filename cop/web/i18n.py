"""Translate marked sentences into the language of the request, in views and templates."""

from datetime import date

from flask import Flask
from markupsafe import Markup

from cop.errors import Refused
from cop.i18n import plural, translator
from cop.web.rendering import date_formatter, language


def install(app: Flask) -> None:
    """Give templates `_` and `ngettext`, which put values in escaped.

    Jinja's own extension takes twice as long for a sentence, and a page has fifty.
    """
    app.jinja_env.globals.update(_=_as_html, ngettext=_as_html_by_number)


def _as_html(sentence: str, /, **values: object) -> Markup:
    said = Markup(_translated(sentence))  # noqa: S704 - our own sentence
    return said % values if values else said


def _as_html_by_number(one: str, many: str, num: int, **values: object) -> Markup:
    said = Markup(_said_by_number(one, many, num))  # noqa: S704 - our own sentence
    return said % (values | {"num": num})


def _translated(sentence: str) -> str:
    return translator(language())(sentence)


def _said_by_number(one: str, many: str, num: int) -> str:
    return plural(language())(one, many, num)


def gettext(sentence: str, /, **values: object) -> str:
    """Say a marked sentence, with values in it where there are some."""
    return _translated(sentence) % values if values else _translated(sentence)


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """Say one of two marked sentences, by a number, which stands in it as `num`."""
    return _said_by_number(one, many, num) % (values | {"num": num})


def refusal_text(refusal: Refused) -> str:
    """Translate a refusal, with the dates in it formatted."""
    values = {
        name: date_formatter().on(value) if isinstance(value, date) else value
        for name, value in refusal.values.items()
    }
    return gettext(refusal.sentence, **values)
