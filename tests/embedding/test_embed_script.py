"""The scripts of frames: their headers, their size, and what they may use."""

import gzip
import re
from pathlib import Path

import pytest

import cop

STATIC = Path(cop.__file__).parent / "static"
KB = 1024


def compressed(*contents):
    return sum(len(gzip.compress(content, 9)) for content in contents)


def first_view(client, path):
    """Return the compressed size of all that a first visit loads."""
    page = client.get(path)
    files = client.page(path).select("link[rel=stylesheet], script")
    addresses = [file.get("href") or file["src"] for file in files]
    return compressed(page.data, *(client.get(a, buffered=True).data for a in addresses))


def test_other_sites_may_load_the_script_and_cache_it_for_five_minutes(client):
    answer = client.get("/embed.js", buffered=True)
    again = client.get("/embed.js", headers={"If-None-Match": answer.headers["ETag"]})

    assert answer.status_code == 200
    assert answer.mimetype == "text/javascript"
    assert answer.data == (STATIC / "embed.js").read_bytes()
    assert compressed(answer.data) <= 2 * KB
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    ("framed", "plain"), [("/embed/schedule", "/schedule"), ("/embed/register", "/register")]
)
def test_a_framed_page_adds_little_to_the_plain_one(client, framed, plain):
    added = first_view(client, framed) - first_view(client, plain)

    assert added <= 4 * KB


@pytest.mark.parametrize("name", ["embed.js", "frame.js"])
def test_the_scripts_store_and_load_nothing(name):
    script = (STATIC / name).read_text("utf-8")

    used = re.findall(
        r"localStorage|sessionStorage|indexedDB|cookie|innerHTML|eval|Function|fetch|https?:",
        script,
    )

    assert used == []


def test_each_color_has_its_dark_value_beside_it():
    css = (STATIC / "site.css").read_text("utf-8")

    assert "prefers-color-scheme" not in css
    assert ':root[data-theme="light"] { color-scheme: light; }' in css
    assert ':root[data-theme="dark"] { color-scheme: dark; }' in css
