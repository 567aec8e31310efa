"""Bodies that no form of ours sends: read as far as they are a form, and never a fault."""

import json

import pytest

from tests.client import DECEMBER, places, token_of


def good_form(client):
    ada = {"name": "Ada Example", "email": "ada@example.org", "sessions": DECEMBER}
    return ada | {"token": token_of(client)}


def test_json_is_read_as_an_empty_form(client):
    body = json.dumps(good_form(client))

    response = client.post("/register", data=body, content_type="application/json")

    assert response.status_code == 422
    assert places() == []


def test_a_multipart_form_is_as_good(client):
    pairs = good_form(client)

    response = client.post("/register", data=pairs, content_type="multipart/form-data")

    assert response.status_code == 303
    assert len(places()) == 1


NAMELESS = "Content-Disposition: form-data\r\n\r\nx"
FILE = 'Content-Disposition: form-data; name="name"; filename="a.txt"\r\n\r\nx'


@pytest.mark.parametrize(
    "part", [NAMELESS, FILE, "\r\n\r\nx", "\x00"], ids=["nameless", "file", "no header", "NUL"]
)
def test_a_strange_part_of_a_multipart_form_is_no_fault_of_ours(client, part):
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'
        for name, value in good_form(client).items()
    ]
    body = "".join(f"--line\r\n{each}\r\n" for each in [*parts, part]) + "--line--\r\n"

    response = client.post(
        "/register", data=body.encode(), content_type="multipart/form-data; boundary=line"
    )

    assert response.status_code in {303, 422}


@pytest.mark.parametrize("kind", ["", "multipart/form-data", "text/plain", "a/b;=;;"])
def test_a_body_that_is_no_form_is_an_empty_form(client, kind):
    response = client.post("/register", data=b"\x00\xff" * 500, content_type=kind)

    assert response.status_code == 422
    assert places() == []
