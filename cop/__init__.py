"""The registration site of a community of practice."""

from flask import Flask
from flask_migrate import Migrate

from cop import app as cop_app
from cop.config import Settings
from cop.db import engine
from cop.db.migrations import migrations_folder


def create_app(settings: Settings | None = None) -> Flask:
    """Make the app, from the environment's settings where none are given.

    Raises:
        InvalidSettings: some settings in the environment cannot be used.
    """
    settings = settings or Settings.from_environment()
    app = cop_app.create(settings)
    engine.bind(app, settings)
    Migrate(app, engine.db, directory=str(migrations_folder()))
    return app
