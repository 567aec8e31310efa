"""Layers: what may import what, which files import Flask, and which open transactions."""

import ast
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import cop

PACKAGE = Path(cop.__file__).parent
# Lowest first: a package imports only itself and packages named before it. "leaves" are the single
# files beside the packages; `app`, `server`, `wsgi` and the `cli` files are on top of all.
LAYERS = [
    *("leaves", "db", "models", "questions", "community", "mail", "web", "audit", "outbox"),
    *("meetings", "calendar", "accounts", "registration", "changes", "attendance", "statistics"),
    *("privacy", "members", "roster", "groups", "messages", "reminders", "embedding", "settings"),
    *("pages", "operations", "dashboard", "app", "server", "cli", "wsgi"),
]
ON_TOP = {"__init__": "app", "app": "app", "server": "server", "wsgi": "wsgi"}
WEB_LIBRARIES = {"flask", "flask_wtf", "werkzeug", "wtforms"}
WEB_FILES = ("views", "forms", "filters", "access_control")
# Layers that use the Flask app: besides pages, commands and processes.
WEB_LAYERS = {"web", "app", "server", "cli", "wsgi", "operations"}
TRANSACTIONS = {"read_tx", "write_tx", "erasing_tx", "snapshot_tx"}


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


FILES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def layer(module):
    """Return the layer of a module."""
    package = [*module.split("."), "__init__"][1]
    if package in ON_TOP:
        return ON_TOP[package]
    if package.startswith("cli"):
        return "cli"
    return package if (PACKAGE / package).is_dir() else "leaves"


@cache
def imports(module):
    """Return what a module imports, anywhere in it, as pairs of a module and a name in it."""
    found = []
    for node in ast.walk(ast.parse(FILES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.append((whole, "") if whole in FILES else (node.module, alias.name))
    return found


def is_web(module):
    return layer(module) in WEB_LAYERS or module.split(".")[-1].startswith(WEB_FILES)


def test_every_package_has_a_layer():
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}

    assert packages <= set(LAYERS)


def test_packages_import_only_lower_layers():
    upward = [
        f"{module} imports {imported}"
        for module in FILES
        for imported, _ in imports(module)
        if imported in FILES and LAYERS.index(layer(imported)) > LAYERS.index(layer(module))
    ]

    assert upward == []


def test_no_imports_are_circular():
    graph = defaultdict(set)
    for module in FILES:
        graph[module] |= {name for name, _ in imports(module) if name in FILES}
    for package in (name for name, path in FILES.items() if path.name == "__init__.py"):
        graph[package] -= {name for name in graph[package] if name.startswith(package + ".")}

    try:
        circle = TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1]

    assert circle is None


def test_a_package_does_not_import_its_own_modules():
    importing = [
        module
        for module, path in FILES.items()
        if path.name == "__init__.py" and path.parent != PACKAGE and imports(module)
    ]

    assert importing == []


def test_only_views_and_forms_import_flask():
    importing_flask = [
        f"{module} imports {imported}"
        for module in FILES
        if not is_web(module)
        for imported, _ in imports(module)
        if imported.split(".")[0] in WEB_LIBRARIES
    ]

    # Flask-SQLAlchemy is set up with the app.
    assert importing_flask == ["cop.db.engine imports flask"]


def test_only_views_and_processes_open_transactions():
    opening = [
        f"{module} imports {name}"
        for module in FILES
        if not is_web(module) and layer(module) != "db"
        for _, name in imports(module)
        if name in TRANSACTIONS
    ]

    assert opening == [f"cop.outbox.delivery imports {name}" for name in ("read_tx", "write_tx")]


def test_no_private_name_is_imported():
    private = [
        f"{module} imports {imported}.{name}"
        for module in FILES
        for imported, name in imports(module)
        if imported in FILES and name.startswith("_")
    ]

    assert private == []
