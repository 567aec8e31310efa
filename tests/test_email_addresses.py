"""Email addresses: which are the same, which are invalid, and which are probably typos."""

import pytest

from cop import email_addresses
from cop.errors import InvalidAddress

KEYS = {
    "ada@example.org": "ada@example.org",
    "Ada@Example.ORG": "ada@example.org",
    "ADA+notes@example.org": "ada+notes@example.org",
    "a.d.a@example.org": "a.d.a@example.org",
    "ada@bücher.example.org": "ada@xn--bcher-kva.example.org",
    "ada@BÜCHER.example.org": "ada@xn--bcher-kva.example.org",
    "ada@xn--bcher-kva.example.org": "ada@xn--bcher-kva.example.org",
    "Ümit@example.org": "ümit@example.org",
    "o'hara_1-2@mail.example.org": "o'hara_1-2@mail.example.org",
}
INVALID = [
    *("", " ", "ada", "@example.org", "ada@", "ada@example", "ada@@example.org"),
    *("ada@example..org", ".ada@example.org", "ada lovelace@example.org", "ada@exa mple.org"),
    *("Ada <ada@example.org>", "ada@example.org, grace@example.org", "ada@[127.0.0.1]"),
    *("ada@example.org\nBcc: grace@example.org", "ada@localhost", "a@b@example.org"),
    *("ada@" + "a" * 250 + ".org", "x" * 250 + "@example.org", "ada@" + "é" * 300 + ".org"),
]
TYPOS = {
    "ada@gmial.com": "ada@gmail.com",
    "ada@gamil.com": "ada@gmail.com",
    "ada@gmail.con": "ada@gmail.com",
    "ada@gmal.com": "ada@gmail.com",
    "ada@hotnail.com": "ada@hotmail.com",
    "ada@yahooo.com": "ada@yahoo.com",
    "ada@outlok.com": "ada@outlook.com",
    "ada@ct.gvo": "ada@ct.gov",
    "ada@ctdata.ogr": "ada@ctdata.org",
    "Ada.L+notes@GMIAL.com": "Ada.L+notes@gmail.com",
    " ada@gmial.com ": "ada@gmail.com",
    "ada@library.con": "ada@library.com",
    "ada@my-town.cmo": "ada@my-town.com",
    "ada@nonprofit.ogr": "ada@nonprofit.org",
    "o\u2019hara@example.org": "o'hara@example.org",
}
PASTED = {
    "mailto:ada@example.org": "ada@example.org",
    "Ada Lovelace <ada@example.org>": "ada@example.org",
    "Ada <mailto:ada@example.org>;": "ada@example.org",
    "<ada@example.org>": "ada@example.org",
    "ada@example.org.": "ada@example.org",
    " ada@example.org, ": "ada@example.org",
    "\u200bada@example.org": "ada@example.org",
    "\u202aada@example.org\u202c": "ada@example.org",
    "ada@exam\u00adple.org\ufeff\u2060": "ada@example.org",
    "ada+notes@example.org": "ada+notes@example.org",
    "nonsense <": "nonsense",
    "": "",
}
NO_TYPOS = [
    *("ada@gmail.com", "ada@GMAIL.com", "ada@ymail.com", "ada@mail.com", "ada@email.com"),
    *("ada@yahoo.co.uk", "ada@yahoo.ca", "ada@me.com", "ada@mac.com", "ada@gmx.de", "ada@gmx.net"),
    *("ada@googlemail.com", "ada@fastmail.com", "ada@hotmail.fr", "ada@easternct.edu"),
    *("ada@wcsu.edu", "ada@cga.ct.gov", "ada@hartford.edu", "ada@my-own-company.org"),
    "ada@bücher.example",
    # Typed by half, or far too long.
    *("", "ada", "ada@", "@gmial.com", "gmial.com", "ada@" + "gmial.com" * 100),
]


def test_spellings_of_one_address_have_one_key_and_no_others():
    assert {address: email_addresses.normalize(address) for address in KEYS} == KEYS
    # Dots and plus tags may matter to the provider.
    assert len(set(KEYS.values())) == 6


@pytest.mark.parametrize("address", INVALID, ids=lambda address: repr(address)[:40])
def test_an_invalid_address_is_refused(address):
    with pytest.raises(InvalidAddress):
        email_addresses.normalize(address)


def test_a_domain_close_to_a_common_one_gets_a_hint():
    assert {typed: email_addresses.suggest_correction(typed) for typed in TYPOS} == TYPOS


def test_a_pasted_address_is_cleaned_of_what_is_around_it_and_of_what_nobody_sees():
    assert {typed: email_addresses.tidy(typed) for typed in PASTED} == PASTED


def test_any_other_address_gets_no_hint():
    hints = {typed: email_addresses.suggest_correction(typed) for typed in NO_TYPOS}

    assert {typed: hint for typed, hint in hints.items() if hint} == {}
