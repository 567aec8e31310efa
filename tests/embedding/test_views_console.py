"""The console's page about embedding: snippets, allowed sites, and the check of a page."""

import pytest

from cop.embedding import hosts
from cop.models.community import Community
from tests.client import HTMX, SAME_ORIGIN, error_summary, post, rows, text_of
from tests.page import parse

EMBED = "/coordinator/embed"
ADD, REMOVE, PRESETS = f"{EMBED}/hosts", f"{EMBED}/hosts/remove", f"{EMBED}/presets"
CHECK = f"{EMBED}/check"
WWW, BARE = "https://www.ctdata.org", "https://ctdata.org"
INVALID = {
    "http://example.org": "must start with https://",
    "https://example.org/page": "the start of the address: https://example.org.",
    "https://sites.google.com/view/x": "Use “Allow Google Sites” below instead.",
    "www.ctdata.org": "is already on the list",
    '"><script>alert(1)</script>': "Check for a missing dot",
    "x" * 20_000: "Check for a missing dot",
}
CHECKS = {
    f"{WWW}/equity": f"Yes: pages on {WWW}",
    "http://www.ctdata.org": "must start with https://",
    "https://example.org/x": "https://example.org is not on the list",
    "": "Enter the address of a site",
}


def listed():
    return rows(Community)[0]["embed_hosts"]


def revision():
    return rows(Community)[0]["revision"]


def send(client, path, **answers):
    return post(client, path, form_at=EMBED, **answers)


def check_result(soup):
    return soup.select_one("#embed-check").get_text(strip=True)


def test_the_page_gives_the_address_and_three_snippets_with_it(corin):
    soup = corin.page(EMBED)

    snippets = {area["id"]: area.get_text() for area in soup.select("textarea[readonly]")}
    assert soup.select_one("main a[href='/embed/schedule']").get_text() == (
        "http://localhost/embed/schedule (opens in a new tab)"
    )
    assert 'src="http://localhost/embed/schedule"' in snippets["snippet-a"]
    assert 'src="http://localhost/embed.js"' in snippets["snippet-a"]
    assert "<script" not in snippets["snippet-b"]
    assert "<iframe" in snippets["snippet-b"]
    assert "<iframe" not in snippets["snippet-c"]
    assert check_result(soup) == ""
    for builder in ("Squarespace", "WordPress", "Webflow", "Google Site"):
        assert builder in soup.main.get_text()
    assert [b["data-copies"] for b in soup.select("button[data-copies][hidden]")] == list(snippets)


def test_the_console_links_to_the_page_which_previews_the_frame(corin):
    link = corin.page("/coordinator/settings").select_one(f"main a[href='{EMBED}']")
    answer = corin.get(EMBED)

    frame = parse(answer).select_one("iframe")
    assert corin.get(frame["src"]).status_code == 200
    assert frame["title"]
    assert link.get_text() == "Embed"
    assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "frame-src" not in corin.get("/coordinator/").headers["Content-Security-Policy"]


def test_an_added_site_is_listed_and_may_frame_the_pages(corin):
    before = revision()

    answer = send(corin, ADD, host="https://Example.org/")

    soup = corin.page(answer.location)
    assert answer.status_code == 303
    assert "Pages on https://example.org can now show" in soup.main.get_text()
    assert listed() == [WWW, BARE, "https://example.org"]
    assert revision() == before + 1
    assert "https://example.org" in [li.span.get_text() for li in soup.select(".allowed li")]
    assert "https://example.org" in corin.get("/embed/schedule").headers["Content-Security-Policy"]


def test_an_invalid_site_is_refused_at_its_field_and_stays_as_typed(corin):
    before = revision()

    for typed, sentence in INVALID.items():
        answer = send(corin, ADD, host=typed)

        soup = parse(answer)
        assert answer.status_code == 422
        assert sentence in error_summary(soup)[0]
        assert sentence in soup.find(id="host-refusal").get_text()
        assert soup.find(id="host")["value"] == typed
        assert soup.find(id="host")["aria-invalid"] == "true"
    assert (listed(), revision()) == ([WWW, BARE], before)


def test_a_removed_site_may_frame_nothing_from_then_on_not_even_cached_pages(corin):
    before, cached = revision(), corin.get("/embed/schedule")

    answer = send(corin, REMOVE, removed=WWW)

    page = corin.get("/embed/schedule", headers={"If-None-Match": cached.headers["ETag"]})
    assert answer.status_code == 303
    assert (listed(), revision()) == ([BARE], before + 1)
    assert page.status_code == 200
    assert cached.headers["Content-Security-Policy"].endswith(f" 'self' {WWW} {BARE}")
    assert page.headers["Content-Security-Policy"].endswith(f"frame-ancestors 'self' {BARE}")


def test_without_any_site_the_page_says_so_and_a_variant_is_offered_until_it_is_listed(corin):
    send(corin, REMOVE, removed=WWW)
    offered = corin.page(EMBED).select_one(f".row input[value='{WWW}']")
    send(corin, REMOVE, removed=BARE)
    empty = (listed(), corin.page(EMBED).main.get_text())

    for host in (BARE, WWW):
        send(corin, ADD, host=host)

    assert offered
    assert empty[0] == []
    assert "No sites yet." in empty[1]
    assert listed() == [BARE, WWW]
    assert corin.page(EMBED).select(".row") == []


@pytest.mark.parametrize("preset", hosts.PRESETS, ids=lambda preset: preset.name)
def test_a_preset_is_allowed_and_removed_and_states_its_effect(corin, preset):
    before = revision()

    for _ in range(2):
        allowed = send(corin, PRESETS, preset=preset.name, allowed="yes")
    with_it, page = listed(), corin.page(EMBED)
    withdrawn = send(corin, PRESETS, preset=preset.name)

    assert preset.effect in text_of(page.main)
    assert [tag.get_text() for tag in page.select(".preset .tag")].count("allowed") == 1
    assert (allowed.status_code, withdrawn.status_code) == (303, 303)
    assert with_it == [WWW, BARE, *preset.hosts]
    assert listed() == [WWW, BARE]
    assert revision() == before + 3


def test_an_unknown_site_or_preset_is_not_found(corin):
    before = revision()

    answers = [
        send(corin, REMOVE, removed="https://example.org"),
        send(corin, REMOVE),
        send(corin, PRESETS, preset="everybody", allowed="yes"),
        send(corin, PRESETS),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert (listed(), revision()) == ([WWW, BARE], before)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_the_check_says_whether_a_page_works(corin, headers):
    for address, sentence in CHECKS.items():
        answer = corin.get(CHECK, query_string={"address": address}, headers=headers)

        soup = parse(answer)
        assert answer.status_code == 200
        assert sentence in check_result(soup)
        assert bool(soup.select("#embed-check .is-off")) is not sentence.startswith("Yes")
        assert bool(soup.find(id="address")) is not bool(headers)


def test_a_change_must_come_from_the_page_itself(corin):
    token = corin.page(EMBED).find("input", attrs={"name": "csrf_token"})["value"]
    answers = {"host": WWW, "preset": "google-sites", "allowed": "yes"}

    statuses = {
        corin.post(path, data=answers | {"csrf_token": sent}, headers=headers).status_code
        for path in (ADD, REMOVE, PRESETS)
        for headers, sent in (
            (SAME_ORIGIN, ""),
            ({"Sec-Fetch-Site": "cross-site"}, token),
            ({}, token),
        )
    }

    assert statuses == {403}
    assert listed() == [WWW, BARE]
