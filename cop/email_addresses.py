"""Email addresses: validation, comparison, and a hint at likely typos."""

import re
import unicodedata
from difflib import get_close_matches

from email_validator import EmailNotValidError, validate_email

from cop.errors import InvalidAddress
from cop.i18n import N_

INVALID = N_("Enter an email address, like name@example.org.")

# Common domains of members' addresses, which are suggested as corrections; also real domains that
# look like them, such as ymail.com, which must not be "corrected".
KNOWN_DOMAINS = (
    "gmail.com", "yahoo.com", "outlook.com", "hotmail.com", "icloud.com", "aol.com", "comcast.net",
    "live.com", "msn.com", "me.com", "mac.com", "att.net", "sbcglobal.net", "optonline.net",
    "snet.net", "proton.me", "protonmail.com", "verizon.net", "ctdata.org", "ct.gov", "yale.edu",
    "uconn.edu", "uchc.edu", "trincoll.edu", "wesleyan.edu", "ccsu.edu", "southernct.edu",
    "wcsu.edu", "hartford.gov", "newhavenct.gov", "bridgeportct.gov", "ymail.com", "mail.com",
    "email.com", "gmx.com", "gmx.net", "example.org", "example.com",
)  # fmt: skip


# Typos of top-level domains, which are no top-level domains themselves.
_MISTYPED_ENDINGS = {
    **dict.fromkeys(("con", "cmo", "ocm", "comm", "vom", "xom", "cpm"), "com"),
    **dict.fromkeys(("ogr", "rog", "orgg", "og"), "org"),
    **dict.fromkeys(("ner", "nett", "ent"), "net"),
    **dict.fromkeys(("eud", "edi", "edy"), "edu"),
    **dict.fromkeys(("gvo", "gob", "giv"), "gov"),
}
_IN_BRACKETS = re.compile(r"[^<>]*<([^<>]*)>[\s.,;]*")


def tidy(text: str) -> str:
    """Return the address in pasted text such as `Ada <ada@example.org>,`."""
    # Category Cf: invisible characters, such as a zero-width space.
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
    if match := _IN_BRACKETS.fullmatch(visible):
        visible = match[1]
    return re.sub(r"^mailto:", "", visible.strip(" .,;<>"), flags=re.IGNORECASE).strip()


def normalize(address: str) -> str:
    """Return the form used to compare: lower case, with the domain in IDNA.

    Dots and plus tags stay, since it depends on the provider whether they make a difference.

    Raises:
        InvalidAddress: `address` is not an email address.
    """
    try:
        parts = validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        raise InvalidAddress(INVALID, field="email") from error
    if "=?" in parts.local_part:  # an email header would decode it as an encoded word (RFC 2047)
        raise InvalidAddress(INVALID, field="email")
    return f"{parts.local_part.casefold()}@{parts.ascii_domain}"


def suggest_correction(address: str) -> str | None:
    """Return the address probably meant, or None if there is no obvious typo.

    It corrects the domain, the ending and curly apostrophes.
    """
    typed_local, _, typed_domain = address.strip().rpartition("@")
    local, domain = typed_local.replace("\u2019", "'"), typed_domain.casefold()
    # A domain of more than 40 characters is close to no known one, but slow to compare.
    if not local or len(domain) > 40:
        return None
    corrected = domain if domain in KNOWN_DOMAINS else _similar_domain(domain)
    is_correct = (local, corrected) == (typed_local, domain)
    return None if is_correct else f"{local}@{corrected}"


def _similar_domain(domain: str) -> str:
    """Return the domain probably meant, which may be the same."""
    for known in KNOWN_DOMAINS:
        if _is_transposition(domain, known):
            return known
    if close := get_close_matches(domain, KNOWN_DOMAINS, n=1, cutoff=0.86):
        return close[0]
    name, _, ending = domain.rpartition(".")
    return f"{name}.{_MISTYPED_ENDINGS[ending]}" if ending in _MISTYPED_ENDINGS else domain


def _is_transposition(domain: str, known: str) -> bool:
    """Return whether `domain` is `known` with two adjacent letters swapped."""
    swapped = (known[:i] + known[i + 1] + known[i] + known[i + 2 :] for i in range(len(known) - 1))
    return domain in swapped
