"""Mark sentences where they are written, and translate them where they show.

Not by Flask-Babel, which takes the language from the request: emails are sent without one.
"""

from collections.abc import Callable
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

LANGUAGES = ("en",)
TRANSLATIONS = Path(__file__).parent / "translations"


def N_(sentence: str) -> str:  # noqa: N802 - gettext's own name for "mark, do not translate yet"
    """Mark a sentence for translation and leave it as it is."""
    return sentence


@cache
def _catalog(language: str) -> NullTranslations:
    return translation("messages", TRANSLATIONS, [language], fallback=True)


def plural(language: str) -> Callable[[str, str, int], str]:
    """Return the function that translates one of two marked sentences, by a number."""
    return _catalog(language).ngettext


def translator(language: str) -> Callable[[str], str]:
    """Return the function that translates a marked sentence into `language`."""
    return _catalog(language).gettext
