"""The registration site of a community of practice."""

from flask import Flask
from flask_migrate import Migrate

from cop import db
from cop.config import Settings
from cop.upgrade import migrations_folder
from cop.web import application


def create_app(settings: Settings) -> Flask:
    """Put the parts together."""
    app = application.create(settings)
    db.bind(app, settings)
    Migrate(app, db.db, directory=str(migrations_folder()), render_as_batch=True)
    return app
