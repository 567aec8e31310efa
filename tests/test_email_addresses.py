"""Email addresses: which are the same, which are none, and which were probably a slip."""

import pytest

from cop import email_addresses
from cop.errors import InvalidAddress


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("ada@example.org", "ada@example.org"),
        ("Ada@Example.ORG", "ada@example.org"),
        ("ADA+notes@example.org", "ada+notes@example.org"),
        ("a.d.a@example.org", "a.d.a@example.org"),
        ("ada@bücher.example.org", "ada@xn--bcher-kva.example.org"),
        ("ada@BÜCHER.example.org", "ada@xn--bcher-kva.example.org"),
        ("ada@xn--bcher-kva.example.org", "ada@xn--bcher-kva.example.org"),
        ("Ümit@example.org", "ümit@example.org"),
        ("o'hara_1-2@mail.example.org", "o'hara_1-2@mail.example.org"),
    ],
    ids=[
        "plain",
        "other case",
        "plus tag kept",
        "dots kept",
        "international domain",
        "international domain, other case",
        "the same domain in punycode",
        "international name",
        "signs that are allowed",
    ],
)
def test_two_spellings_of_one_address_have_one_key(address, key):
    assert email_addresses.normalize(address) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@example.org", "ada+notes@example.org"),
        ("ada.l@example.org", "adal@example.org"),
        ("ada@example.org", "ada@example.com"),
        ("ada@bücher.example.org", "ada@bucher.example.org"),
    ],
    ids=["plus tag", "dot", "domain", "umlaut"],
)
def test_addresses_that_may_be_two_peoples_have_two_keys(one, other):
    assert email_addresses.normalize(one) != email_addresses.normalize(other)


@pytest.mark.parametrize(
    "address",
    [
        "",
        " ",
        "ada",
        "@example.org",
        "ada@",
        "ada@example",
        "ada@@example.org",
        "ada@example..org",
        ".ada@example.org",
        "ada lovelace@example.org",
        "ada@exa mple.org",
        "Ada <ada@example.org>",
        "ada@example.org, grace@example.org",
        "ada@example.org\nBcc: grace@example.org",
        "ada@[127.0.0.1]",
        "ada@localhost",
        "ada@" + "a" * 250 + ".org",
    ],
    ids=repr,
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InvalidAddress):
        email_addresses.normalize(address)


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gamil.com", "ada@gmail.com"),
        ("ada@gmail.con", "ada@gmail.com"),
        ("ada@gmal.com", "ada@gmail.com"),
        ("ada@hotnail.com", "ada@hotmail.com"),
        ("ada@yahooo.com", "ada@yahoo.com"),
        ("ada@outlok.com", "ada@outlook.com"),
        ("ada@ct.gvo", "ada@ct.gov"),
        ("ada@ctdata.ogr", "ada@ctdata.org"),
        ("Ada.L+notes@GMIAL.com", "Ada.L+notes@gmail.com"),
        (" ada@gmial.com ", "ada@gmail.com"),
    ],
    ids=lambda value: value.strip(),
)
def test_a_domain_one_slip_away_from_a_common_one_gets_a_hint(address, meant):
    assert email_addresses.suggest_correction(address) == meant


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com",
        "GMAIL.com",
        "ymail.com",
        "mail.com",
        "email.com",
        "yahoo.co.uk",
        "yahoo.ca",
        "me.com",
        "mac.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "fastmail.com",
        "hotmail.fr",
        "easternct.edu",
        "wcsu.edu",
        "cga.ct.gov",
        "hartford.edu",
        "my-own-company.org",
        "bücher.example",
    ],
)
def test_a_domain_that_exists_gets_no_hint(domain):
    assert email_addresses.suggest_correction(f"ada@{domain}") is None


@pytest.mark.parametrize(
    "typed",
    ["", "ada", "ada@", "@gmial.com", "gmial.com", "ada@" + "gmial.com" * 100],
    ids=["nothing", "no at", "no domain", "no name", "only a domain", "far too long"],
)
def test_what_is_half_typed_gets_no_hint(typed):
    assert email_addresses.suggest_correction(typed) is None
