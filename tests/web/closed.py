"""Examples of addresses: of any rule, and of all that only coordinators may use."""

from cop.web.console import OPEN_TO_ALL
from tests.web.reading import DECEMBER

OVER = "2026-11-17"  # a session that is over


def example(app, rule, *, slug=DECEMBER):
    """An address that a rule answers to."""
    values = {name: _value(rule, name, slug) for name in rule.arguments}
    return app.url_map.bind("localhost").build(rule.endpoint, values, method=min(rule.methods))


def addresses(app, *, method=None):
    """Every address of the console that is not for everybody, with values that exist."""
    for rule in app.url_map.iter_rules():
        if method and method not in rule.methods:
            continue
        if rule.rule.startswith("/coordinator") and rule.endpoint not in OPEN_TO_ALL:
            for slug in (DECEMBER, OVER) if "slug" in rule.arguments else (DECEMBER,):
                yield example(app, rule, slug=slug)


def _value(rule, name, slug):
    known = {"slug": slug, "filename": "site.css", "token": "unknown"}
    items = getattr(rule._converters[name], "items", None)
    return known.get(name) or (min(items) if items else 1)
