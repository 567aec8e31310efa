"""Serve static files at fingerprinted URLs, cached forever; compression."""

import gzip
import hashlib
from functools import cache, lru_cache
from mimetypes import guess_type
from pathlib import Path

import brotli
from flask import Flask, Response, current_app, request, url_for
from werkzeug.http import parse_accept_header

STATIC = Path(__file__).parent.parent / "static"
NEGOTIATED = ("Accept-Encoding",)  # header that compressed responses vary by


def install(app: Flask) -> None:
    """Add the `asset` global, and serve static files with caching and compression."""
    app.jinja_env.globals["asset"] = asset
    app.view_functions["static"] = _send


@lru_cache(200)
def encoding(accept_encoding: str) -> str:
    """Return the best encoding that this `Accept-Encoding` allows, or ""."""
    header = parse_accept_header(accept_encoding)
    return next((each for each in ("br", "gzip") if header[each] > 0), "")


def compress(content: bytes, encoding: str, *, is_quick: bool = False) -> bytes:
    """Compress with `br` or `gzip`: as small as possible, or quickly."""
    if encoding == "br":
        return bytes(brotli.compress(content, quality=5 if is_quick else 11))
    return gzip.compress(content, compresslevel=6 if is_quick else 9, mtime=0)


def asset(name: str) -> str:
    """Return the fingerprinted URL of a static file."""
    return url_for("static", filename=name, v=_fingerprints()[name])


@cache
def _fingerprints() -> dict[str, str]:
    """Compute the first characters of the SHA-256 of each file, by name."""
    return {
        str(file.relative_to(STATIC)): hashlib.sha256(file.read_bytes()).hexdigest()[:16]
        for file in STATIC.rglob("*")
        if file.is_file()
    }


@cache
def _content(name: str, encoding: str) -> bytes:
    content = (STATIC / name).read_bytes()
    return compress(content, encoding) if encoding else content


def _send(filename: str) -> Response:
    """Send a file cached forever if its fingerprint matches, else as Flask does."""
    fingerprint = _fingerprints().get(filename)
    if fingerprint is None or request.args.get("v") != fingerprint:
        return current_app.send_static_file(filename)
    mimetype = guess_type(filename)[0] or "application/octet-stream"
    accepted = encoding(request.headers.get("Accept-Encoding", ""))
    wanted = accepted if mimetype.startswith("text/") else ""
    response = Response(_content(filename, wanted), mimetype=mimetype)
    if wanted:
        response.headers["Content-Encoding"] = wanted
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.vary.update(NEGOTIATED)
    response.set_etag(f"{fingerprint}-{wanted}" if wanted else fingerprint)
    response.make_conditional(request)
    return response
