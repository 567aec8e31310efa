"""Run the `cop` command in the tests, and look at the database that it leaves."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner

from cop.cli import cop
from cop.db.engine import sqlite_module
from tests.builders import PASSWORD
from tests.processes.server import COP

PROJECT = Path(__file__).parent.parent
GET_FRONT_PAGE = "import wsgi; print(wsgi.app.test_client().get('/').status_code)"


def run(*words, typed="", **environ):
    """Run `cop` with these words; what is typed comes by standard input."""
    return CliRunner().invoke(cop, words, input=typed, env=environ)


def run_process(*words, **environ):
    """Run `cop` in a process of its own, which takes its connections with it."""
    return subprocess.run(
        [*COP, *words],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def rows(instance, query):
    with closing(sqlite_module.connect(instance / "cop.sqlite3")) as connection:
        return connection.execute(query).fetchall()


def execute(instance, statement):
    with closing(sqlite_module.connect(instance / "cop.sqlite3")) as connection:
        connection.execute(statement)
        connection.commit()


def add_coordinator(email="corin@example.org", password=PASSWORD):
    return run(
        "coordinators", "add", email, "--name", "Corin", "--password-stdin", typed=f"{password}\n"
    )


def assert_refused(result, *, says):
    """Whether a command ended with 1 and a sentence, not with a traceback."""
    assert (result.exit_code, type(result.exception)) == (1, SystemExit), result.output
    assert result.output.startswith("Error: ")
    return says in result.output


def import_wsgi(folder, cwd=None):
    """Import `wsgi.py` of a folder in a process of its own, and fetch its front page."""
    command = [sys.executable, "-c", GET_FRONT_PAGE]
    environ = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(
        command, env=environ, cwd=cwd or folder, capture_output=True, text=True, check=False
    )
