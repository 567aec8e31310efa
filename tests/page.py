"""Check that pages and fragments are well-formed, accessible and free of foreign code."""

from itertools import pairwise
from urllib.parse import urlsplit

import html5lib
from bs4 import BeautifulSoup
from lxml.html import HtmlElement, document_fromstring, tostring
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

VERBS = ("get", "post", "put", "patch", "delete")
BANNED = ("hx-on", "hx-boost", "hx-push-url", "onclick", "onsubmit", "style")
# Where HTMX may put something that a fragment alone cannot show.
OUTSIDE = {"#registration", "#email-suggestion", "#problem"}


def parse(response):
    """Parse the page of a response, without what is not on it until a script copies it there."""
    soup = BeautifulSoup(response.get_data(as_text=True), "lxml")
    for template in soup("template"):
        template.decompose()
    for line_break in soup("wbr"):  # within a word
        line_break.unwrap()
    soup.smooth()
    return soup


def check(html, app):
    """Check a page, or a fragment, and what both must have."""
    is_page = html.lstrip().lower().startswith("<!doctype")
    _check_syntax(html, is_page=is_page)
    root = document_fromstring(html)
    for template in root.findall(".//template"):  # not on the page until it is copied there
        template.drop_tree()
    if is_page:
        _check_page(root)
    else:
        roots = [tag for tag in _elements(root.body) if not tag.get("hx-swap-oob")]
        assert len(roots) == 1, f"a fragment has one root element, not {[tag.tag for tag in roots]}"
    ids = root.xpath("//@id")
    _check_ids(root, ids)
    _check_labels(root)
    _check_descriptions(root)
    _check_links(root)
    _check_forms(root, app)
    _check_htmx(root, ids, app, is_page=is_page)
    _check_nothing_foreign(root)


def _elements(tags):
    """Leave comments out."""
    return [tag for tag in tags if isinstance(tag, HtmlElement)]


def _text(tag):
    return tag.text_content().strip()


def _check_syntax(html, *, is_page):
    parser = html5lib.HTMLParser(strict=False)
    parser.parse(html) if is_page else parser.parseFragment(html)
    errors = [(where, code) for where, code, _ in parser.errors]
    assert not errors, f"not well-formed: {errors[:3]}"


def _check_page(root):
    assert root.get("lang"), "the page has a language"
    assert len(root.findall(".//h1")) == 1, "one h1"
    assert _text(root.find(".//title")), "a title"
    assert len(root.xpath("//*[@id='status'][@role='status']")) == 1, "one status region"
    assert len(root.findall(".//main")) == 1, "one main"
    levels = [int(tag.tag[1]) for tag in root.iter("h1", "h2", "h3", "h4")]
    jumps = [(a, b) for a, b in pairwise(levels) if b > a + 1]
    assert not jumps, f"headings skip no level: {levels}"


def _check_ids(root, ids):
    assert len(ids) == len(set(ids)), (
        f"ids are unique: {sorted(i for i in ids if ids.count(i) > 1)}"
    )
    for name in ("aria-describedby", "aria-labelledby"):
        for targets in root.xpath(f"//@{name}"):
            assert set(targets.split()) <= set(ids), f"{name} leads to #{targets}, not there"
    for address in root.xpath("//a/@href[starts-with(., '#')]"):
        assert address == "#" or address[1:] in ids, f"{address} leads nowhere"


def _check_labels(root):
    labels = {label.get("for"): label for label in reversed(root.findall(".//label"))}
    shown = "//input[not(@type='hidden') and not(@hidden)] | //textarea | //select"
    for control in root.xpath(shown):
        around = next(control.iterancestors("label"), None)
        labelled = labels.get(control.get("id", "")) if around is None else around
        assert labelled is not None, f"{control.get('name')} has a label"
        assert _text(labelled)
    for group in root.iter("fieldset"):
        assert _text(group.find("legend")), "a group has a legend"
    for button in root.iter("button", "a"):
        assert _text(button), f"{tostring(button)} has a text"
    for image in root.iter("img"):
        assert "alt" in image.attrib


def _check_descriptions(root):
    described = {one for ids in root.xpath("//@aria-describedby") for one in ids.split()}
    for text in root.xpath("//*[contains(@class, 'field')]//p[@class='hint' or @class='why']"):
        assert text.get("id") in described, f"what stands at a field describes it: {_text(text)}"


def _check_links(root):
    names = {}
    is_console = bool(root.xpath("//link[contains(@href, 'console.css')]"))
    for link in root.xpath("//a[@href][not(ancestor::*[contains(@class, 'summary')])]"):
        name, address = " ".join(link.text_content().split()), link.get("href")
        around = link.xpath("string(ancestor::*[self::li or self::tr][1])") if is_console else ""
        assert names.setdefault((name, around), address) == address, f"two links named {name!r}"
        is_page = urlsplit(address).scheme in {"", "http", "https"} and ".ics" not in address
        if is_page and link.get("target") == "_blank":
            assert "new tab" in name, f"{name!r} says that it opens a new tab"


def _check_forms(root, app):
    for form in root.iter("form"):
        assert form.get("method") in {"get", "post"}, "a form has a method"
        assert form.get("action"), "a form has an action"
        _must_exist(form.get("action"), form.get("method"), app)
        if "hx-post" in form.attrib:
            assert form.get("hx-post") == form.get("action"), "hx-post repeats the action"
            assert form.get("method") == "post"
        assert form.find(".//button") is not None, "a form has a button"


def _check_htmx(root, ids, app, *, is_page):
    for tag in _elements(root.iter()):
        for name, value in tag.items():
            assert not name.startswith(BANNED), f"{name} on {tag.tag}"
            assert "js:" not in value, f"js: in {name}"
        for verb in VERBS:
            if f"hx-{verb}" in tag.attrib:
                _must_exist(tag.get(f"hx-{verb}"), verb, app)
        target = tag.get("hx-target", "this")
        if target != "this" and (is_page or target not in OUTSIDE):
            assert target in {f"#{id_}" for id_ in ids}, f"hx-target {target} is on the page"


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


def _check_nothing_foreign(root):
    assert root.find(".//style") is None, "no inline style"
    for script in root.xpath("//script[not(@type='application/ld+json')]"):
        assert script.get("src", "").startswith("/static/"), "scripts are our own files"
        assert not _text(script), "no inline script"
    for tag in root.xpath("//link[@rel='stylesheet'] | //img | //iframe"):
        address = tag.get("href") or tag.get("src")
        assert not urlsplit(address).netloc, f"{address} is on another site"
    for link in root.xpath("//a[@href]"):
        is_web = urlsplit(link.get("href")).scheme in {"http", "https"}
        if is_web and "noopener" in link.get("rel", "").split():
            assert link.get("target") == "_blank"
