"""Compare names as Zoom shows them, and recognize bots and devices."""

import re
import unicodedata
from itertools import filterfalse

_PRONOUN = (
    "she|her|hers|he|him|his|they|them|theirs|ze|zir|hir|xe|xem|any|all|pronouns|ella|él|elle|elles"
)
_PRONOUNS = re.compile(rf"(?:{_PRONOUN})(?:\W+(?:{_PRONOUN}))*", re.IGNORECASE)
# Without brackets only if there is a slash, as in `Ada, she/her`: "All" may be part of a name.
_TRAILING_PRONOUNS = re.compile(rf"[\s,|–-]+(?:{_PRONOUN})(?:/(?:{_PRONOUN}))+\s*$", re.IGNORECASE)
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_AFFILIATION_SEPARATOR = re.compile(r"\s+[-–|@]\s+")  # as in `Ada | Harbor`
_BOT = re.compile(
    r"note.?taker|otter\.?ai|otter ?pilot|fireflies|\bread\.ai|read (?:ai )?meeting notes"
    r"|\bfathom\b|tl;?dv|sembly|avoma|meetgeek|\bnotta\b|krisp|supernormal|circleback"
    r"|\bai (?:companion|notes)\b|recall\.ai|\b(?:meeting|ai) assistant\b",
    re.IGNORECASE,
)
# The last alternative is a phone number, whose digits Zoom may hide except the last ones.
_DEVICE = re.compile(
    r"\b(?:iphone|ipad|android|galaxy|pixel|samsung|motorola|oneplus|huawei|macbook|chromebook"
    r"|laptop|desktop|tablet|phone|zoom (?:user|rooms?)|conference room|call.?in user\w*"
    r"|(?:sm|moto)[ -]\w+)\b|^(?:user|guest|participant)(?: \d+)?$|^[+\d\s().*-]*[\d*]{3}$",
    re.IGNORECASE,
)


def fold_letters(text: str) -> str:
    """Return the text in lower case and without accents, for searching."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(filterfalse(unicodedata.combining, parts))


def fold(name: str) -> str:
    """Return the name in lower case, without accents and punctuation, for comparing."""
    # Category M: marks that `fold_letters` leaves, such as the vowel signs of Hindi.
    letters = (
        letter if letter.isalnum() or unicodedata.category(letter).startswith("M") else " "
        for letter in fold_letters(name)
    )
    return " ".join("".join(letters).split())


def name_variants(name: str) -> set[str]:
    """Return all names, folded, that `Ada (Ada L)` or `L, Ada` may mean."""
    outside = _TRAILING_PRONOUNS.sub("", _BRACKETS.sub(" ", name))
    inside = [text for text in _BRACKETS.findall(name) if not _PRONOUNS.fullmatch(text.strip())]
    names = [_TRAILING_PRONOUNS.sub("", text) for text in (outside, *inside)]
    names += [_AFFILIATION_SEPARATOR.split(text)[0] for text in names]
    names += [" ".join(reversed(text.split(",", 1))) for text in names if "," in text]
    return {folded for text in names if (folded := fold(text))}


def is_bot(name: str) -> bool:
    """Return whether this is the name of a program that takes notes."""
    return _BOT.search(name) is not None


def is_device(name: str) -> bool:
    """Return whether this names a phone, computer or room rather than a person."""
    return _DEVICE.search(name.strip()) is not None
