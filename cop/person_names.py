"""Compare names as Zoom shows them, and recognize bots and devices."""

import re
import unicodedata
from itertools import filterfalse

_PRONOUN = (
    "she|her|hers|he|him|his|they|them|theirs|ze|zir|hir|xe|xem|any|all|pronouns|ella|él|elle|elles"
)
_PRONOUNS = re.compile(rf"(?:{_PRONOUN})(?:\W+(?:{_PRONOUN}))*", re.IGNORECASE)
_PRONOUNS_BEHIND = re.compile(rf"[\s,|–-]+(?:{_PRONOUN})(?:/(?:{_PRONOUN}))+\s*$", re.IGNORECASE)
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_AND_MORE = re.compile(r"\s+[-–|@]\s+")
_BOT = re.compile(
    r"note.?taker|otter\.?ai|otter ?pilot|fireflies|\bread\.ai|read (?:ai )?meeting notes"
    r"|\bfathom\b|tl;?dv|sembly|avoma|meetgeek|\bnotta\b|krisp|supernormal|circleback"
    r"|\bai (?:companion|notes)\b|recall\.ai|\b(?:meeting|ai) assistant\b",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"\b(?:iphone|ipad|android|galaxy|pixel|samsung|motorola|oneplus|huawei|macbook|chromebook"
    r"|laptop|desktop|tablet|phone|zoom (?:user|rooms?)|conference room|call.?in user\w*"
    r"|(?:sm|moto)[ -]\w+)\b|^(?:user|guest|participant)(?: \d+)?$|^[+\d\s().*-]*[\d*]{3}$",
    re.IGNORECASE,
)


def fold_letters(text: str) -> str:
    """Return a text to search in: lower-case, without accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(filterfalse(unicodedata.combining, parts))


def fold(name: str) -> str:
    """Return the name to compare: folded, without punctuation."""
    letters = (
        letter if letter.isalnum() or unicodedata.category(letter).startswith("M") else " "
        for letter in fold_letters(name)
    )
    return " ".join("".join(letters).split())


def name_variants(name: str) -> set[str]:
    """Return all names this may be: `Ada (Ada L)`, `Example, Ada`, `Ada | Harbor`."""
    outside = _PRONOUNS_BEHIND.sub("", _BRACKETS.sub(" ", name))
    inside = [inner for inner in _BRACKETS.findall(name) if not _PRONOUNS.fullmatch(inner.strip())]
    whole = [_PRONOUNS_BEHIND.sub("", text) for text in (outside, *inside)]
    whole += [_AND_MORE.split(text)[0] for text in whole]
    turned = [" ".join(reversed(text.split(",", 1))) for text in whole if "," in text]
    return {folded for text in (*whole, *turned) if (folded := fold(text))}


def is_bot(name: str) -> bool:
    """Return whether this is a program that takes notes."""
    return _BOT.search(name) is not None


def is_device(name: str) -> bool:
    """Return whether this names a telephone or a room rather than a person."""
    return _DEVICE.search(name.strip()) is not None
