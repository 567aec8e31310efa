"""Without a sign-in, nothing of the console is shown: every address, every method."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete, select, update

from cop.db.engine import read_tx, write_tx
from cop.db.types import Base
from cop.models.coordinator import Coordinator, CoordinatorSession
from cop.models.meeting import Meeting
from tests.builders import NOW, a_meeting, a_registration
from tests.client import (
    ADA,
    DECEMBER,
    HTMX,
    PAST,
    SAME_ORIGIN,
    add_registrations,
    advance_clock,
    console_paths,
    member_path,
    post,
    update_meeting,
)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
MARKS = (ADA, "adamark", "https://zoom.example.org/secret")


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


def nobody(app, corin):
    return app.test_client()


def a_member(app, corin):
    member = app.test_client()
    assert member.get(member_path()).status_code == 200
    return member


def forged(app, corin):
    client = app.test_client()
    client.set_cookie("cop", "eyJjb29yZGluYXRvciI6IngifQ.aSRbXg.forgedforgedforgedforgedforge")
    return client


def signed_out(app, corin):
    cookie = corin.get_cookie("cop").value
    post(corin, "/coordinator/sign-out", form_at="/coordinator/")
    corin.set_cookie("cop", cookie)
    return corin


def idle(app, corin):
    advance_clock(app, timedelta(hours=1, seconds=1))
    return corin


def removed(app, corin):
    with write_tx() as db_session:
        db_session.execute(delete(CoordinatorSession))
        db_session.execute(delete(Coordinator))
    return corin


def without_the_code(app, corin):
    with write_tx() as db_session:
        db_session.execute(update(CoordinatorSession).values(awaits_code=True))
    return corin


@pytest.mark.parametrize(
    "who", [nobody, a_member, forged, signed_out, idle, removed, without_the_code]
)
@pytest.mark.slow
def test_without_a_sign_in_nothing_is_shown_or_changed(app, corin, people, who):
    client = who(app, corin)
    before = stored()
    asked = list(console_paths(app))

    shown, answered = {}, set()
    for path in asked:
        for method in METHODS:
            for more in ({}, HTMX):
                answer = client.open(path, method=method, headers=SAME_ORIGIN | more)
                text = answer.get_data(as_text=True) + str(answer.headers)
                answered.add((method in {"GET", "HEAD"}, bool(more), answer.status_code))
                if found := [mark for mark in MARKS if mark in text]:
                    shown[f"{method} {path}"] = found

    assert len(asked) > 60
    assert shown == {}
    assert answered == {
        (True, False, 303), (False, False, 403), (True, True, 204), (False, True, 204),
    }  # fmt: skip
    assert stored() == before


def test_every_address_redirects_to_the_sign_in(app, client, people):
    for path in console_paths(app):
        answer = client.get(path)

        assert urlsplit(answer.location).path == "/coordinator/sign-in", path


def test_a_coordinator_whose_code_is_missing_is_redirected_to_the_sign_in(app, corin, people):
    client = without_the_code(app, corin)

    assert "/coordinator/sign-in" in client.get("/coordinator/").location


LISTS = [
    *("/coordinator/export.csv", f"/coordinator/export.csv?session={DECEMBER}"),
    *("/coordinator/list.csv", f"/coordinator/sessions/{DECEMBER}/emails?status=held"),
    f"/coordinator/sessions/{DECEMBER}/rooms.csv",
]


@pytest.mark.parametrize("path", LISTS)
def test_without_the_export_right_there_is_no_list_and_no_link_to_it(app, corin, people, path):
    may = corin.get(path)
    with write_tx() as db_session:
        db_session.execute(update(Coordinator).values(may_export=False))

    may_not = corin.get(path)
    roster = corin.page(f"/coordinator/sessions/{DECEMBER}")

    assert may.status_code == 200
    assert may_not.status_code == 403
    assert ADA not in may_not.get_data(as_text=True)
    assert path not in {link.get("href") for link in roster.select("a[href]")}
    assert not roster.select("form[action$='export.csv']")


@pytest.mark.slow
def test_every_page_of_the_console_answers(app, corin, people):
    answers = {path: corin.get(path).status_code for path in console_paths(app)}

    faults = {path: status for path, status in answers.items() if status not in EXPECTED}
    assert faults == {}
    assert sum(status == 200 for status in answers.values()) > 30


# 405: only to be posted to; 404: of what this session is not, as the takeaways of one to come.
EXPECTED = {200, 303, 404, 405}


def test_items_of_another_session_are_not_found(app, corin, people):
    with read_tx() as db_session:
        december = db_session.scalar(select(Meeting.id).where(Meeting.slug == DECEMBER))
    there = [row for row in stored()["registration"] if row.meeting_id == december]

    answer = corin.get(f"/coordinator/sessions/{PAST}/people/{there[0].id}")

    assert answer.status_code == 404
