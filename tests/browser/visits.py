"""Visitors: what they do on a page, and what their browser must not have noticed."""

from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.builders import PASSWORD

PATIENCE = 10_000  # milliseconds
# Chromium says each refused or failed answer on the console; tests that want one say so.
FAILED_ANSWER = "Failed to load resource"
# Said by Chromium when something new has autofocus; htmx moves the focus there itself.
HARMLESS = "Autofocus processing was blocked"


class Visit:
    """One page of one new visitor, watched from its first request."""

    def __init__(self, browser, site, *, expecting=(), leads_to=(), **options):
        self.site = site
        self.expecting = (HARMLESS, *expecting)
        self.allowed = (f"{site.address}/", *leads_to)  # what it may request
        self.noticed = []
        self.requested = []
        self.context = browser.new_context(
            base_url=site.address, reduced_motion="reduce", **options
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", lambda message: self.noticed.append(message.text))
        self.page.on("pageerror", lambda error: self.noticed.append(str(error)))
        self.context.on("request", lambda request: self.requested.append(request.url))

    def end(self):
        """Check what the browser noticed, and close the page."""
        try:
            unexpected = [
                text for text in self.noticed if not any(words in text for words in self.expecting)
            ]
            assert not unexpected, f"the browser noticed {unexpected}"
            foreign = [url for url in self.requested if not url.startswith(self.allowed)]
            assert not foreign, f"requests to another host: {foreign}"
            self._check_storage()
        finally:
            self.context.close()

    def _check_storage(self):
        if not any(urlsplit(url).path.startswith("/coordinator") for url in self.requested):
            assert not self.context.cookies(), "public pages set no cookie"
        stored = self.page.evaluate("[localStorage.length, sessionStorage.length]")
        assert stored == [0, 0], f"nothing is stored in the browser: {stored}"


def fill_in(page, email, name="Ada Example"):
    """Answer the two questions that need an answer."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Email", exact=True).fill(email)


def send_button(page):
    """The button that sends the registration form, whatever it says at the moment."""
    return page.locator(".registration-form .send button")


def send(page):
    """Send the registration form."""
    send_button(page).click()


def is_confirmed(page):
    """Wait for the confirmation."""
    expect(page.get_by_role("heading", name="You're registered")).to_be_visible()


def sign_in(page):
    """Sign in as Corin, from the page that asks for it; return the page that follows."""
    page.get_by_label("Email").fill("corin@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("header .menu")).to_contain_text("Corin")
    return page


def has_focus(locator):
    """Wait until the focus is there, and can be seen to be there."""
    expect(locator).to_be_focused()
    expect(locator).to_be_in_viewport()
