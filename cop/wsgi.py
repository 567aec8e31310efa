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
# Under the `flask` command (also `flask run`) the schema is not checked: `flask db revision` has to
# run after a change of the models, when the database is behind.
if os.environ.get("FLASK_RUN_FROM_CLI") != "true":
    require_current(app)
if warning := status.proxy_warning(settings):
    logging.getLogger("cop").warning(warning)
with app.app_context():
    db.engine.dispose()  # close the pool: a server may fork now, and forks cannot share connections
