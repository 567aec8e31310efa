"""Brotli, or gzip for who does not know it: made once for bytes that stay the same."""

import gzip
from functools import lru_cache

import brotli
from werkzeug.http import parse_accept_header

NEGOTIATED = ("Accept-Encoding",)  # what a cache must tell such answers apart by


@lru_cache(200)
def encoding(accepted: str) -> str:
    """How a browser that sends this `Accept-Encoding` takes things: `br`, `gzip`, or neither."""
    header = parse_accept_header(accepted)
    return next((each for each in ("br", "gzip") if header[each] > 0), "")


def compressed(content: bytes, wanted: str, *, is_quick: bool = False) -> bytes:
    """The content as `br` or `gzip`; as small as it gets, or quickly."""
    if wanted == "br":
        return bytes(brotli.compress(content, quality=5 if is_quick else 11))
    return gzip.compress(content, compresslevel=6 if is_quick else 9, mtime=0)
