"""Email addresses: validation, normal form, and a hint at likely typos."""

import re
import unicodedata
from difflib import get_close_matches

from email_validator import EmailNotValidError, validate_email

from cop.errors import InvalidAddress
from cop.i18n import N_

INVALID = N_("Enter an email address, like name@example.org.")

# Domains of members' addresses, and real domains that are close to them.
KNOWN_DOMAINS = (
    "gmail.com", "yahoo.com", "outlook.com", "hotmail.com", "icloud.com", "aol.com", "comcast.net",
    "live.com", "msn.com", "me.com", "mac.com", "att.net", "sbcglobal.net", "optonline.net",
    "snet.net", "proton.me", "protonmail.com", "verizon.net", "ctdata.org", "ct.gov", "yale.edu",
    "uconn.edu", "uchc.edu", "trincoll.edu", "wesleyan.edu", "ccsu.edu", "southernct.edu",
    "wcsu.edu", "hartford.gov", "newhavenct.gov", "bridgeportct.gov", "ymail.com", "mail.com",
    "email.com", "gmx.com", "gmx.net", "example.org", "example.com",
)  # fmt: skip


# Endings that are no top-level domains.
_MISTYPED_ENDINGS = {
    **dict.fromkeys(("con", "cmo", "ocm", "comm", "vom", "xom", "cpm"), "com"),
    **dict.fromkeys(("ogr", "rog", "orgg", "og"), "org"),
    **dict.fromkeys(("ner", "nett", "ent"), "net"),
    **dict.fromkeys(("eud", "edi", "edy"), "edu"),
    **dict.fromkeys(("gvo", "gob", "giv"), "gov"),
}
_IN_BRACKETS = re.compile(r"[^<>]*<([^<>]*)>[\s.,;]*")


def tidy(text: str) -> str:
    """Clean what was pasted: `Ada <mailto:ada@example.org>.` becomes `ada@example.org`."""
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
    if match := _IN_BRACKETS.fullmatch(visible):
        visible = match[1]
    return re.sub(r"^mailto:", "", visible.strip(" .,;<>"), flags=re.IGNORECASE).strip()


def normalize(address: str) -> str:
    """Return the address in lower case, with its domain in IDNA, to compare it by.

    Dots and plus tags stay: whether they matter depends on the provider.

    Raises:
        InvalidAddress: it is none.
    """
    try:
        parts = validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        raise InvalidAddress(INVALID, field="email") from error
    if "=?" in parts.local_part:  # read as an encoded word in the header of an email (RFC 2047)
        raise InvalidAddress(INVALID, field="email")
    return f"{parts.local_part.casefold()}@{parts.ascii_domain}"


def suggest_correction(address: str) -> str | None:
    """Return the address probably meant: a common domain, a known ending, a straight apostrophe."""
    typed, at, domain = address.strip().rpartition("@")
    local, domain = typed.replace("\u2019", "'"), domain.casefold()
    if not (local and at and len(domain) <= 40):
        return None
    meant = domain if domain in KNOWN_DOMAINS else _similar_domain(domain)
    return f"{local}@{meant}" if (local, meant) != (typed, domain) else None


def _similar_domain(domain: str) -> str:
    for known in KNOWN_DOMAINS:
        if _is_transposition(domain, known):
            return known
    if close := get_close_matches(domain, KNOWN_DOMAINS, n=1, cutoff=0.86):
        return close[0]
    name, _, ending = domain.rpartition(".")
    return f"{name}.{_MISTYPED_ENDINGS[ending]}" if ending in _MISTYPED_ENDINGS else domain


def _is_transposition(domain: str, known: str) -> bool:
    """Return whether two adjacent letters are swapped."""
    swapped = (known[:n] + known[n + 1] + known[n] + known[n + 2 :] for n in range(len(known) - 1))
    return domain in swapped
