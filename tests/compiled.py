"""What each test's app would compile anew, compiled once: addresses here, templates in web/."""

from werkzeug.routing import Rule

_compile = Rule._compile_builder
_kept = {}


def _compile_once(rule, append_unknown=True):  # noqa: FBT002 - Werkzeug's own signature
    """The function that builds an address: the same for every rule of the same shape.

    Werkzeug compiles two for each of some two hundred rules, which was most of an app's start.
    """
    key = (tuple(rule._trace), repr(rule.defaults), append_unknown)
    if key not in _kept:
        _kept[key] = _compile(rule, append_unknown)
    return _kept[key]


Rule._compile_builder = _compile_once
