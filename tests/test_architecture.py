"""The shape of the code: who may know whom, and what the house style asks that no tool checks."""

import ast
import io
import re
import tokenize
from functools import cache
from pathlib import Path

import pytest

import cop
from cop.models.registration import Member, Registration
from cop.questions import registry
from tests.test_layers import is_web, module_name

PACKAGE = Path(cop.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
RULES = [path for path in MODULES if not is_web(module_name(path))]
BANNED = {"manager", "handler", "helper", "utils", "data", "process", "session", "kwargs"}
# Names that somebody else's interface, or an address that was decided, gives us.
GIVEN = {"your_data", "add_section", "handler", "JsonLineHandler"}
TECHNICAL = {Registration: {"id", "member_id", "meeting_id"}, Member: {"id"}}


def each(paths):
    return pytest.mark.parametrize(
        "path", paths, ids=[str(path.relative_to(PACKAGE)) for path in paths]
    )


def offenders(paths, faults_of):
    """The faults of each file that has some: a rule over all files is one test."""
    found = {str(path.relative_to(PACKAGE)): faults_of(path) for path in paths}
    return {path: faults for path, faults in found.items() if faults}


@cache
def tree(path):
    return ast.parse(path.read_text("utf-8"))


def functions(path):
    return [n for n in tree(path).body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def is_public(node):
    return not node.name.startswith("_")


def defined(path):
    """Every name that a module gives to something: its own, its functions', arguments', variables'."""
    yield path.stem
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def test_there_is_no_way_to_a_session_but_the_transactions():
    def uses_of_db_session(path):
        return [
            node.lineno
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "db.session"
        ]

    assert offenders(MODULES, uses_of_db_session) == {}


def test_names_are_nouns_of_the_glossary_and_not_those_that_say_nothing():
    def empty_names(path):
        words = {name: set(re.findall(r"[a-z]+", _snake(name))) for name in defined(path)}
        banned = {name for name, parts in words.items() if parts & BANNED} - GIVEN
        return {name for name in banned if name.lstrip("_") in BANNED or not _is_qualified(name)}

    assert offenders(MODULES, empty_names) == {}


def _snake(name):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _is_qualified(name):
    """`db_session` and `signed_session` say whose; `roster_helper` and `DataManager` say nothing."""
    return not _snake(name).endswith(("manager", "handler", "helper", "utils", "kwargs"))


def test_no_catch_all_hides_a_fault():
    def catch_alls(path):
        return [
            ast.unparse(node.type) if node.type else "bare"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.ExceptHandler)
            and (not node.type or getattr(node.type, "id", "") in {"Exception", "BaseException"})
        ]

    # Around one delivery: a broken email is put aside, and must not hold up the others.
    assert offenders(MODULES, catch_alls) == {"outbox/delivery.py": ["Exception"]}


def test_a_module_says_what_it_is_for():
    def is_silent(path):
        first_line = (ast.get_docstring(tree(path)) or "").partition("\n")[0]
        return not first_line.endswith((".", ":"))

    assert offenders(MODULES, is_silent) == {}


def test_a_public_rule_says_what_it_does():
    def undocumented(path):
        classes = [node for node in tree(path).body if isinstance(node, ast.ClassDef)]
        public = filter(is_public, [*functions(path), *classes])
        return [node.name for node in public if not ast.get_docstring(node)]

    assert offenders(RULES, undocumented) == {}


def test_no_module_is_longer_than_it_can_be_read():
    def lines_too_many(path):
        return max(0, len(path.read_text("utf-8").splitlines()) - 300)

    assert offenders(MODULES, lines_too_many) == {}


def lines_of_code(path):
    """How many lines there are without blank ones, comments and docstrings."""
    text = path.read_text("utf-8")
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    silent |= {tokenize.ENCODING, tokenize.ENDMARKER}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    lines = {
        line
        for token in tokens
        if token.type not in silent
        for line in range(token.start[0], token.end[0] + 1)
    }
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree(path)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            lines -= set(range(docstring.lineno, docstring.end_lineno + 1))
    return len(lines)


def test_the_whole_is_small():
    # 14,500 is the aim; what keeps the site up and its data safe went past it, and what the next
    # change of the structure saves has to bring it back.
    assert sum(map(lines_of_code, MODULES)) < 15_500


@pytest.mark.parametrize("model", [Registration, Member], ids=["Registration", "Member"])
def test_every_column_that_holds_something_about_a_person_is_in_the_registry(model):
    columns = {column.key for column in model.__table__.columns}

    known = {name for field in (*registry.QUESTIONS, *registry.RECORDED) for name in field.columns}

    assert columns - TECHNICAL[model] <= known


def test_the_registry_names_no_column_that_does_not_exist():
    exist = {column.key for model in TECHNICAL for column in model.__table__.columns}

    named = {name for field in (*registry.QUESTIONS, *registry.RECORDED) for name in field.columns}

    assert named <= exist
