"""Mark sentences for translation, and find the catalog that translates them.

Flask-Babel is not used: it takes the language from the request, and emails are written without one.
"""

from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

LANGUAGES = ("en",)
TRANSLATIONS = Path(__file__).parent / "translations"


def N_(sentence: str) -> str:  # noqa: N802 - gettext's own name for "mark, do not translate yet"
    """Mark a sentence for translation, and return it untranslated."""
    return sentence


@cache
def catalog(language: str) -> NullTranslations:
    """Return the catalog of translations into a language."""
    return translation("messages", TRANSLATIONS, [language], fallback=True)
