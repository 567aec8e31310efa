"""The console's Embed page: what to paste, which sites may show it, and whether a page will work."""

import pytest

from cop.models.community import Community
from tests.client import HTMX, SAME_ORIGIN, post, refusals, rows
from tests.page import parse

EMBED = "/coordinator/embed"
ADD, REMOVE, PRESETS = f"{EMBED}/hosts", f"{EMBED}/hosts/remove", f"{EMBED}/presets"
CHECK = f"{EMBED}/check"
WWW, BARE = "https://www.ctdata.org", "https://ctdata.org"
GOOGLE = ["https://sites.google.com", "https://*.googleusercontent.com"]


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
        "http://localhost/embed/schedule"
    )
    assert 'src="http://localhost/embed/schedule"' in snippets["snippet-a"]
    assert 'src="http://localhost/embed.js"' in snippets["snippet-a"]
    assert "<script" not in snippets["snippet-b"]
    assert "<iframe" in snippets["snippet-b"]
    assert "<iframe" not in snippets["snippet-c"]
    assert [b["data-copies"] for b in soup.select("button[data-copies][hidden]")] == list(snippets)


@pytest.mark.parametrize("builder", ["Squarespace", "WordPress", "Webflow", "Google Site"])
def test_the_page_says_which_snippet_is_for_which_site_builder(corin, builder):
    said = corin.page(EMBED).main.get_text()

    assert builder in said


def test_the_page_shows_what_visitors_see_in_a_frame(corin):
    answer = corin.get(EMBED)

    frame = parse(answer).select_one("iframe")
    assert corin.get(frame["src"]).status_code == 200
    assert frame["title"]
    assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "frame-src" not in corin.get("/coordinator/").headers["Content-Security-Policy"]


def test_the_console_leads_to_the_page(corin):
    link = corin.page("/coordinator/").select_one(f"nav a[href='{EMBED}']")

    assert link.get_text() == "Embed"


def test_a_site_that_is_added_is_listed_and_may_show_the_pages(corin):
    before = revision()

    answer = send(corin, ADD, host="https://Example.org/")

    soup = corin.page(answer.location)
    assert answer.status_code == 303
    assert listed() == [WWW, BARE, "https://example.org"]
    assert revision() == before + 1
    assert "https://example.org" in [li.span.get_text() for li in soup.select(".allowed li")]
    assert "https://example.org" in corin.get("/embed/schedule").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Write the address of a site"),
        ("http://example.org", "Only a site that begins with https://"),
        ("https://example.org/page", "write https://example.org."),
        ("https://*.example.org", "without a star"),
        ("https://sites.google.com/view/x", "allow Google Sites below instead."),
        ("https://exampleorg", "Look for a missing dot"),
        ("https://me@example.org", "Leave out what stands before the @"),
        ("https://192.0.2.1", "not its number"),
        ("www.ctdata.org", "is on the list already"),
        ("https://example.org:x", "Look for a missing dot"),
        ('"><script>alert(1)</script>', "Look for a missing dot"),
        ("x" * 20_000, "Look for a missing dot"),
    ],
    ids=[
        *(
            "nothing",
            "http",
            "path",
            "wildcard",
            "preset",
            "typo",
            "user",
            "number",
            "listed",
            "port",
        ),
        *("HTML", "long"),
    ],
)
def test_what_is_no_site_is_refused_with_a_sentence_and_kept(corin, typed, said):
    before = revision()

    answer = send(corin, ADD, host=typed)

    soup = parse(answer)
    assert answer.status_code == 422
    assert said in refusals(soup)[0]
    assert said in soup.find(id="host-refusal").get_text()
    assert soup.find(id="host")["value"] == typed
    assert soup.find(id="host")["aria-invalid"] == "true"
    assert (listed(), revision()) == ([WWW, BARE], before)


def test_a_site_that_is_removed_may_show_nothing_from_then_on(corin):
    before = revision()

    answer = send(corin, REMOVE, host=WWW)

    policy = corin.get("/embed/schedule").headers["Content-Security-Policy"]
    assert answer.status_code == 303
    assert (listed(), revision()) == ([BARE], before + 1)
    assert policy.endswith(f"frame-ancestors 'self' {BARE}")


def test_without_any_site_the_page_says_that_nobody_can_show_it(corin):
    for host in (WWW, BARE):
        send(corin, REMOVE, host=host)

    soup = corin.page(EMBED)

    assert listed() == []
    assert "No site is on the list" in soup.main.get_text()


def test_the_same_site_with_or_without_www_is_offered_until_it_is_there(corin):
    send(corin, REMOVE, host=WWW)
    offered = corin.page(EMBED).select_one(f".row input[value='{WWW}']")

    send(corin, ADD, host=WWW)

    assert offered
    assert listed() == [BARE, WWW]
    assert corin.page(EMBED).select(".row") == []


def test_a_preset_is_allowed_and_withdrawn_and_says_what_it_opens_up(corin):
    sentence = corin.page(EMBED).find(string=lambda text: "Anybody's Google Site" in text)

    allowed = send(corin, PRESETS, preset="google-sites", allowed="yes")
    with_it = (listed(), corin.page(EMBED).select_one(".preset .tag").get_text())
    withdrawn = send(corin, PRESETS, preset="google-sites")

    assert sentence
    assert (allowed.status_code, withdrawn.status_code) == (303, 303)
    assert with_it == ([WWW, BARE, *GOOGLE], "allowed")
    assert listed() == [WWW, BARE]


@pytest.mark.parametrize(
    ("path", "answers"),
    [
        (REMOVE, {"host": "https://example.org"}),
        (REMOVE, {"host": ""}),
        (REMOVE, {}),
        (PRESETS, {"preset": "everybody", "allowed": "yes"}),
        (PRESETS, {}),
    ],
)
def test_what_is_not_on_offer_is_not_found(corin, path, answers):
    before = revision()

    answer = send(corin, path, **answers)

    assert answer.status_code == 404
    assert (listed(), revision()) == ([WWW, BARE], before)


def test_what_has_been_done_is_said_once(corin):
    send(corin, ADD, host="https://example.org")

    first, second = corin.page(EMBED), corin.page(EMBED)

    assert "Pages of https://example.org can show" in first.main.get_text()
    assert "Pages of https://example.org can show" not in second.main.get_text()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"{WWW}/equity", f"Yes: pages of {WWW}"),
        ("http://www.ctdata.org", "Only a site that begins with https://"),
        ("https://example.org/x", "https://example.org is not on the list"),
        ("https://ctdata.squarespace.com", "Squarespace shows a site to who edits it"),
        ("https://sites.google.com/view/x", "Allow Google Sites above"),
        ("", "Write the address of a site"),
        ("ctdata", "Look for a missing dot"),
        ("https://[", "Look for a missing dot"),
        ("<script>", "Look for a missing dot"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_will_my_page_work_is_answered_in_words(corin, address, said, headers):
    answer = corin.get(CHECK, query_string={"address": address}, headers=headers)

    soup = parse(answer)
    assert answer.status_code == 200
    assert said in check_result(soup)
    assert bool(soup.select("#embed-check .is-off")) is not said.startswith("Yes")
    assert bool(soup.find(id="address")) is not bool(headers)


def test_a_page_without_www_is_told_about_the_one_with(corin):
    send(corin, REMOVE, host=BARE)

    soup = corin.page(CHECK, query_string={"address": f"{BARE}/equity"})

    assert f"{WWW} is on the list, and this page is at {BARE}" in check_result(soup)
    assert soup.find(id="address")["value"] == f"{BARE}/equity"


def test_before_anything_is_asked_there_is_no_check_result(corin):
    assert check_result(corin.page(EMBED)) == ""


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", EMBED), ("GET", CHECK), ("POST", ADD), ("POST", REMOVE), ("POST", PRESETS)],
)
def test_only_who_is_signed_in_gets_there(app, corin, method, path):
    answers = {"host": WWW, "preset": "google-sites", "allowed": "yes", "csrf_token": ""}
    kept = corin.get_cookie("cop").value
    nobody = app.test_client()
    post(corin, "/coordinator/sign-out", form_at=EMBED)
    corin.set_cookie("cop", kept)

    for client in (nobody, corin):
        answer = client.open(path, method=method, data=answers, headers=SAME_ORIGIN)
        assert answer.status_code == (303 if method == "GET" else 403)
        assert b"snippet" not in answer.data
    assert listed() == [WWW, BARE]


@pytest.mark.parametrize("path", [ADD, REMOVE, PRESETS])
@pytest.mark.parametrize(
    ("headers", "token"),
    [(SAME_ORIGIN, ""), ({"Sec-Fetch-Site": "cross-site"}, None), ({}, None)],
    ids=["no token", "from another site", "from nowhere"],
)
def test_a_change_comes_from_the_page_itself(corin, path, headers, token):
    form = corin.page(EMBED).find("input", attrs={"name": "csrf_token"})
    answers = {"host": WWW, "preset": "google-sites", "allowed": "yes"}

    answer = corin.post(
        path, data=answers | {"csrf_token": form["value"] if token is None else token},
        headers=headers,
    )  # fmt: skip

    assert answer.status_code == 403
    assert listed() == [WWW, BARE]
