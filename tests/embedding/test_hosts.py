"""Sites that may show the pages: how they are typed, listed and compared, and what they paste."""

import pytest
from bs4 import BeautifulSoup

from cop.embedding import hosts
from cop.errors import Refused
from cop.links import Links
from cop.models.community import Community

WWW, BARE = "https://www.ctdata.org", "https://ctdata.org"
LINKS = Links("https://cop.example.org")
GOOGLE, SQUARESPACE = hosts.PRESETS
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
REFUSED = {
    "Write the address": ["", "  \t "],
    "Only a site that begins with https": [
        "http://www.ctdata.org",
        "HTTP://www.ctdata.org",
        "ftp://www.ctdata.org",
        "htps://www.ctdata.org",
    ],
    "without a star": ["https://*.ctdata.org", "*", "https://www.ctdata.org; script-src *"],
    "need more than this one site": ["sites.google.com", "https://sites.google.com/view/equity"],
    "comes after the name": [
        "https://www.ctdata.org/equity",
        "www.ctdata.org/equity",
        "https://www.ctdata.org?a=b",
        "https://www.ctdata.org/?",
        "https://www.ctdata.org#top",
    ],
    "before the @": ["https://sarah@ctdata.org", "https://sarah:x@ctdata.org", "sarah@ctdata.org"],
    "not its number": ["https://192.0.2.7", "127.0.0.1"],
    "no name that a site can have": [
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


@pytest.fixture
def community(db_session):
    return db_session.query(Community).one()


@pytest.mark.parametrize(
    ("text", "host"),
    [
        (WWW, WWW),
        ("www.ctdata.org", WWW),
        (f"  {WWW}/ ", WWW),
        ("HTTPS://WWW.CTData.ORG", WWW),
        ("https://www.ctdata.org.", WWW),
        ("https://www.ctdata.org:443", WWW),
        ("https://www.ctdata.org:8443", f"{WWW}:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://a-b.c1.example", "https://a-b.c1.example"),
    ],
)
def test_a_site_is_normalized_as_browsers_name_it(text, host):
    assert hosts.host_of(text) == host


def refusal_of(text):
    with pytest.raises(Refused) as refused:
        hosts.host_of(text)
    return str(refused.value)


@pytest.mark.parametrize(("sentence", "texts"), REFUSED.items(), ids=REFUSED)
def test_an_invalid_site_is_refused_with_a_sentence_of_its_own(sentence, texts):
    assert [text for text in texts if sentence not in refusal_of(text)] == []


def test_the_address_of_a_page_is_refused_with_the_site_to_write():
    with pytest.raises(Refused, match="comes after the name") as refused:
        hosts.host_of("https://WWW.ctdata.org/equity?a=b")

    assert refused.value.values == {"host": WWW}


def test_a_new_community_allows_the_site_of_its_host(db_session):
    assert hosts.hosts(db_session) == (WWW, BARE)


def test_an_added_site_is_on_the_list_with_the_others(db_session, community):
    before = community.revision

    added = hosts.add_host(db_session, "Example.org")

    assert added == "https://example.org"
    assert hosts.hosts(db_session) == (WWW, BARE, "https://example.org")
    assert community.revision == before + 1


def test_a_site_on_the_list_is_not_added_again(db_session, community):
    before = community.revision

    with pytest.raises(Refused, match="on the list already"):
        hosts.add_host(db_session, "www.CTDATA.org")

    assert hosts.hosts(db_session) == (WWW, BARE)
    assert community.revision == before


def test_only_a_site_on_the_list_is_removed_and_the_others_stay(db_session, community):
    before = community.revision

    removed = [hosts.remove_host(db_session, host) for host in ("https://example.org", WWW)]

    assert removed == [False, True]
    assert hosts.hosts(db_session) == (BARE,)
    assert community.revision == before + 1


@pytest.mark.parametrize("preset", hosts.PRESETS, ids=lambda preset: preset.name)
def test_a_preset_adds_and_removes_its_hosts(db_session, community, preset):
    before = community.revision

    hosts.set_preset(db_session, preset, on=True)
    hosts.set_preset(db_session, preset, on=True)
    with_it = hosts.hosts(db_session)
    hosts.set_preset(db_session, preset, on=False)

    assert with_it == (WWW, BARE, *preset.hosts)
    assert preset.is_on(with_it)
    assert hosts.hosts(db_session) == (WWW, BARE)
    assert not preset.is_on(hosts.hosts(db_session))
    assert community.revision == before + 3


@pytest.mark.parametrize(
    ("host", "variant"),
    [
        (WWW, BARE),
        (BARE, WWW),
        ("https://www.data.example.org", "https://data.example.org"),
        ("https://data.example.org", None),
    ],
)
def test_a_site_has_a_variant_with_or_without_www(host, variant):
    assert hosts.www_variant(host) == variant


@pytest.mark.parametrize(
    "address",
    [WWW, f"{WWW}/equity-in-data?preview=1#form", "WWW.ctdata.org/equity", f"{WWW}:443/"],
)
def test_a_page_of_an_allowed_site_works(address):
    assert hosts.check_embeddable(address, [BARE, WWW]) == WWW


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (f"{BARE}/equity", "https://www.ctdata.org is on the list"),
        ("https://example.org/", "https://example.org is not on the list"),
        ("https://www.ctdata.org.evil.example", "is not on the list"),
        (f"{WWW}:8443", "is not on the list"),
        ("https://ctdata.squarespace.com/config", "Squarespace shows a site to who edits it"),
        ("https://sites.google.com/view/equity", "Allow Google Sites"),
        ("https://123-atari-embeds.googleusercontent.com/x", "Allow Google Sites"),
    ],
)
def test_a_page_of_another_site_does_not_work_for_a_stated_reason(address, sentence):
    with pytest.raises(Refused, match=sentence):
        hosts.check_embeddable(address, [WWW])


@pytest.mark.parametrize(
    ("address", "works"),
    [
        ("https://ctdata.squarespace.com/config", True),
        ("https://a.b.squarespace.com", True),
        ("https://squarespace.com", False),
        ("https://.squarespace.com.evil.example", False),
        ("https://notsquarespace.com", False),
        ("https://x.squarespace.com.evil.example", False),
    ],
)
def test_a_preset_allows_subdomains_only(address, works):
    try:
        hosts.check_embeddable(address, SQUARESPACE.hosts)
    except Refused:
        assert not works
    else:
        assert works


def test_an_address_to_check_is_validated_like_a_site():
    with pytest.raises(Refused, match="Only a site that begins with https"):
        hosts.check_embeddable("http://www.ctdata.org/equity", [WWW])


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
