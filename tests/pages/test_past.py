"""The page of all past sessions, and its search."""

from datetime import datetime
from zoneinfo import ZoneInfo

from cop.db.engine import write_tx
from tests.builders import NOW, a_meeting
from tests.client import DECEMBER, main_text, parse, update_meeting


def past_meeting(slug, **values):
    """Add a session that took place on the date of its slug."""
    starts_at = datetime.fromisoformat(f"{slug}T11:30").replace(tzinfo=ZoneInfo("America/New_York"))
    with write_tx() as db_session:
        a_meeting(db_session, slug=slug, starts_at=starts_at, **values)


def found(client, query, path="/schedule/past"):
    """The slugs that a search finds."""
    links = client.page(path, query_string={"q": query}).select("#found li a")
    return [link["href"].rpartition("/")[2].partition("?")[0] for link in links]


def test_all_past_sessions_are_listed_by_year_and_linked_from_the_schedule(client):
    past_meeting("2026-11-02", topic="Later")
    past_meeting("2021-06-15", topic="Long ago")

    page = client.page("/schedule/past")

    assert [heading.get_text() for heading in page.select("#found h2")] == ["2026", "2021"]
    assert [row.get_text() for row in page.select("#found h3 a")] == ["Later", "Long ago"]
    assert DECEMBER not in str(page.find(id="found"))
    assert client.page("/schedule").select_one("main a[href='/schedule/past']")
    assert client.page("/embed/schedule").select_one("a[href='/schedule/past'][target=_blank]")
    assert "http://localhost/schedule/past" in client.get("/sitemap.xml").text


def test_a_search_finds_all_words_in_any_text_of_the_page_whatever_case_and_accents(client):
    past_meeting(
        "2026-11-02",
        topic="Who's counted?",
        guests="José Núñez",
        summary="Redlining in **Hartford**",
        reading_title="The Missing Map",
        prep_question="Whom does it leave out?",
        takeaways="Ask first.",
        published_at=NOW,
    )
    past_meeting("2026-11-03", topic="Registration counts", guests="Ada")

    for query in (
        "JOSE nunez",
        "José",
        "who’s",
        "hartford redlining",
        "missing",
        "leave",
        "first counted",
    ):
        assert found(client, query) == ["2026-11-02"], query
    assert found(client, "count") == ["2026-11-03", "2026-11-02"]
    assert found(client, "count ada") == ["2026-11-03"]
    for query in ("gis", "who missing ada", "?!", "%", "december"):
        assert found(client, query) == [], query


def test_a_search_finds_nothing_that_is_not_public(client):
    past_meeting("2026-11-02", takeaways="Draft", join_url="https://zoom.example/secret")
    update_meeting(DECEMBER, topic="Upcoming")

    for query in ("draft", "secret", "upcoming"):
        assert found(client, query) == [], query


def test_the_page_says_how_many_it_found_or_that_it_found_none(client):
    past_meeting("2026-11-02", topic="Maps")

    one = client.page("/schedule/past?q=map")
    none = client.page("/schedule/past", query_string={"q": "<b>no\0\n such"})

    assert one.title.get_text().startswith("1 past session mentions “map”")
    assert one.find(id="q")["value"] == "map"
    assert "No past session mentions “<b>no such”." in main_text(none)
    assert none.select_one("#found a[href='/schedule/past']")
    assert none.find("meta", attrs={"name": "robots"})["content"] == "noindex"
    assert client.page("/schedule/past?q=+").find("link", rel="canonical")["href"].endswith("/past")


def test_without_past_sessions_there_is_nothing_to_search(client):
    page = client.page("/schedule/past")

    assert "No session has taken place yet." in main_text(page)
    assert page.find("form") is None


def test_a_framed_search_stays_in_the_frame_and_keeps_its_theme(client):
    past_meeting("2026-11-02", topic="Maps")

    form = client.page("/embed/schedule/past?theme=dark").find("form", role="search")
    sent = {field["name"]: field["value"] for field in form.find_all("input")} | {"q": "maps"}
    page = parse(client.get(form["action"].partition("?")[0], query_string=sent))

    assert page.html["data-theme"] == "dark"
    assert page.select_one("#found li a")["href"] == "/embed/schedule/2026-11-02?theme=dark"


def test_a_search_is_never_cached_nor_answered_with_another_page(app, client):
    past_meeting("2026-11-02", topic="Maps")
    past_meeting("2026-11-03", topic="Names")
    client.get("/schedule/past")

    results = [found(client, query) for query in ("maps", "names", "maps")]
    answer = client.get("/schedule/past?q=maps", headers={"Accept-Encoding": "br"})

    assert results == [["2026-11-02"], ["2026-11-03"], ["2026-11-02"]]
    assert found(client, "") == ["2026-11-03", "2026-11-02"]
    assert (answer.cache_control.no_cache, answer.headers["Content-Encoding"]) == (True, "br")
    assert len(app.extensions["cop.page_cache"]) == 1
