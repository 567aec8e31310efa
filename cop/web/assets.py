"""Static files with their fingerprint in the address, so that browsers may keep them for good."""

import gzip
import hashlib
from functools import cache, lru_cache
from mimetypes import guess_type
from pathlib import Path

import brotli
from flask import Flask, Response, current_app, request, url_for
from werkzeug.http import parse_accept_header

NEGOTIATED = ("Accept-Encoding",)  # what a cache must tell such answers apart by


@lru_cache(200)
def encoding(accepted: str) -> str:
    """How a browser that sends this `Accept-Encoding` takes things: `br`, `gzip`, or neither."""
    header = parse_accept_header(accepted)
    return next((each for each in ("br", "gzip") if header[each] > 0), "")


def compress(content: bytes, wanted: str, *, is_quick: bool = False) -> bytes:
    """The content as `br` or `gzip`; as small as it gets, or quickly."""
    if wanted == "br":
        return bytes(brotli.compress(content, quality=5 if is_quick else 11))
    return gzip.compress(content, compresslevel=6 if is_quick else 9, mtime=0)


STATIC = Path(__file__).parent.parent / "static"


def install(app: Flask) -> None:
    """Let templates name a file, and browsers keep it."""
    app.jinja_env.globals["asset"] = asset
    app.view_functions["static"] = _send


@cache
def fingerprint(name: str) -> str:
    """The first letters of a file's SHA-256."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:16]


def asset(name: str) -> str:
    """The address of a static file as it is in this release."""
    return url_for("static", filename=name, v=fingerprint(name))


@cache
def _names() -> frozenset[str]:
    return frozenset(str(file.relative_to(STATIC)) for file in STATIC.rglob("*") if file.is_file())


@cache
def _content(name: str, wanted: str) -> bytes:
    """A file as it is, or made smaller once in the life of a process."""
    content = (STATIC / name).read_bytes()
    return compress(content, wanted) if wanted else content


def _send(filename: str) -> Response:
    """A file of this release, to be kept for good; by any other address, as Flask sends files."""
    if filename not in _names() or request.args.get("v") != fingerprint(filename):
        return current_app.send_static_file(filename)
    kind = guess_type(filename)[0] or "application/octet-stream"
    wanted = (
        encoding(request.headers.get("Accept-Encoding", "")) if kind.startswith("text/") else ""
    )
    response = Response(_content(filename, wanted), mimetype=kind)
    if wanted:
        response.headers["Content-Encoding"] = wanted
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.vary.update(NEGOTIATED)
    response.set_etag(f"{fingerprint(filename)}-{wanted}" if wanted else fingerprint(filename))
    response.make_conditional(request)
    return response
