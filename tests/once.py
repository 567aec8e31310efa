"""What each test would do anew, done once: compiling addresses and SQL; templates are in web/."""

import gc
from collections import defaultdict

from sqlalchemy.engine.default import DefaultDialect
from werkzeug.routing import Rule

_compile = Rule.compile
_rules = {}
_statements = defaultdict(dict)


def _compile_once(rule):
    """An address: the same for every rule of the same shape.

    Werkzeug reads each of some two hundred rules, and compiles functions that build it, which was
    most of an app's start.
    """
    shape = (rule.rule, rule.subdomain, repr(rule.defaults))
    if shape not in _rules:
        _compile(rule)
        _rules[shape] = rule
    alike = _rules[shape]
    rule._parts, rule._trace, rule._converters = alike._parts, alike._trace, alike._converters
    rule.arguments |= alike.arguments
    rule._build = alike._build.__func__.__get__(rule)
    rule._build_unknown = alike._build_unknown.__func__.__get__(rule)


class _Statements:
    """SQL as compiled for a dialect by whichever engine met the statement first.

    Each engine has a dialect of its own, which is part of the key that SQLAlchemy would keep it by;
    with the same server and the same driver they all say the same.
    """

    def __init__(self, dialect):
        self.kept = _statements[type(dialect), dialect.dbapi]

    def get(self, key):
        return self.kept.get(key[1:])

    def __setitem__(self, key, compiled):
        self.kept[key[1:]] = compiled


def _share_statements(_dialect_class, engine):
    engine._compiled_cache = _Statements(engine.dialect)


Rule.compile = _compile_once
DefaultDialect.engine_created = classmethod(_share_statements)


def pytest_collection_finish():
    # To look for garbage took an eighth of the time, most of it in what stays to the end anyway.
    gc.freeze()
    gc.set_threshold(5_000)
