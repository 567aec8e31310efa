"""Unexpected input: each has an answer, and none is a server error."""

import json
from urllib.parse import urlencode

import pytest

from cop.models.registration import Member
from tests.client import (
    DECEMBER,
    HTMX,
    SAME_ORIGIN,
    error_summary,
    form_token,
    register,
    registration_statuses,
    rows,
    update_meeting,
)
from tests.page import parse

TOO_MUCH = "Your text is too long"
NAMES = [
    *(
        "محمد بن سلمان",
        "שלום Ada",
        "李小龍",
        "Zoë 🦦👩🏽‍💻",
        "O'Brien-Ñuñez, Jr. (she/her)",
    ),
    *("é" * 200, "=1+1", "<script>alert(1)</script>", "%s %(name)s {name}"),
    "Robert'); DROP TABLE member;--",
]
ADDRESSES = [
    *("ada.lovelace+cop@example.org", "a.d.a@Example.ORG", "ada@bücher.example"),
    *("ada@例え.example", "jörg@example.org", "o'brien@example.org"),
]
NO_SESSIONS = ["é", "' OR 1=1", "2026-12-15 ", "x" * 5000, "ALL", "\0", "2026-12-15\0", "all\0"]
READ_QUERIES = ["/schedule", "/register", "/registered"]
OTHERS = [
    *("/", "/your-data", "/schedule/2026-12-15", "/robots.txt", "/sitemap.xml"),
    *("/favicon.ico", "/healthz", "/readyz", "/static/site.css"),
]
QUERIES = [
    *("%00", "%ff%fe", "%", "%zz%1", "session=%00", "session=%ff", "sessions=%00,%ff%"),
    *("waiting=%00&sessions=2026-12-15", "lang=%00", "lang=%ff", "v=%00", "a" * 4000, "&&==&%3d"),
]
BROKEN_PATHS = ["%00", "%ff", "%zz", "%", "..%2f..%2fetc%2fpasswd", "\u202e", "%0d%0aSet-Cookie:a"]


def answers_for(client, **answers):
    """A valid form, as pairs."""
    valid = {"token": form_token(client), "sessions": DECEMBER, "name": "Ada Example"}
    return list((valid | {"email": "ada@example.org"} | answers).items())


def send(client, pairs, headers=None):
    form = "application/x-www-form-urlencoded"
    headers = SAME_ORIGIN | (headers or {})
    return client.post("/register", data=urlencode(pairs), headers=headers, content_type=form)


def test_any_name_is_stored_as_typed(client):
    token = form_token(client)

    for number, name in enumerate(NAMES):
        register(client, DECEMBER, token=token, name=name, email=f"ada{number}@example.org")

    assert [row["name"] for row in rows()] == NAMES


def test_control_characters_and_line_ends_are_removed(client):
    typed = " \t A\x00d\x07a\x1b[31m\x7f\x9f\r\nBcc:  x@y.z "

    response = register(client, DECEMBER, name=typed, organization=typed, hats_other=typed)

    (stored,) = rows()
    names = {stored["name"], stored["organization"], stored["hats_other"]}
    assert response.status_code == 303
    assert names == {"Ada[31m Bcc: x@y.z"}


def test_a_long_answer_keeps_its_lines_without_control_characters(client):
    update_meeting(DECEMBER, prep_question="What is missing?")

    register(client, DECEMBER, prep_answer="One\x00\r\n\r\ntwo\rthree\x1f")

    (stored,) = rows()
    assert stored["prep_answer"] == "One\n\ntwo\nthree"


def test_a_name_of_control_characters_is_empty(client):
    response = register(client, DECEMBER, name="\x00\x01\x02")

    assert response.status_code == 422
    assert error_summary(parse(response)) == ["Enter your name."]


def test_an_address_is_stored_as_typed(client):
    token = form_token(client)

    for email in ADDRESSES:
        register(client, DECEMBER, token=token, email=f" {email} ")

    assert [member["email"] for member in rows(Member)] == ADDRESSES


def test_two_spellings_of_one_address_are_one_person(client):
    for email in ("ada@bücher.example", "ADA@xn--bcher-kva.example"):
        register(client, DECEMBER, email=email)

    assert len(rows(Member)) == len(rows()) == 1


def test_texts_that_are_too_long_are_refused_and_shown_again(client):
    names = ["name", "email"]

    response = register(client, DECEMBER, **dict.fromkeys(names, "x" * 10_000))

    soup = parse(response)
    assert response.status_code == 422
    assert " ".join(error_summary(soup)).count("You have 10000") == len(names)
    assert all(soup.find(id=name)["value"] == "x" * 10_000 for name in names)
    assert registration_statuses() == []


@pytest.mark.parametrize(
    "extra",
    [[(f"more{i}", "x") for i in range(60)], [("hats", "analyst")] * 200, [("name", "x" * 65_536)]],
    ids=["61 names and more", "201 pairs and more", "over 64 KiB"],
)
def test_a_form_with_too_many_fields_or_bytes_is_refused(client, extra):
    pairs = [*answers_for(client), *extra]

    page, fragment = send(client, pairs), send(client, pairs, HTMX)

    assert (page.status_code, fragment.status_code) == (413, 413)
    assert TOO_MUCH in parse(page).h1.get_text()
    assert TOO_MUCH in parse(fragment).select_one(".summary[autofocus]").get_text()
    assert "HX-Retarget" not in page.headers
    assert fragment.headers["HX-Retarget"] == "#problem"
    assert registration_statuses() == []


def test_unknown_fields_are_ignored(client):
    response = register(client, DECEMBER, status="held", attended="yes", id="7", capacity="1")

    (stored,) = rows()
    assert response.status_code == 303
    assert stored["attended"] is None


def test_of_a_repeated_field_the_first_counts_and_a_session_counts_once(client):
    more = [("sessions", DECEMBER), ("name", "Grace"), ("email", "grace@example.org")]
    good = answers_for(client)

    response = send(client, [*good, *more, ("hats", "analyst"), ("hats", "analyst")])

    assert response.status_code == 303
    assert registration_statuses() == [("ada@example.org", DECEMBER, "held")]


def test_an_unknown_session_is_refused_with_a_sentence(client):
    token = form_token(client)

    answers = {s: register(client, [DECEMBER, s], token=token, headers=HTMX) for s in NO_SESSIONS}

    assert dict.fromkeys(NO_SESSIONS, 422) == {s: a.status_code for s, a in answers.items()}
    assert all("isn't on the schedule" in error_summary(parse(a))[0] for a in answers.values())
    assert registration_statuses() == []


def test_invalid_paths_and_queries_are_answered(client):
    paths = [f"{path}?{query}" for path in READ_QUERIES for query in QUERIES]
    paths += [f"{path}?%00&lang=%ff&session=%zz&v=%" for path in OTHERS]
    parents = ["", "/schedule", "/register", "/static", "/embed"]
    paths += [f"{parent}/{broken}" for parent in parents for broken in BROKEN_PATHS]

    statuses = {path: client.get(path).status_code for path in paths}

    assert {path for path, status in statuses.items() if status not in {200, 404}} == set()


def test_a_multipart_form_is_accepted(client):
    pairs = dict(answers_for(client))

    response = client.post("/register", data=pairs, content_type="multipart/form-data")

    assert response.status_code == 303
    assert len(registration_statuses()) == 1


NOISE = b"\x00\xff" * 500
NAMELESS = "Content-Disposition: form-data\r\n\r\nx"
FILE = 'Content-Disposition: form-data; name="name"; filename="a.txt"\r\n\r\nx'


def test_an_invalid_part_of_a_multipart_form_is_no_error(client):
    answers = answers_for(client)
    valid = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in answers
    ]

    for part in (NAMELESS, FILE, "\r\n\r\nx", "\x00"):
        body = "".join(f"--line\r\n{each}\r\n" for each in [*valid, part]) + "--line--\r\n"
        kind = "multipart/form-data; boundary=line"
        response = client.post("/register", data=body.encode(), content_type=kind)

        assert response.status_code in {303, 422}, part


def test_a_body_that_is_no_form_is_an_empty_form(client):
    as_json = json.dumps(dict(answers_for(client)))
    bodies = {"application/json": as_json, "multipart/form-data": NOISE, "text/plain": NOISE}

    for kind, body in (bodies | {"": NOISE, "a/b;=;;": NOISE}).items():
        response = client.post("/register", data=body, content_type=kind)

        assert response.status_code == 422, kind
    assert registration_statuses() == []
