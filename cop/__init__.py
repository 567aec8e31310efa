"""The registration site of a community of practice."""

from flask import Flask
from flask_migrate import Migrate

from cop import db
from cop.config import Settings
from cop.upgrade import migrations_folder
from cop.web import application


def create_app(settings: Settings | None = None) -> Flask:
    """Make the app, from the environment's settings where none are given.

    Raises:
        SettingsRefused: some settings in the environment cannot be used.
    """
    settings = settings or Settings.from_environment()
    app = application.create(settings)
    db.bind(app, settings)
    Migrate(app, db.db, directory=str(migrations_folder()))
    return app
