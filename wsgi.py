"""The site as a WSGI application, for any server, as in `gunicorn wsgi:app`."""

import os
from pathlib import Path

from cop import create_app
from cop.config import Settings
from cop.db import db
from cop.upgrade import require_current

os.environ.setdefault("COP_INSTANCE", str(Path(__file__).parent / "instance"))

app = create_app(Settings.from_environment())
require_current(app)
with app.app_context():
    db.engine.dispose()  # a server that forks now must not share a connection
