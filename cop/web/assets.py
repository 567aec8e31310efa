"""Compression, and static files at fingerprinted URLs, cached for a year."""

import gzip
import hashlib
from functools import cache, lru_cache
from mimetypes import guess_type
from pathlib import Path

import brotli
from flask import Flask, Response, current_app, request, url_for
from werkzeug.http import parse_accept_header

STATIC = Path(__file__).parent.parent / "static"
VARY_BY_ENCODING = ("Accept-Encoding",)


def install(app: Flask) -> None:
    """Add the `asset` global, and serve static files with caching and compression."""
    app.jinja_env.globals["asset"] = asset
    app.view_functions["static"] = _send


@lru_cache(200)
def encoding(accept_encoding: str) -> str:
    """Return the best encoding that this `Accept-Encoding` allows, or ""."""
    qualities = parse_accept_header(accept_encoding)
    return next((name for name in ("br", "gzip") if qualities[name] > 0), "")


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
    """Compute the fingerprint of each file, a part of its SHA-256, by file name."""
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
    """Send a file, cached for a year if the URL has its fingerprint."""
    fingerprint = _fingerprints().get(filename)
    if fingerprint is None or request.args.get("v") != fingerprint:
        return current_app.send_static_file(filename)
    mimetype = guess_type(filename)[0] or "application/octet-stream"
    accepted = encoding(request.headers.get("Accept-Encoding", ""))
    content_encoding = accepted if mimetype.startswith("text/") else ""
    response = Response(_content(filename, content_encoding), mimetype=mimetype)
    if content_encoding:
        response.headers["Content-Encoding"] = content_encoding
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.vary.update(VARY_BY_ENCODING)
    response.set_etag(f"{fingerprint}-{content_encoding}" if content_encoding else fingerprint)
    response.make_conditional(request)
    return response
