"""The public pages in frames of other sites: complete, and without our own header and menu."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from cop import i18n
from tests.builders import NOW
from tests.client import (
    ALL_SIX,
    CONFIRMATION,
    DECEMBER,
    HTMX,
    JANUARY,
    SAME_ORIGIN,
    add_confirmation,
    error_summary,
    form_values,
    register,
    registration_statuses,
    update_community,
    update_meeting,
)
from tests.page import parse
from tests.web.test_faults import gone

PAGES = {
    "/embed/": "/",
    "/embed/schedule": "/schedule",
    "/embed/register": "/register",
    f"/embed/schedule/{DECEMBER}": f"/schedule/{DECEMBER}",
    "/embed/your-data": "/your-data",
    "/embed/next": "/schedule",
}
OTHERS = [
    f"/embed{CONFIRMATION}",
    "/embed/my-link",
    "/embed/nothing",
]
EVERY = [*PAGES, *OTHERS]
THEMES = [  # of a query, and the color scheme
    ("", "light", "light"),
    ("?theme=light", "light", "light"),
    ("?theme=dark", "dark", "dark"),
    ("?theme=auto", None, "light dark"),
    ("?theme=DARK", "light", "light"),
    ("?theme=neon&theme=dark", "light", "light"),
    ('?theme="><script>', "light", "light"),
]


@pytest.fixture
def with_links(client):
    """A client of a community with everything that can be a link."""
    markdown = "[Out](https://example.org), [up](/schedule), [mail](mailto:a@example.org)"
    reading = {"reading_title": "A chapter", "reading_url": "https://example.org/chapter"}
    update_meeting(
        DECEMBER, topic="Who counts?", summary=markdown, prep_question="Who decides?", **reading
    )
    update_community(about=markdown, contact_email="contact@example.org")
    add_confirmation([DECEMBER], [JANUARY])
    return client


def is_in_the_frame(address):
    return address.startswith(("/embed/", "#"))


def opens_a_new_tab(link):
    return link.get("target") == "_blank" and "noopener" in link["rel"]


def test_links_and_forms_stay_in_the_frame_or_open_a_new_tab(with_links):
    for path in EVERY:
        soup = parse(with_links.get(path))
        links = soup.select("a[href]")

        assert links
        leaving = [a for a in links if not is_in_the_frame(a["href"])]
        assert [a for a in leaving if not opens_a_new_tab(a)] == []
        assert [a for a in links if is_in_the_frame(a["href"]) and a.get("target")] == []
        for verb in ("action", "hx-get", "hx-post"):
            assert all(is_in_the_frame(tag[verb]) for tag in soup.select(f"[{verb}]"))


def test_a_framed_page_has_a_link_to_the_site_instead_of_header_and_menu(client):
    for path in EVERY:
        soup = parse(client.get(path))

        home = soup.select_one("footer a[href='/'][target=_blank]")
        scripts = [script["src"].partition("?")[0] for script in soup.select("script[src]")]
        assert soup.select(".masthead, nav:not(.contents), .skip") == []
        assert home.get_text() == "Equity in Data Community of Practice (opens in a new tab)"
        assert soup.select_one("body > #frame > main")
        assert soup.select_one("body > #frame > footer")
        assert scripts[-1] == "/static/frame.js"


def test_search_engines_index_the_page_on_the_site_instead(client):
    for path, page in PAGES.items():
        soup, on_the_site = client.page(path), client.page(page)

        assert soup.select_one("link[rel=canonical]")["href"] == f"http://localhost{page}"
        assert [tag["content"] for tag in soup.select("meta[name=robots]")] == ["noindex"]
        assert on_the_site.select("meta[name=robots]") == []
        assert on_the_site.select("script[src*=frame]") == []


def test_the_site_itself_has_its_header_and_links_to_no_frame(client):
    for path in ("/", "/schedule", "/register", "/nothing"):
        soup = parse(client.get(path))

        assert soup.select_one(".masthead nav")
        assert soup.find(id="frame") is None
        assert soup.select("a[href^='/embed']") == []


def test_registering_in_the_frame_stays_in_it_and_keeps_the_theme(client):
    form = form_values(client.page("/embed/register"))
    answers = form | {"name": "Ada", "email": "ada@example.org", "sessions": [DECEMBER]}

    sent = client.post("/embed/register?theme=dark", data=answers, headers=SAME_ORIGIN)

    page, address = client.page(sent.location), urlsplit(sent.location)
    assert sent.status_code == 303
    assert address.path == "/embed/registered"
    assert set(parse_qs(address.query)) == {"form", "theme"}
    assert page.h1.get_text() == "You're registered"
    assert registration_statuses() == [("ada@example.org", DECEMBER, "held")]
    assert "Set-Cookie" not in sent.headers


def test_by_htmx_the_confirmation_links_stay_in_the_frame(client):
    update_meeting(DECEMBER, capacity=1)

    sent = register(client, DECEMBER, HTMX, path="/embed/register")

    soup = parse(sent)
    act = soup.select_one(f"#act-{DECEMBER} a")
    assert soup.select_one("#registration h2").get_text() == "You're registered"
    assert act["hx-get"] == act["href"] == f"/embed/register?session={DECEMBER}"


def test_a_refused_form_is_shown_again_in_the_frame(client):
    sent = register(client, DECEMBER, path="/embed/register", email="")

    soup = parse(sent)
    assert sent.status_code == 422
    assert error_summary(soup) == ["Enter an email address, like name@example.org."]
    assert soup.find("form", method="post")["action"] == "/embed/register"


def test_the_framed_schedule_begins_with_the_next_session_and_links_to_past_ones(client):
    update_meeting(DECEMBER, topic="Who counts?")
    update_meeting(JANUARY, starts_at=NOW - timedelta(hours=2), ends_at=NOW - timedelta(hours=1))

    framed, on_the_site = client.page("/embed/schedule"), client.page("/schedule")

    past = framed.select_one("a[href='/schedule/past']")
    assert framed.h1.get_text(strip=True) == "Who counts?"
    assert on_the_site.h1.get_text() == "Schedule"
    assert past.get_text() == "Past sessions (opens in a new tab)"
    assert on_the_site.find(id="past").get_text() == "Past sessions"
    assert f"/embed/schedule/{JANUARY}" not in str(framed)
    assert f"/schedule/{JANUARY}" in str(on_the_site)


def test_the_card_shows_the_next_session_and_one_button_that_opens_its_form(client):
    update_meeting(DECEMBER, topic="Who counts?", capacity=3)

    soup = client.page("/embed/next")
    card = soup.select_one(".card")
    button = card.select_one("a.button")
    form = parse(client.get(button["hx-get"], headers=HTMX))

    assert card.h1.get_text(strip=True) == "Who counts?"
    assert card.select_one(".tile b").get_text() == "15"
    assert "Only a few spots left" in card.get_text()
    assert len(soup.select(".button")) == 1
    assert soup.select(button["hx-target"])
    assert form_values(form)["sessions"] == [DECEMBER]


def test_the_schedule_and_the_card_say_when_nothing_is_planned(client):
    for slug in ALL_SIX:
        update_meeting(slug, status="cancelled")

    schedule, card = client.page("/embed/schedule"), client.page("/embed/next")

    assert schedule.h1.get_text() == "Schedule"
    assert "No sessions are planned right now" in schedule.main.get_text()
    assert card.h1.get_text() == "No sessions are planned right now"
    assert card.select(".card, .button") == []


def test_the_theme_is_one_of_three_and_light_by_default(client):
    for query, theme, scheme in THEMES:
        response = client.get(f"/embed/schedule{query}")

        soup = parse(response)
        color_scheme = soup.find("meta", attrs={"name": "color-scheme"})["content"]
        assert (query, soup.html.get("data-theme"), color_scheme) == (query, theme, scheme)
        assert "neon" not in response.text


def test_the_site_itself_follows_the_visitor_s_setting(client):
    for path in ("/schedule?theme=dark", "/nothing?theme=dark"):
        soup = parse(client.get(path))

        assert not soup.html.has_attr("data-theme")
        assert "theme=" not in str(soup.main)


def test_links_in_the_frame_keep_the_theme_and_no_other_parameter(with_links):
    for path in EVERY:
        joint = "&" if "?" in path else "?"
        soup = parse(with_links.get(f"{path}{joint}theme=dark&utm_source=mallory"))

        inside = [a["href"] for a in soup.select("a[href^='/embed/']")]
        inside += [tag[verb] for verb in ("action", "hx-get") for tag in soup.select(f"[{verb}]")]
        assert inside or path == "/embed/your-data"
        assert all(parse_qs(urlsplit(address).query)["theme"] == ["dark"] for address in inside)
        assert not [a for a in soup.select("a[target=_blank]") if "theme=" in a["href"]]
        assert "mallory" not in str(soup)


def test_links_keep_the_language_in_the_frame_and_to_the_site(client, monkeypatch):
    monkeypatch.setattr(i18n, "LANGUAGES", ("en", "es"))

    soup = parse(client.get("/embed/schedule?lang=es"))

    public = [a["href"] for a in soup.select("a[href^='/']") if ".ics" not in a["href"]]
    assert soup.html["lang"] == "es"
    assert soup.find("link", rel="canonical")["href"] == "http://localhost/schedule?lang=es"
    assert all(parse_qs(urlsplit(address).query)["lang"] == ["es"] for address in public)


def test_an_unknown_or_default_language_is_not_in_links(client):
    for lang in ("en", "xx", "", "%00", "en-US"):
        response = client.get(f"/embed/schedule?lang={lang}")

        assert parse(response).html["lang"] == "en"
        assert "lang=en" not in response.text.replace('<html lang="en"', "")
        assert "lang=xx" not in response.text


def hosts_of(answer):
    return answer.headers["Content-Security-Policy"].partition("frame-ancestors ")[2].split()


def test_without_hosts_only_the_site_itself_may_frame_its_pages(client):
    update_community(embed_hosts=[])

    answers = [client.get("/embed/schedule"), client.get("/embed/nothing")]

    assert [hosts_of(answer) for answer in answers] == [["'self'"]] * 2


def test_without_a_database_the_frame_says_so_and_no_other_site_may_show_it(client, database_url):
    with gone(database_url):
        page = client.get("/embed/schedule")
        fragment = client.get("/embed/register", headers=HTMX)

    assert (page.status_code, fragment.status_code) == (503, 503)
    assert hosts_of(page) == ["'self'"]
    assert "X-Frame-Options" not in page.headers
    home = parse(page).select_one("footer a[href='/'][target=_blank]")
    assert home.get_text() == "Home (opens in a new tab)"
    assert client.get("/embed/schedule").status_code == 200
