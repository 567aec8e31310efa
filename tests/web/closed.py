"""Every address that only coordinators may use, with something at the end of it."""

from cop.web.console import OPEN_TO_ALL
from tests.web.reading import DECEMBER

OVER = "2026-11-17"  # a session that is over


def addresses(app):
    """Every address of the console that is not for everybody, with values that exist."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/coordinator") and rule.endpoint not in OPEN_TO_ALL:
            for slug in (DECEMBER, OVER) if "slug" in rule.arguments else (None,):
                values = {name: _value(rule, name, slug) for name in rule.arguments}
                yield adapter.build(rule.endpoint, values, method=min(rule.methods))


def _value(rule, name, slug):
    if name == "slug":
        return slug
    items = getattr(rule._converters[name], "items", None)
    return min(items) if items else 1 if name.endswith("_id") else "unknown"
