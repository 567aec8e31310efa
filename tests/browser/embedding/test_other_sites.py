"""What other sites can do with the pages: those on the list show them, and nobody can do more."""

import re
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

from tests.browser.embedding.front import BUILDER, COP, HOST, HOSTILE, LEAVING
from tests.browser.embedding.guests import click, framed, send
from tests.browser.visits import FAILED_ANSWER, Visit, fill_in, sign_in

REFUSED_FRAME = ("frame-ancestors", "X-Frame-Options", "Refused to", FAILED_ANSWER, "Framing")
BLOCKED = "net::ERR_BLOCKED_BY_RESPONSE"
FRIENDLY = "You can't send this form from here"


def harvested_token(site):
    """A token as any server can fetch it, from outside every browser."""
    request = Request(f"http://127.0.0.1:{site.port}/register")
    request.add_header("Host", COP.removeprefix("https://"))
    request.add_header("X-Forwarded-Proto", "https")
    with urlopen(request, timeout=10) as page:  # noqa: S310 - our own
        return re.search(r'name="token" value="([^"]+)"', page.read().decode())[1]


@pytest.fixture
def refused(guest):
    """Show addresses in frames of a site; return which of them the browser refuses."""

    def refused(host, *addresses):
        page = guest(f"{host}/frames-anything.html", expecting=REFUSED_FRAME)
        found = []
        for address in addresses:
            with page.expect_event("requestfailed") as failed:
                # A frame each: one that shows the last error yet may drop the next address.
                page.evaluate(
                    """(src) => document.body.append(Object.assign(
                         document.createElement("iframe"), {src}))""",
                    address,
                )
            found.append((failed.value.url, failed.value.failure))
        return found

    return refused


@pytest.mark.parametrize("target", ["_self", "_blank"])
def test_a_form_of_another_site_is_refused_with_any_token(guest, site, target):
    page = guest(f"{HOSTILE}/forgery.html", expecting=[FAILED_ANSWER])
    page.locator("input[name=token]").evaluate(
        "(input, token) => { input.value = token }", harvested_token(site)
    )
    page.locator("form").evaluate("(form, target) => { form.target = target }", target)

    with page.context.expect_event("response", lambda it: it.url == f"{COP}/register") as answer:
        page.get_by_role("button", name="Win").click()

    assert answer.value.status == 403
    assert site.registrations("harvested@mallory.example.org") == []


def test_a_script_of_another_site_cannot_send_or_read_the_form(guest, site):
    page = guest(f"{HOSTILE}/forgery.html", expecting=[FAILED_ANSWER, "CORS policy"])

    outcome = page.evaluate(
        """async ([address, token]) => {
             const body = new URLSearchParams({token, sessions: "all", name: "Mallory Nobody", email: "scripted@mallory.example.org"});
             const sent = await fetch(address, {method: "POST", mode: "no-cors", body}).catch(() => ({type: "failed"}));
             const read = await fetch(address).then(() => "read", () => "not read");
             return [sent.type, read];
           }""",
        [f"{COP}/embed/register", harvested_token(site)],
    )

    assert outcome[1] == "not read"
    assert site.registrations("scripted@mallory.example.org") == []


def test_in_a_sandbox_without_an_origin_the_way_out_is_shown_at_once(guest, site):
    page = guest(f"{HOST}/sandboxed.html")
    frame = framed(page)

    with page.context.expect_page() as opened:
        click(frame.locator("#problem a[target=_blank]"))

    expect(opened.value.locator(".registration-form")).to_be_visible()
    assert opened.value.url == f"{COP}/register"


def test_in_a_sandbox_without_forms_the_notice_is_shown_at_once(guest, site):
    frame = framed(guest(f"{HOST}/no-forms.html", expecting=["Blocked form submission"]))

    expect(frame.locator("#problem")).to_contain_text("from here")


def test_in_a_tab_of_a_sandbox_a_sent_form_is_answered_with_the_address_to_copy(guest, site):
    page = guest(f"{HOST}/sandboxed-tabs.html", expecting=[FAILED_ANSWER])
    notice = framed(page).locator("#problem")
    with page.context.expect_page() as opened:
        click(notice.locator("a[target=_blank]"))
    fill_in(opened.value, "tab-of-a-sandbox@ada.example.org")

    send(opened.value)

    main = opened.value.get_by_role("main")
    expect(main.get_by_role("heading", level=1)).to_have_text(FRIENDLY)
    for place in (notice, main):
        expect(place).to_contain_text(f"copy this address into a new tab: {COP}/register")
    assert site.registrations("tab-of-a-sandbox@ada.example.org") == []


def test_in_a_sandbox_without_an_origin_a_sent_form_is_answered_with_the_way_out(guest, site):
    page = guest(f"{HOST}/sandboxed.html", java_script_enabled=False, expecting=[FAILED_ANSWER])
    frame = framed(page)
    click(frame.locator(f"#act-{site.upcoming[0]} a"))
    frame.get_by_label("Name", exact=True).fill("Ada Example")
    frame.get_by_label("Email", exact=True).fill("sandboxed@ada.example.org")

    click(frame.locator(".registration-form .send button"))

    expect(frame.get_by_role("heading", name=FRIENDLY)).to_be_visible()
    assert site.registrations("sandboxed@ada.example.org") == []
    with page.context.expect_page() as opened:
        click(frame.locator("main a[target=_blank]").first)
    expect(opened.value.locator(".registration-form")).to_be_visible()
    assert opened.value.url.startswith(f"{COP}/register")


def test_a_site_that_is_not_on_the_list_cannot_frame_anything(refused):
    urls = [f"{COP}/embed/{path}" for path in ("schedule", "register", "next", "nothing-there")]

    assert refused(HOSTILE, *urls) == [(url, BLOCKED) for url in urls]


def test_a_listed_site_inside_one_that_is_not_on_the_list_cannot_frame_anything(refused):
    assert refused(HOSTILE, f"{HOST}/forged.html") == [(f"{COP}/embed/schedule", BLOCKED)]


def test_a_frame_of_a_builder_that_has_no_origin_is_on_no_list(refused):
    page = f"{BUILDER}/google-site-opaque.html"

    assert refused(BUILDER, page) == [(f"{COP}/embed/schedule", BLOCKED)]


def test_even_a_listed_site_can_frame_only_what_is_made_for_it(refused):
    paths = (
        *("/", "/schedule", "/register", "/your-data", "/nothing-there", "/coordinator/sign-in"),
        *("/coordinator/", "/coordinator/embed", "/healthz", "/r/nothing", "/join/nothing"),
    )
    urls = [COP + path for path in paths]

    assert refused(HOST, *urls) == [(url, BLOCKED) for url in urls]


def test_a_site_that_was_taken_off_the_list_is_out_at_once(guest, browser, site):
    page = guest(f"{LEAVING}/squarespace.html", expecting=REFUSED_FRAME)
    expect(framed(page).get_by_role("heading", level=1)).to_be_visible()
    console = Visit(browser, site)
    console.page.goto("/coordinator/sign-in")
    corin = sign_in(console.page)

    corin.goto("/coordinator/embed")
    corin.get_by_role("button", name=f"Remove {LEAVING}").click()
    expect(corin.get_by_role("button", name=f"Remove {LEAVING}")).to_have_count(0)

    with page.expect_event("requestfailed") as refused:
        page.reload()
    assert refused.value.url == f"{COP}/embed/schedule"
    assert refused.value.failure == BLOCKED
    console.end()
