"""Which sites may show the pages: how they are typed, listed, compared, and what they paste."""

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
TYPED = {
    "": "Write the address",
    "  \t ": "Write the address",
    "http://www.ctdata.org": "Only a site that begins with https",
    "HTTP://www.ctdata.org": "Only a site that begins with https",
    "ftp://www.ctdata.org": "Only a site that begins with https",
    "htps://www.ctdata.org": "Only a site that begins with https",
    "https://*.ctdata.org": "without a star",
    "*": "without a star",
    "sites.google.com": "need more than this one site",
    "https://sites.google.com/view/equity": "need more than this one site",
    "https://www.ctdata.org/equity": "comes after the name",
    "www.ctdata.org/equity": "comes after the name",
    "https://www.ctdata.org?a=b": "comes after the name",
    "https://www.ctdata.org/?": "comes after the name",
    "https://www.ctdata.org#top": "comes after the name",
    "https://sarah@ctdata.org": "before the @",
    "https://sarah:secret@ctdata.org": "before the @",
    "sarah@ctdata.org": "before the @",
    "https://192.0.2.7": "not its number",
    "127.0.0.1": "not its number",
    "https://ctdata": "no name that a site can have",
    "localhost": "no name that a site can have",
    "https//www.ctdata.org": "no name that a site can have",
    "https:/www.ctdata.org": "no name that a site can have",
    "https:www.ctdata.org": "no name that a site can have",
    "www,ctdata,org": "no name that a site can have",
    "www.ctdata,org": "no name that a site can have",
    "www..ctdata.org": "no name that a site can have",
    ".ctdata.org": "no name that a site can have",
    "-ctdata.org": "no name that a site can have",
    "ct_data.org": "no name that a site can have",
    "www.ct data.org": "no name that a site can have",
    "https://www.ctdata.org; script-src *": "without a star",
    "https://www.ctdata.org; script-src 'unsafe-inline'": "no name that a site can have",
    "https://www.ctdata.org https://evil.example": "no name that a site can have",
    "https://www.ctdata.org,https://evil.example": "no name that a site can have",
    "https://ctdata.org:port": "no name that a site can have",
    "https://ctdata.org:99999": "no name that a site can have",
    "https://ctdata.org:0": "no name that a site can have",
    "https://[::1]": "no name that a site can have",
    "https://[": "no name that a site can have",
    "https://": "no name that a site can have",
    "javascript:alert(1)": "no name that a site can have",
    "'self'": "no name that a site can have",
    "https://www.ctdata.org\n.evil.example": "no name that a site can have",
    f"https://{LONG}.org": "no name that a site can have",
    "x" * 10_000: "no name that a site can have",
}


@pytest.fixture
def community(db_session):
    return db_session.query(Community).one()


@pytest.mark.parametrize(
    ("typed", "read"),
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
def test_a_site_is_read_as_its_pages_name_themselves(typed, read):
    assert hosts.host_of(typed) == read


@pytest.mark.parametrize(("typed", "refusal"), TYPED.items(), ids=[repr(t)[:50] for t in TYPED])
def test_what_is_no_site_is_refused_with_a_sentence_of_its_own(typed, refusal):
    with pytest.raises(Refused, match=refusal):
        hosts.host_of(typed)


def test_an_address_of_a_page_is_refused_with_the_site_to_write_instead():
    with pytest.raises(Refused, match="comes after the name") as refused:
        hosts.host_of("https://WWW.ctdata.org/equity?a=b")

    assert refused.value.values == {"host": WWW}


def test_a_new_community_is_shown_in_the_pages_of_its_host(db_session):
    assert hosts.hosts(db_session) == (WWW, BARE)


def test_a_site_that_is_added_is_on_the_list_and_the_others_stay(db_session, community):
    before = community.revision

    added = hosts.add_host(db_session, "Example.org")

    assert added == "https://example.org"
    assert hosts.hosts(db_session) == (WWW, BARE, "https://example.org")
    assert community.revision == before + 1


def test_a_site_that_is_on_the_list_is_not_added_again(db_session, community):
    before = community.revision

    with pytest.raises(Refused, match="on the list already"):
        hosts.add_host(db_session, "www.CTDATA.org")

    assert hosts.hosts(db_session) == (WWW, BARE)
    assert community.revision == before


def test_a_site_that_is_taken_off_the_list_is_gone_and_the_others_stay(db_session, community):
    before = community.revision

    was_there = hosts.remove_host(db_session, WWW)

    assert was_there
    assert hosts.hosts(db_session) == (BARE,)
    assert community.revision == before + 1


def test_a_site_that_is_not_on_the_list_cannot_be_taken_off(db_session, community):
    before = community.revision

    was_there = hosts.remove_host(db_session, "https://example.org")

    assert not was_there
    assert hosts.hosts(db_session) == (WWW, BARE)
    assert community.revision == before


@pytest.mark.parametrize("preset", hosts.PRESETS, ids=lambda preset: preset.name)
def test_a_preset_brings_its_hosts_and_takes_them_away_again(db_session, community, preset):
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
    ("host", "twin"),
    [
        (WWW, BARE),
        (BARE, WWW),
        ("https://www.data.example.org", "https://data.example.org"),
        ("https://data.example.org", None),
    ],
)
def test_the_same_site_with_and_without_www_is_two_for_browsers(host, twin):
    assert hosts.www_variant(host) == twin


@pytest.mark.parametrize(
    "address",
    [WWW, f"{WWW}/equity-in-data?preview=1#form", "WWW.ctdata.org/equity", f"{WWW}:443/"],
)
def test_a_page_of_a_site_on_the_list_works(address):
    verdict = hosts.check_embeddable(address, [BARE, WWW])

    assert verdict.works
    assert WWW in verdict.sentence % verdict.values


@pytest.mark.parametrize(
    ("address", "said"),
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
def test_a_page_that_cannot_work_is_told_why(address, said):
    verdict = hosts.check_embeddable(address, [WWW])

    assert not verdict.works
    assert said in verdict.sentence % verdict.values


@pytest.mark.parametrize(
    ("address", "works"),
    [
        ("https://ctdata.squarespace.com/config", True),
        ("https://a.b.squarespace.com", True),
        ("https://squarespace.com", False),
        ("https://.squarespace.com.evil.example", None),
        ("https://notsquarespace.com", False),
        ("https://x.squarespace.com.evil.example", False),
    ],
)
def test_a_preset_lets_in_the_sites_below_its_name_and_no_others(address, works):
    try:
        found = hosts.check_embeddable(address, SQUARESPACE.hosts).works
    except Refused:
        found = None

    assert found is works


@pytest.mark.parametrize(
    ("address", "refusal"),
    [
        ("http://www.ctdata.org/equity", "Only a site that begins with https"),
        ("", "Write the address"),
        ("www.ctdata", None),
        ("ctdata", "no name that a site can have"),
        ("https://*.ctdata.org", "without a star"),
    ],
)
def test_an_address_of_no_page_is_refused_like_a_site(address, refusal):
    if refusal is None:
        assert not hosts.check_embeddable(address, [WWW]).works
        return
    with pytest.raises(Refused, match=refusal):
        hosts.check_embeddable(address, [WWW])


def test_the_snippets_are_what_the_browsers_were_tried_with():
    name = "Equity in Data"

    found = hosts.snippets(LINKS, name=name, language="en")

    assert found.with_script == f"{FRAME}\n{LINK}\n{SCRIPT}"
    assert found.without_script == f"{FRAME}\n{LINK}"
    assert found.link == LINK


def test_a_name_with_signs_of_html_in_it_stays_a_name():
    name = '"><script>alert(1)</script>&'

    found = hosts.snippets(LINKS, name=name, language="en")

    frame = BeautifulSoup(found.without_script, "lxml").iframe
    assert frame["title"] == f"Register for {name} sessions"
    assert "<script>alert" not in found.without_script
