"""The registration site of a community of practice."""

import os

from flask import Flask

from cop import db
from cop.config import Settings
from cop.upgrade import migrations_folder
from cop.web import application


def create_app(settings: Settings) -> Flask:
    """Put the parts together."""
    app = application.create(settings)
    db.bind(app, settings)
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":  # who makes a migration: `flask db`
        from flask_migrate import Migrate  # noqa: PLC0415 - nobody else needs it

        Migrate(app, db.db, directory=str(migrations_folder()), render_as_batch=True)
    return app
