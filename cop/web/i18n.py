"""Translate marked sentences into the language of the request."""

from datetime import date

from flask import Flask
from markupsafe import Markup

from cop.errors import Refused
from cop.i18n import catalog
from cop.web.rendering import date_formatter, language


def install(app: Flask) -> None:
    """Give templates `_`, `pgettext` and `ngettext`, which escape values.

    Jinja's own extension is not used: it takes twice as long, and a page has fifty sentences.
    """
    app.jinja_env.globals.update(_=_html_gettext, pgettext=_html_pgettext, ngettext=_html_ngettext)


def gettext(sentence: str, /, **values: object) -> str:
    """Translate a marked sentence and insert values."""
    text = catalog(language()).gettext(sentence)
    return text % values if values else text


def pgettext(context: str, text: str) -> str:
    """Translate a short text whose translation depends on where it is shown."""
    return catalog(language()).pgettext(context, text)


def ngettext(singular: str, plural: str, num: int, **values: object) -> str:
    """Translate one of two marked sentences by a number, inserted as `num`."""
    return catalog(language()).ngettext(singular, plural, num) % (values | {"num": num})


def refusal_text(refusal: Refused) -> str:
    """Translate the sentence of a refusal, and format the dates in it."""
    values = {
        name: date_formatter().short_date(value) if isinstance(value, date) else value
        for name, value in refusal.values.items()
    }
    return gettext(refusal.sentence, **values)


def _html_gettext(sentence: str, /, **values: object) -> Markup:
    text = Markup(catalog(language()).gettext(sentence))  # noqa: S704 - our own sentence
    return text % values if values else text


def _html_pgettext(context: str, text: str) -> Markup:
    return Markup(pgettext(context, text))  # noqa: S704 - our own text


def _html_ngettext(singular: str, plural: str, num: int, **values: object) -> Markup:
    text = catalog(language()).ngettext(singular, plural, num)
    return Markup(text) % (values | {"num": num})  # noqa: S704 - our own sentence
