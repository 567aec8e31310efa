"""Access control: the console is closed to everybody who is not signed in."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from cop.models.audit import Viewing
from cop.models.coordinator import CoordinatorSession
from tests.builders import PASSWORD
from tests.client import (
    DECEMBER,
    HTMX,
    SAME_ORIGIN,
    add_registrations,
    advance_clock,
    console_paths,
    error_summary,
    post,
    rows,
    sign_in,
)
from tests.page import parse

SIGN_IN = "/coordinator/sign-in"
FRONT = "/coordinator/"
ELSEWHERE = [
    *("", "/", "/register", "//evil.example", "/\\evil.example", "https://evil.example"),
    *("https:/coordinator/", "coordinator/", "//evil.example/coordinator/", "/coordinator/\\evil"),
    *("http://[", "//[", "javascript:alert(1)", "/coordinator/\n/x", "\t//evil.example"),
    *("/coordinatorx", "/coordinator/..//evil"),
]
INSIDE = [FRONT, f"/coordinator/sessions/{DECEMBER}", "/coordinator/export.csv?status=held"]


def test_signing_in_shows_the_sessions_and_the_name(corin):
    page = corin.page(FRONT)

    assert "Sign out Corin" in page.find("nav").get_text()
    assert "Topic to be announced" in page.h1.get_text()


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("corin@example.org", "five purple otters sing"),
        ("mallory@example.org", PASSWORD),
        ("corin@example.org\x00", ""),
        ("", PASSWORD),
        ("not an address", PASSWORD),
        ("corin@example.org", PASSWORD + "\x00"),
        ("x" * 5000, "y" * 5000),
    ],
    ids=["wrong password", "unknown", "no password", "no address", "none", "NUL", "long"],
)
def test_wrong_credentials_are_refused(app, corin, email, password):
    mallory = app.test_client()

    response = sign_in(mallory, email, password)

    page = parse(response)
    assert response.status_code == 422
    assert error_summary(page)
    assert page.find(id="email")["value"] == email.replace("\0", "")
    assert "value" not in page.find(id="password").attrs
    assert mallory.get(FRONT).status_code == 303


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(app, corin):
    mallory = app.test_client()

    wrong = sign_in(mallory, "corin@example.org", "five purple otters sing")
    unknown = sign_in(mallory, "corim@example.org", "five purple otters sing")

    assert error_summary(parse(wrong)) == error_summary(parse(unknown))
    assert wrong.status_code == unknown.status_code


def test_after_several_failures_people_wait_and_are_never_locked_out(app, corin):
    mallory = app.test_client()
    waited = timedelta()
    longest = 0

    failures = [sign_in(mallory, password="x").status_code for _ in range(5)]
    for _ in range(9):
        delayed = sign_in(mallory)
        seconds = int(delayed.headers["Retry-After"])
        longest = max(longest, seconds)
        assert delayed.status_code == 429
        assert str(seconds) in error_summary(parse(delayed))[0]
        advance_clock(app, waited := waited + timedelta(seconds=seconds))
        assert sign_in(mallory, password="x").status_code == 422
    advance_clock(app, waited + timedelta(seconds=61))

    assert failures == [422] * 5
    assert longest <= 60
    assert sign_in(mallory).status_code == 303


def test_delays_are_for_one_account_and_the_network_they_come_from(app, corin):
    mallory, elsewhere = app.test_client(), app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "192.0.2.9"

    for _ in range(6):
        last = sign_in(mallory, password="x")

    assert last.status_code == 429
    assert sign_in(elsewhere).status_code == 303


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        *[(path, path) for path in INSIDE],
        *[(path, FRONT) for path in ELSEWHERE],
    ],
)
def test_signing_in_redirects_to_paths_of_the_console_only(app, corin, wanted, location):
    client = app.test_client()
    token = client.page(SIGN_IN).find("input", attrs={"name": "csrf_token"})["value"]
    answers = {"email": "corin@example.org", "password": PASSWORD, "csrf_token": token}

    response = client.post(
        SIGN_IN, query_string={"next": wanted}, data=answers, headers=SAME_ORIGIN
    )

    assert response.status_code == 303
    assert response.location == location


def test_the_next_path_survives_a_wrong_password(app, corin):
    client = app.test_client()
    wanted = client.get(INSIDE[1]).location

    form = parse(post(client, wanted, email="corin@example.org", password="x")).select_one(
        "main form"
    )
    response = post(client, form["action"], email="corin@example.org", password=PASSWORD)

    assert response.location == INSIDE[1]


def test_signing_out_ends_the_session_on_the_server_too(corin):
    kept = corin.get_cookie("cop").value

    left = post(corin, "/coordinator/sign-out", form_at=FRONT)
    corin.set_cookie("cop", kept)

    assert left.status_code == 303
    assert urlsplit(left.location).path == SIGN_IN
    assert corin.get(FRONT).status_code == 303
    assert rows(CoordinatorSession) == []


def test_signing_in_begins_a_new_session(app, corin):
    client = app.test_client()
    page = client.page(SIGN_IN)
    token = page.find("input", attrs={"name": "csrf_token"})["value"]
    before = client.get_cookie("cop").value
    sign_in(client)
    after = client.get_cookie("cop").value

    old_form = {"csrf_token": token}
    refused = client.post("/coordinator/sign-out", data=old_form, headers=SAME_ORIGIN)
    client.set_cookie("cop", before)

    assert before != after
    assert refused.status_code == 403
    assert client.get(FRONT).status_code == 303


def test_an_hour_without_use_signs_out_and_use_does_not(app, corin):
    advance_clock(app, timedelta(minutes=59))
    used = corin.get(FRONT).status_code
    advance_clock(app, timedelta(minutes=59 + 59))
    used_again = corin.get(FRONT).status_code
    advance_clock(app, timedelta(minutes=59 + 59 + 61))

    idle = corin.get(FRONT).status_code

    assert (used, used_again, idle) == (200, 200, 303)


@pytest.mark.parametrize("path", [SIGN_IN, "/coordinator/sign-out", "/coordinator/set-up/x"])
@pytest.mark.parametrize("token", [None, "", "forged"])
def test_a_form_without_its_token_is_refused(corin, path, token):
    corin.page(FRONT)

    response = corin.post(path, data={"csrf_token": token} if token else {}, headers=SAME_ORIGIN)

    assert response.status_code == 403
    assert corin.get(FRONT).status_code == 200


def test_a_token_of_somebody_else_s_session_is_refused(app, corin):
    stranger = app.test_client().page(SIGN_IN).find("input", attrs={"name": "csrf_token"})["value"]

    response = corin.post(
        "/coordinator/sign-out", data={"csrf_token": stranger}, headers=SAME_ORIGIN
    )

    assert response.status_code == 403


def test_only_sign_in_and_its_links_are_open_to_all(app):
    marked = {name for name, view in app.view_functions.items() if hasattr(view, "is_open_to_all")}

    assert {name.removeprefix("console.").removeprefix("send_") for name in marked} == {
        "ask_password",
        "choose_password",
        "invitation",
        "set_up",
        "sign_in",
        "sign_in_code",
    }


def test_every_address_of_the_console_requires_sign_in(app, client):
    add_registrations(DECEMBER, "ada@example.org")
    asked = list(console_paths(app))

    for path in asked:
        for method in ("GET", "HEAD", "POST"):
            plain = client.open(f"{path}?a=b", method=method, headers=SAME_ORIGIN)
            htmx = client.open(path, method=method, headers=SAME_ORIGIN | HTMX)
            if method == "POST":
                assert plain.status_code == 403
            else:
                assert plain.status_code == 303
                assert urlsplit(plain.location).path == SIGN_IN
                assert parse_qs(urlsplit(plain.location).query) == {"next": [f"{path}?a=b"]}
            assert htmx.status_code == 204
            assert urlsplit(htmx.headers["HX-Redirect"]).path == SIGN_IN
            assert b"ada@" not in plain.data + htmx.data
    assert len(asked) > 60
    assert rows(Viewing) == []
