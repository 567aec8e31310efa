"""Static files with their fingerprint in the address, so that browsers may keep them for good."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, request, url_for

STATIC = Path(__file__).parent.parent / "static"


def install(app: Flask) -> None:
    """Let templates name a file, and browsers keep it."""
    app.jinja_env.globals["asset"] = asset
    app.after_request(_keep)


@cache
def fingerprint(name: str) -> str:
    """The first letters of a file's SHA-256."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:16]


def asset(name: str) -> str:
    """The address of a static file as it is in this release."""
    return url_for("static", filename=name, v=fingerprint(name))


def _keep(response: Response) -> Response:
    if request.endpoint == "static" and response.status_code == 200:
        name = (request.view_args or {}).get("filename", "")
        if request.args.get("v") == fingerprint(name):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
