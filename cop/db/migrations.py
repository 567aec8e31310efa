"""Compare a database's schema with this release's migrations."""

from enum import Enum
from functools import cache
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine


class Schema(Enum):
    """How a database's schema compares to this release's."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


def migrations_folder() -> Path:
    """Return the migrations' folder, which a checkout has beside the package."""
    package = Path(__file__).parent.parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def schema_state(engine: Engine, folder: Path | None = None) -> Schema:
    """Compare a database's schema with the newest migration."""
    with engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        return Schema.EMPTY
    head, revisions = _revisions(folder or migrations_folder())
    if revision == head:
        return Schema.CURRENT
    return Schema.OLDER if revision in revisions else Schema.NEWER


@cache
def _revisions(folder: Path) -> tuple[str | None, frozenset[str]]:
    """Return the newest revision, and all revisions; cached for `/readyz`."""
    scripts = ScriptDirectory(str(folder))
    revisions = frozenset(script.revision for script in scripts.walk_revisions())
    return scripts.get_current_head(), revisions
