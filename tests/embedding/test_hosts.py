"""Sites that may embed the pages: how they are parsed and compared, and what they paste."""

import pytest
from bs4 import BeautifulSoup

from cop.embedding import hosts
from cop.errors import Refused
from cop.links import Links

WWW, BARE = "https://www.ctdata.org", "https://ctdata.org"
LINKS = Links("https://cop.example.org")
_, SQUARESPACE = hosts.PRESETS
FRAME = (
    '<iframe src="https://cop.example.org/embed/schedule" '
    'title="Register for Equity in Data sessions" width="100%" height="900" '
    'style="border:0;width:100%;height:900px;max-height:80vh"></iframe>'
)
LINK = (
    '<p><a href="https://cop.example.org/schedule" target="_blank" rel="noopener">'
    "Open the registration page in a new tab</a></p>"
)
SCRIPT = '<script src="https://cop.example.org/embed.js" async></script>'
LONG = ".".join(["x" * 63] * 4)
NORMALIZED = {
    WWW: WWW,
    "www.ctdata.org": WWW,
    f"  {WWW}/ ": WWW,
    "HTTPS://WWW.CTData.ORG": WWW,
    "https://www.ctdata.org.": WWW,
    "https://www.ctdata.org:443": WWW,
    "https://www.ctdata.org:8443": f"{WWW}:8443",
    "https://bücher.example": "https://xn--bcher-kva.example",
    "https://BÜCHER.example": "https://xn--bcher-kva.example",
    "https://straße.example": "https://xn--strae-oqa.example",
    "https://xn--bcher-kva.example": "https://xn--bcher-kva.example",
    "https://a-b.c1.example": "https://a-b.c1.example",
}
REFUSED = {
    "Enter the address of a site": ["", "  \t "],
    "must start with https": [
        "http://www.ctdata.org",
        "HTTP://www.ctdata.org",
        "ftp://www.ctdata.org",
        "htps://www.ctdata.org",
    ],
    "without *": ["https://*.ctdata.org", "*", "https://www.ctdata.org; script-src *"],
    "not enough. Use “Allow Google Sites”": [
        "sites.google.com",
        "https://sites.google.com/view/equity",
    ],
    "only the start of the address: https://www.ctdata.org": [
        "https://www.ctdata.org/equity",
        "www.ctdata.org/equity",
        "https://www.ctdata.org?a=b",
        "https://www.ctdata.org/?",
        "https://www.ctdata.org#top",
    ],
    "without the @": ["https://sarah@ctdata.org", "https://sarah:x@ctdata.org", "sarah@ctdata.org"],
    "not its IP address": ["https://192.0.2.7", "127.0.0.1"],
    "isn't a valid site address": [
        *("https://ctdata", "localhost", "https//www.ctdata.org", "https:/www.ctdata.org"),
        *("https:www.ctdata.org", "www,ctdata,org", "www.ctdata,org", "www..ctdata.org"),
        *(".ctdata.org", "-ctdata.org", "ct_data.org", "www.ct data.org", "'self'", "x" * 10_000),
        "https://www.ctdata.org; script-src 'unsafe-inline'",
        "https://www.ctdata.org https://evil.example",
        "https://www.ctdata.org,https://evil.example",
        "https://www.ctdata.org\n.evil.example",
        *("https://ctdata.org:port", "https://ctdata.org:99999", "https://ctdata.org:0"),
        *("https://[::1]", "https://[", "https://", "javascript:alert(1)", f"https://{LONG}.org"),
    ],
}


def test_a_site_is_normalized_as_browsers_name_it():
    assert {text: hosts.host_of(text) for text in NORMALIZED} == NORMALIZED


def refusal_of(text):
    with pytest.raises(Refused) as refused:
        hosts.host_of(text)
    return str(refused.value)


@pytest.mark.parametrize(("sentence", "texts"), REFUSED.items(), ids=REFUSED)
def test_an_invalid_site_is_refused_with_a_sentence_of_its_own(sentence, texts):
    assert [text for text in texts if sentence not in refusal_of(text)] == []


def test_a_site_has_a_variant_with_or_without_www():
    variants = {
        WWW: BARE,
        BARE: WWW,
        "https://www.data.example.org": "https://data.example.org",
        "https://data.example.org": None,
    }

    assert {host: hosts.www_variant(host) for host in variants} == variants


def test_a_page_of_an_allowed_site_works():
    for address in (WWW, f"{WWW}/equity?preview=1#form", "WWW.ctdata.org/equity", f"{WWW}:443/"):
        assert hosts.check_embeddable(address, [BARE, WWW]) == WWW


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (f"{BARE}/equity", "the list has https://www.ctdata.org"),
        ("https://example.org/", "https://example.org is not on the list"),
        ("https://www.ctdata.org.evil.example", "is not on the list"),
        (f"{WWW}:8443", "is not on the list"),
        ("https://ctdata.squarespace.com/config", "only while you edit your site"),
        ("https://sites.google.com/view/equity", "Allow Google Sites"),
        ("https://123-atari-embeds.googleusercontent.com/x", "Allow Google Sites"),
    ],
)
def test_a_page_of_another_site_does_not_work_for_a_stated_reason(address, sentence):
    with pytest.raises(Refused, match=sentence):
        hosts.check_embeddable(address, [WWW])


def test_a_preset_allows_subdomains_only():
    for address in ("https://ctdata.squarespace.com/config", "https://a.b.squarespace.com"):
        assert hosts.check_embeddable(address, SQUARESPACE.hosts)
    for address in (
        "https://squarespace.com",
        "https://.squarespace.com.evil.example",
        "https://notsquarespace.com",
        "https://x.squarespace.com.evil.example",
    ):
        with pytest.raises(Refused):
            hosts.check_embeddable(address, SQUARESPACE.hosts)


def test_the_snippets_are_those_tested_in_browsers():
    name = "Equity in Data"

    found = hosts.snippets(LINKS, name=name, language="en")

    assert found.with_script == f"{FRAME}\n{LINK}\n{SCRIPT}"
    assert found.without_script == f"{FRAME}\n{LINK}"
    assert found.link == LINK


def test_a_name_is_escaped_in_the_snippets():
    name = '"><script>alert(1)</script>&'

    found = hosts.snippets(LINKS, name=name, language="en")

    frame = BeautifulSoup(found.without_script, "lxml").iframe
    assert frame["title"] == f"Register for {name} sessions"
    assert "<script>alert" not in found.without_script
