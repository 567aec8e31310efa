"""The site as a WSGI application, for any server, as in `gunicorn cop.wsgi:app`."""

import logging
import os

from cop import create_app
from cop.config import Settings
from cop.db.engine import db
from cop.operations import status
from cop.operations.schema import require_current

settings = Settings.from_environment()
app = create_app(settings)
# `flask db revision` is for models that are ahead of the database.
if os.environ.get("FLASK_RUN_FROM_CLI") != "true":
    require_current(app)
if warning := status.proxy_warning(settings):
    logging.getLogger("cop").warning(warning)
with app.app_context():
    db.engine.dispose()  # a server that forks now must not share a connection
