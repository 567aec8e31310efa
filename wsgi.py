"""The site as a WSGI application, for any server, as in `gunicorn wsgi:app`."""

import logging

from cop import create_app, status
from cop.config import Settings
from cop.db import db
from cop.upgrade import require_current

settings = Settings.from_environment()
app = create_app(settings)
require_current(app)
if warning := status.proxy_warning(settings):
    logging.getLogger("cop").warning(warning)
with app.app_context():
    db.engine.dispose()  # a server that forks now must not share a connection
