"""A client that looks at every page it gets: whatever a test fetches must be a sound page."""

from itertools import pairwise
from urllib.parse import urlsplit

import html5lib
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

VERBS = ("get", "post", "put", "patch", "delete")
BANNED = ("hx-on", "hx-boost", "hx-push-url", "onclick", "onsubmit", "style")
# Where HTMX may put something that a fragment alone cannot show.
OUTSIDE = {"#registration", "#email-meant", "#problem"}


class CheckingClient(FlaskClient):
    """The test client, which parses and checks each page and fragment that it is given."""

    def open(self, *args, **kwargs):
        response = super().open(*args, **kwargs)
        if (
            response.mimetype == "text/html"
            and response.data
            and not 300 <= response.status_code < 400
            and "Content-Encoding" not in response.headers
        ):
            check(response.get_data(as_text=True), self.application)
        return response

    def page(self, path, status=200, **kwargs):
        """The parsed page at a path, which must answer with this status."""
        response = self.get(path, **kwargs)
        assert response.status_code == status, (path, response.status_code)
        return parse(response)


def parse(response):
    """The answer as something to look things up in."""
    return BeautifulSoup(response.get_data(as_text=True), "lxml")


def check(html, app):
    """Check a page, or a fragment, and what both must have."""
    is_page = html.lstrip().lower().startswith("<!doctype")
    _check_syntax(html, is_page=is_page)
    soup = BeautifulSoup(html, "lxml")
    for template in soup.find_all("template"):  # not on the page until it is copied there
        template.decompose()
    if is_page:
        _check_page(soup)
    else:
        roots = [tag for tag in soup.body.find_all(recursive=False) if not tag.get("hx-swap-oob")]
        assert len(roots) == 1, (
            f"a fragment has one root element, not {[tag.name for tag in roots]}"
        )
    _check_ids(soup)
    _check_labels(soup)
    _check_forms(soup, app)
    _check_htmx(soup, app, is_page=is_page)
    _check_nothing_foreign(soup)


def _check_syntax(html, *, is_page):
    parser = html5lib.HTMLParser(strict=False)
    parser.parse(html) if is_page else parser.parseFragment(html)
    errors = [(where, code) for where, code, _ in parser.errors]
    assert not errors, f"not well-formed: {errors[:3]}"


def _check_page(soup):
    assert soup.html.get("lang"), "the page says its language"
    assert len(soup.find_all("h1")) == 1, "one h1"
    assert soup.title, "a title"
    assert soup.title.get_text(strip=True)
    assert len(soup.find_all(attrs={"id": "status", "role": "status"})) == 1, "one status region"
    assert len(soup.find_all("main")) == 1, "one main"
    levels = [int(tag.name[1]) for tag in soup.find_all(["h1", "h2", "h3", "h4"])]
    jumps = [(a, b) for a, b in pairwise(levels) if b > a + 1]
    assert not jumps, f"headings skip no level: {levels}"


def _check_ids(soup):
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids)), (
        f"ids are unique: {sorted(i for i in ids if ids.count(i) > 1)}"
    )
    for tag in soup.find_all(attrs={"aria-describedby": True}):
        for target in tag["aria-describedby"].split():
            assert target in ids, f"{tag.name} is described by #{target}, which is not there"
    for tag in soup.find_all(attrs={"aria-labelledby": True}):
        assert set(tag["aria-labelledby"].split()) <= set(ids), tag["aria-labelledby"]
    for link in soup.select("a[href^='#']"):
        assert link["href"] == "#" or link["href"][1:] in ids, f"{link['href']} leads nowhere"


def _check_labels(soup):
    for control in soup.select("input:not([type=hidden], [hidden]), textarea, select"):
        labelled = control.find_parent("label") or (
            control.get("id") and soup.find("label", attrs={"for": control["id"]})
        )
        assert labelled, f"{control.get('name')} has a label"
        assert labelled.get_text(strip=True)
    for group in soup.find_all("fieldset"):
        assert group.find("legend", recursive=False).get_text(strip=True), "a group has a legend"
    for button in soup.select("button, a"):
        assert button.get_text(strip=True), f"{button} says what it does"
    for image in soup.find_all("img"):
        assert image.has_attr("alt")


def _check_forms(soup, app):
    for form in soup.find_all("form"):
        assert form.get("method") in {"get", "post"}, "a form has a method"
        assert form.get("action"), "a form has an action"
        _must_exist(form["action"], form["method"], app)
        if form.has_attr("hx-post"):
            assert form["hx-post"] == form["action"], "hx-post repeats the action"
            assert form["method"] == "post"
        assert form.find("button"), "a form has a button"


def _check_htmx(soup, app, *, is_page):
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            assert not name.startswith(BANNED), f"{name} on {tag.name}"
            assert "js:" not in str(value), f"js: in {name}"
        for verb in VERBS:
            if tag.has_attr(f"hx-{verb}"):
                _must_exist(tag[f"hx-{verb}"], verb, app)
        target = tag.get("hx-target")
        if target and target != "this" and not (not is_page and target in OUTSIDE):
            assert soup.select(target), f"hx-target {target} is on the page"


def _must_exist(address, method, app):
    parts = urlsplit(address)
    assert not parts.netloc, address
    adapter = app.url_map.bind("localhost")
    try:
        adapter.match(parts.path, method=method.upper())
    except RequestRedirect:
        pass
    except HTTPException as error:
        raise AssertionError(f"{method} {address} does not exist") from error


def _check_nothing_foreign(soup):
    assert not soup.find_all("style"), "no inline style"
    for script in soup.find_all("script"):
        assert script.get("src", "").startswith("/static/"), "scripts are files of ours"
        assert not script.get_text(strip=True), "no inline script"
    for tag in soup.select("link[rel=stylesheet], img, iframe"):
        address = tag.get("href") or tag.get("src")
        assert not urlsplit(address).netloc, f"{address} is somebody else's"
    for link in soup.select("a[href]"):
        if urlsplit(link["href"]).scheme in {"http", "https"} and "noopener" in link.get("rel", []):
            assert link.get("target") == "_blank"
