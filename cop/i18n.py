"""Sentences marked for translation where they are written, and translated where they are shown.

gettext alone: what asks Flask for the language would speak English wherever there is no request.
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
    """Return the function that says one of two marked sentences, by a number."""
    return _catalog(language).ngettext


def translator(language: str) -> Callable[[str], str]:
    """Return the function that says a marked sentence in `language`."""
    return _catalog(language).gettext
