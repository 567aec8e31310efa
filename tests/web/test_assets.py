"""Static files: which they are, how they are cached and compressed, and their size."""

import base64
import gzip
import hashlib
import re
import struct
from pathlib import Path

import brotli
import pytest

from cop.db.engine import write_tx
from cop.operations import seed
from tests.builders import NOW

STATIC = Path(__file__).parent.parent.parent / "cop" / "static"
VENDOR = STATIC / "vendor"
KB = 1024


@pytest.fixture
def assets(client):
    """Return the addresses of a page's files."""
    page = client.page("/schedule")
    return [tag.get("href") or tag["src"] for tag in page.select("link[rel=stylesheet], script")]


def test_htmx_is_the_file_that_was_reviewed():
    digest = base64.b64encode(hashlib.sha384((VENDOR / "htmx.min.js").read_bytes()).digest())

    row = next(r for r in (VENDOR / "README.md").read_text().splitlines() if "htmx.min.js" in r)

    assert digest.decode() in row
    assert re.search(r"\b4\.0\.1\b", row)
    assert b"4.0.1" in (VENDOR / "htmx.min.js").read_bytes()


def test_every_vendored_file_is_listed_with_its_licence():
    readme = (VENDOR / "README.md").read_text()

    others = {path.name for path in VENDOR.iterdir()} - {"README.md"}

    assert others == {name for name in others if f"`{name}`" in readme}


def test_the_favicon_is_a_real_icon(client):
    answer = client.get("/favicon.ico", buffered=True)

    reserved, kind, count = struct.unpack_from("<HHH", answer.data)
    assert answer.status_code == 200
    assert answer.mimetype in {"image/x-icon", "image/vnd.microsoft.icon"}
    assert (reserved, kind) == (0, 1)
    assert count >= 1
    for number in range(count):
        size, where = struct.unpack_from("<II", answer.data, 6 + 16 * number + 8)
        image = answer.data[where : where + size]
        assert len(image) == size
        assert image.startswith((b"\x89PNG", struct.pack("<I", 40)))


def test_a_file_with_another_fingerprint_is_not_cached_for_good(client):
    for version in ("", "?v=", "?v=0000000000000000"):
        answer = client.get(f"/static/site.css{version}", buffered=True)

        assert answer.status_code == 200
        assert "immutable" not in answer.headers.get("Cache-Control", ""), version


@pytest.mark.parametrize(
    ("accepted", "encoding", "read"),
    [
        ("gzip, deflate, br, zstd", "br", brotli.decompress),
        ("gzip", "gzip", gzip.decompress),
        ("br;q=0", None, bytes),
        ("", None, bytes),
    ],
)
def test_a_file_is_compressed_as_the_browser_accepts_and_cached_for_good(
    client, assets, accepted, encoding, read
):
    assert len(assets) == 3
    for address in assets:
        headers = {"Accept-Encoding": accepted}
        answer = client.get(address, headers=headers)
        again = client.get(address, headers=headers | {"If-None-Match": answer.headers["ETag"]})

        path, _, version = address.partition("?v=")
        content = (STATIC / path.removeprefix("/static/")).read_bytes()
        assert answer.status_code == 200
        assert answer.headers.get("Content-Encoding") == encoding
        assert read(answer.data) == content
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert hashlib.sha256(content).hexdigest().startswith(version)
        assert len(version) >= 8
        assert "Accept-Encoding" in answer.vary
        assert (again.status_code, again.data) == (304, b"")


def test_files_elsewhere_are_not_sent(client):
    for name in ("../config.py", "%2e%2e/config.py", "nothing"):
        assert client.get(f"/static/{name}?v=0000000000000000").status_code == 404


@pytest.mark.parametrize("demo", [False, True], ids=["new", "with many sessions"])
def test_the_schedule_is_light(client, assets, demo):
    if demo:
        with write_tx() as db_session:
            seed.add_demo(db_session, now=NOW)
    for accepted in ("br", "gzip"):
        page, *files = [
            len(client.get(address, headers={"Accept-Encoding": accepted}).data)
            for address in ("/schedule", *assets)
        ]

        assert page + files[0] < 10 * KB  # with its style sheet
        assert page + sum(files) < 26 * KB
