"""The registry of questions: another question is one entry, one column and one migration."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from cop.db.migrations import migrations_folder

PROJECT = Path(__file__).parents[2]
ENTRIES = """
GOALS = Field(
    "goals",
    N_("Your goals"),
    N_("So we can prepare."),
    SHORT_RETENTION,
    kind=Kind.LONG_TEXT,
    limit=20,
)
EXPERIENCE = Field(
    "experience",
    N_("Your experience"),
    N_("So we can mix the groups."),
    RETENTION,
    kind=Kind.ONE_OF,
    choices=(Choice("new", N_("New to it")), Choice("old", N_("An old hand"))),
)
QUESTIONS += (GOALS, EXPERIENCE)

RECORDED = (
"""
COLUMNS = """
    prep_visibility: Mapped[str] = mapped_column(String(10), default="hosts")
    goals: Mapped[str] = mapped_column(default="")
    experience: Mapped[str] = mapped_column(default="")
"""
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "next", "{head}"


def upgrade():
    for name in ("goals", "experience"):
        op.add_column(
            "registration", sa.Column(name, sa.Text(), nullable=False, server_default="")
        )
"""


@pytest.mark.processes
def test_another_question_is_one_entry_one_column_and_one_migration(tmp_path):
    for name in ("cop", "migrations", "tests"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    for name in ("pyproject.toml", "wsgi.py"):
        shutil.copy(PROJECT / name, tmp_path)
    _insert(tmp_path / "cop/questions/registry.py", "\nRECORDED = (\n", ENTRIES)
    column = '\n    prep_visibility: Mapped[str] = mapped_column(String(10), default="hosts")\n'
    _insert(tmp_path / "cop/models/registration.py", column, COLUMNS)
    head = ScriptDirectory(str(migrations_folder())).get_current_head()
    migration = tmp_path / "migrations/versions/next_two_questions.py"
    migration.write_text(MIGRATION.format(head=head))

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-q", "tests/questions/two_more_questions.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout


def _insert(file, old, new):
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")
