"""Access control: without a sign-in, nothing of the console is shown or changed."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from cop.accounts import views_sign_in
from cop.db.engine import read_tx, write_tx
from cop.db.types import Base
from cop.models.audit import Viewing
from cop.models.coordinator import Coordinator, CoordinatorSession
from tests.builders import NOW, PASSWORD, a_meeting, a_registration
from tests.client import (
    ADA,
    DECEMBER,
    HTMX,
    PAST,
    SAME_ORIGIN,
    add_registrations,
    advance_clock,
    console_paths,
    error_summary,
    member_path,
    post,
    rows,
    sign_in,
    signed_in,
    update_meeting,
)
from tests.page import parse

SIGN_IN, SIGN_OUT, FRONT = "/coordinator/sign-in", "/coordinator/sign-out", "/coordinator/"
SESSION = f"/coordinator/sessions/{DECEMBER}"
ELSEWHERE = [
    *("", "/", "/register", "//evil.example", "/\\evil.example", "https://evil.example"),
    *("https:/coordinator/", "coordinator/", "//evil.example/coordinator/", "/coordinator/\\evil"),
    *("http://[", "//[", "javascript:alert(1)", "/coordinator/\n/x", "\t//evil.example"),
    *("/coordinatorx", "/coordinator/..//evil"),
]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
MARKS = (ADA, "adamark", "https://zoom.example.org/secret")
WRONG = "five purple otters sing"


@pytest.fixture
def people(app):
    """Ada at a session to come and at one that is over, and what nobody else may read of her."""
    update_meeting(DECEMBER, join_url=MARKS[2])
    with write_tx() as db_session:
        past = a_meeting(db_session, slug=PAST, starts_at=NOW - timedelta(days=5))
        a_registration(db_session, past, ADA, name="adamark name", attended=True)
    add_registrations(
        DECEMBER, ADA, name="adamark name", access_other="adamark access", access=["asl"]
    )


def stored():
    """Everything that is stored, apart from when a device was last seen."""
    with read_tx() as db_session:
        return {
            table.name: db_session.execute(select(table)).all()
            for table in Base.metadata.sorted_tables
            if table.name != "coordinator_session"
        }


def form_token(client, path):
    return client.page(path).find("input", attrs={"name": "csrf_token"})["value"]


def test_wrong_credentials_are_refused(app, corin):
    mallory = app.test_client()
    known = sign_in(mallory, password=WRONG)
    unknown = sign_in(mallory, "corim@example.org", WRONG)
    others = [
        *[("corin@example.org\x00", ""), ("", PASSWORD), ("not an address", PASSWORD)],
        *[("corin@example.org", PASSWORD + "\x00"), ("x" * 5000, "y" * 5000)],
    ]

    for email, password in others:
        response = sign_in(mallory, email, password)

        page = parse(response)
        assert response.status_code == 422
        assert error_summary(page)
        assert page.find(id="email")["value"] == email.replace("\0", "")
        assert "value" not in page.find(id="password").attrs
    assert known.status_code == unknown.status_code == 422
    assert error_summary(parse(known)) == error_summary(parse(unknown)) != []
    assert mallory.get(FRONT).status_code == 303


def test_after_five_failures_people_wait_in_their_network_alone(app, corin):
    mallory, elsewhere = app.test_client(), app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "192.0.2.9"

    failures = [sign_in(mallory, password="x").status_code for _ in range(5)]
    delayed = sign_in(mallory)
    seconds = int(delayed.headers["Retry-After"])
    advance_clock(app, timedelta(seconds=seconds))

    assert failures == [422] * 5
    assert delayed.status_code == 429
    assert 0 < seconds <= 60
    assert "Wait a minute" in error_summary(parse(delayed))[0]
    assert sign_in(elsewhere).status_code == 303
    assert sign_in(mallory).status_code == 303


def test_signing_in_redirects_to_paths_of_the_console_only(app):
    inside = [FRONT, SESSION, "/coordinator/export.csv?status=held"]

    for wanted in inside + ELSEWHERE:
        with app.test_request_context(query_string={"next": wanted}):
            expected = wanted if wanted in inside else FRONT
            assert views_sign_in.next_path() == expected, wanted


def test_the_next_path_survives_a_wrong_password(app, corin):
    client = app.test_client()
    wanted = client.get(SESSION).location

    refused = post(client, wanted, email="corin@example.org", password="x")
    action = parse(refused).select_one("main form")["action"]
    response = post(client, action, email="corin@example.org", password=PASSWORD)

    assert (response.status_code, response.location) == (303, SESSION)


def test_signing_out_ends_the_session_of_this_device_on_the_server_too(app, corin):
    other = signed_in(app.test_client())
    cookie = corin.get_cookie("cop").value

    left = post(corin, SIGN_OUT, form_at=FRONT)
    corin.set_cookie("cop", cookie)

    assert left.status_code == 303
    assert urlsplit(left.location).path == SIGN_IN
    assert [client.get(FRONT).status_code for client in (corin, other)] == [303, 200]
    assert len(rows(CoordinatorSession)) == 1


def test_signing_in_begins_a_new_session(app, corin):
    client = app.test_client()
    old_form = {"csrf_token": form_token(client, SIGN_IN)}
    before = client.get_cookie("cop").value
    sign_in(client)
    after = client.get_cookie("cop").value

    refused = client.post(SIGN_OUT, data=old_form, headers=SAME_ORIGIN)
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


def test_a_form_without_its_token_is_refused(app, corin):
    of_another = form_token(app.test_client(), SIGN_IN)

    for path in (SIGN_IN, SIGN_OUT, "/coordinator/set-up/x"):
        for data in ({}, {"csrf_token": "forged"}, {"csrf_token": of_another}):
            response = corin.post(path, data=data, headers=SAME_ORIGIN)
            assert response.status_code == 403, (path, data)
    assert corin.get(FRONT).status_code == 200


def test_only_sign_in_and_its_links_are_open_to_all(app):
    marked = {name for name, view in app.view_functions.items() if hasattr(view, "is_open_to_all")}

    names = ("ask_password", "choose_password", "invitation", "set_up", "sign_in", "sign_in_code")
    assert marked == {f"console.{name}" for name in names}


def test_every_address_of_the_console_requires_sign_in(app, client):
    add_registrations(DECEMBER, "ada@example.org")
    paths = list(console_paths(app))

    for path in paths:
        shown = client.get(f"{path}?a=b")
        posted = client.post(path, headers=SAME_ORIGIN | HTMX)
        assert shown.status_code == 303, path
        assert urlsplit(shown.location).path == SIGN_IN
        assert parse_qs(urlsplit(shown.location).query) == {"next": [f"{path}?a=b"]}
        assert posted.status_code == 204, path
        assert urlsplit(posted.headers["HX-Redirect"]).path == SIGN_IN
        assert b"ada@" not in shown.data + posted.data
    assert client.post(FRONT, headers=SAME_ORIGIN).status_code == 403
    assert client.head(FRONT).status_code == 303
    assert len(paths) > 60
    assert rows(Viewing) == []


def test_members_and_forged_cookies_are_not_signed_in(app, people):
    member, mallory = app.test_client(), app.test_client()
    assert member.get(member_path()).status_code == 200
    mallory.set_cookie("cop", "eyJjb29yZGluYXRvciI6IngifQ.aSRbXg.forgedforgedforgedforgedforge")

    answers = [client.get(SESSION) for client in (member, mallory)]

    assert [answer.status_code for answer in answers] == [303, 303]


@pytest.mark.slow
def test_without_a_sign_in_nothing_is_shown_or_changed(app, client, people):
    before = stored()
    paths = list(console_paths(app))

    shown, statuses = {}, set()
    for path in paths:
        for method in METHODS:
            for more in ({}, HTMX):
                answer = client.open(path, method=method, headers=SAME_ORIGIN | more)
                text = answer.get_data(as_text=True) + str(answer.headers)
                statuses.add((method in {"GET", "HEAD"}, bool(more), answer.status_code))
                if found := [mark for mark in MARKS if mark in text]:
                    shown[f"{method} {path}"] = found

    assert len(paths) > 60
    assert shown == {}
    assert statuses == {
        *[(True, False, 303), (False, False, 403), (True, True, 204), (False, True, 204)]
    }
    assert stored() == before


LISTS = [
    *("/coordinator/export.csv", f"/coordinator/export.csv?session={DECEMBER}"),
    *("/coordinator/list.csv", f"{SESSION}/emails?status=held", f"{SESSION}/rooms.csv"),
]


def test_without_the_export_right_there_is_no_list_and_no_link_to_it(corin, people):
    everybody = "/coordinator/people"
    pages = (FRONT, SESSION, everybody, "/coordinator/list", "/coordinator/settings/coordinators")
    allowed = [corin.get(path).status_code for path in LISTS]
    assert "export.csv" in str(corin.page(everybody).main)
    with write_tx() as db_session:
        db_session.execute(update(Coordinator).values(may_export=False))

    refused = [corin.get(path) for path in LISTS]
    shown = "".join(str(corin.page(path).main) for path in pages)

    assert allowed == [200] * len(LISTS)
    assert [answer.status_code for answer in refused] == [403] * len(LISTS)
    assert not any(ADA in answer.get_data(as_text=True) for answer in refused)
    assert not any(text in shown for text in (".csv", "/emails?", "Allow lists"))


# 405: only to be posted to; 404: of what this session is not, as the takeaways of one to come.
EXPECTED = {200, 303, 404, 405}


@pytest.mark.slow
def test_every_page_of_the_console_answers(app, corin, people):
    answers = {path: corin.get(path).status_code for path in console_paths(app)}

    faults = {path: status for path, status in answers.items() if status not in EXPECTED}
    assert faults == {}
    assert sum(status == 200 for status in answers.values()) > 30
