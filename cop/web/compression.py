"""Brotli, or gzip for who does not know it: made once for bytes that stay the same."""

import gzip

import brotli
from flask import request

NEGOTIATED = ("Accept-Encoding",)  # what a cache must tell such answers apart by


def encoding() -> str:
    """How this browser may be sent something: `br`, `gzip`, or as it is."""
    accepted = request.accept_encodings
    return next((each for each in ("br", "gzip") if accepted[each] > 0), "")


def compressed(content: bytes, wanted: str, *, is_quick: bool = False) -> bytes:
    """The content as `br` or `gzip`; as small as it gets, or quickly."""
    if wanted == "br":
        return bytes(brotli.compress(content, quality=5 if is_quick else 11))
    return gzip.compress(content, compresslevel=6 if is_quick else 9, mtime=0)
