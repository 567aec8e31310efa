"""The site as a WSGI application, as in `gunicorn wsgi:app`."""

from cop.wsgi import app

__all__ = ["app"]
