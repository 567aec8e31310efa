"""A member changes answers, cancels, and adds sessions."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from cop.db.engine import write_tx
from cop.models.email import OutboxEmail
from cop.models.registration import Member
from cop.outbox.outbox import EmailKind
from cop.questions import registry
from tests.builders import NOW, a_coordinator, an_email, registrations
from tests.client import (
    ADA,
    DECEMBER,
    GRACE,
    JANUARY,
    SAME_ORIGIN,
    add_registrations,
    advance_clock,
    error_summary,
    find_member,
    form_values,
    main_text,
    member_path,
    outbox_emails,
    press_button,
    registration_statuses,
    rows,
    text_of,
    update_community,
    update_meeting,
)
from tests.concurrency import at_once
from tests.page import parse

pytestmark = pytest.mark.both

FORM, CANCEL = f"/sessions/{DECEMBER}", f"/sessions/{DECEMBER}/cancel"
AFTER_DECEMBER = timedelta(days=24)
STORED = {
    "name": "Ada Example",
    "organization": "Harbor Lab",
    "pronouns": "she/her",
    "hats": ["analyst", "evaluator"],
    "hats_other": "cook",
    "access": ["interpretation"],
    "access_language": "Portuguese",
    "taking_part": ["listen"],
    "first_time": True,
    "prep_answer": "Those who left.",
    "prep_visibility": "named",
}
SENT = STORED | {"first_time": "yes"}


def delete(name):
    return f"{FORM}/delete/{name}"


@pytest.fixture
def ada(client):
    """Ada holds a place in December and has answered everything; Grace holds one, too."""
    update_meeting(DECEMBER, prep_question="Who is missing?")
    add_registrations(DECEMBER, ADA, **STORED)
    add_registrations(DECEMBER, GRACE, pronouns="they")
    return client


def grace():
    return next(row for row in rows() if row["name"] == "Grace")


def test_the_form_has_the_stored_answers_and_saving_them_changes_nothing(ada):
    before = rows()
    form = form_values(ada.page(member_path(FORM)))

    answer = press_button(ada, member_path(FORM), **form)

    assert form["hats"] == ["analyst", "evaluator"]
    assert form["prep_visibility"] == ["named"]
    assert not {"email", "sessions", "list_opt_in", "leave_blank"} & form.keys()
    assert answer.status_code == 303
    assert rows() == before
    assert "Saved." in main_text(ada.page(answer.location))


def test_changed_answers_are_stored_for_that_session_alone(ada):
    add_registrations(JANUARY, ADA, **STORED)
    _, *others = rows()

    press_button(ada, member_path(FORM), **(SENT | {"name": "Ada Lovelace", "hats": []}))

    assert (rows()[0]["name"], rows()[0]["hats"]) == ("Ada Lovelace", [])
    assert rows()[1:] == others


def test_refused_answers_stay_in_the_form_with_the_reason(ada):
    before = rows()

    answer = press_button(ada, member_path(FORM), **(SENT | {"name": "", "pronouns": "x" * 61}))

    page = parse(answer)
    assert answer.status_code == 422
    assert page.title.get_text().startswith("Error: ")
    assert error_summary(page) == [
        registry.NAME.missing,
        "Pronouns: Use at most 60 characters. You have 61.",
    ]
    assert form_values(page)["pronouns"] == ["x" * 61]
    assert form_values(page)["hats_other"] == ["cook"]
    assert rows() == before


def test_the_answer_to_a_disabled_question_can_still_be_deleted(ada):
    update_community(disabled_questions=["pronouns"])
    page = ada.page(member_path(FORM))

    press_button(ada, member_path(FORM), **form_values(page))

    assert "pronouns" not in form_values(page)
    assert page.select_one(f"a[href='{member_path(delete('pronouns'))}']")
    assert rows()[0]["pronouns"] == "she/her"


def test_after_the_session_its_question_is_not_asked_and_the_answer_is_kept(app, ada):
    advance_clock(app, AFTER_DECEMBER)

    press_button(ada, member_path(FORM), name="Ada Lovelace")

    assert (rows()[0]["name"], rows()[0]["prep_answer"]) == ("Ada Lovelace", "Those who left.")


def test_deleting_one_answer_asks_first(ada):
    expected, others = rows()[0], rows()[1:]

    for name, blanks in (
        ("pronouns", {"pronouns": ""}),
        ("hats", {"hats": [], "hats_other": ""}),
        ("access", {"access": [], "access_language": "", "access_other": ""}),
        ("first_time", {"first_time": False}),
        ("prep_answer", {"prep_answer": "", "prep_visibility": "hosts"}),
    ):
        question = ada.page(member_path(delete(name)))
        assert rows() == [expected, *others], name
        answer = press_button(ada, member_path(delete(name)))

        expected |= blanks
        assert question.main.form["action"] == member_path(delete(name))
        assert rows() == [expected, *others], name
        assert ada.get(member_path(delete(name))).status_code == 404
    assert "Your answer is deleted." in main_text(ada.page(answer.location))


def test_only_optional_answers_can_be_deleted_alone(ada):
    before = rows()

    for name in ("name", "email", "registered", "list_opt_in", "%00"):
        assert ada.get(member_path(delete(name))).status_code == 404, name
        assert press_button(ada, member_path(delete(name))).status_code == 404, name
    assert rows() == before


def test_coordinators_are_notified_once_of_new_access_needs(app, ada):
    with write_tx() as db_session:
        a_coordinator(db_session)

    changes = [
        ({}, 0),
        ({"access": ["interpretation", "asl"]}, 1),
        ({"access": ["interpretation", "asl"]}, 1),
        ({"access": ["asl"], "access_language": "Spanish"}, 2),
        ({"access": [], "access_language": ""}, 2),
    ]
    for minute, (changed, emails) in enumerate(changes):
        advance_clock(app, timedelta(minutes=minute))
        press_button(ada, member_path(FORM), **(SENT | changed))
        assert len(outbox_emails("coordinators")) == emails, changed


def test_canceling_asks_first_and_gives_the_place_to_the_next_in_line(ada):
    update_meeting(DECEMBER, capacity=2)
    add_registrations(DECEMBER, "katherine@example.org", status="waiting")
    with write_tx() as db_session:
        for row in registrations(db_session)[:2]:
            an_email(db_session, kind=EmailKind.REMINDER, registration_id=row.id)
    question = ada.page(member_path(CANCEL))
    too_early = ada.page(member_path(f"?done=canceled&session={DECEMBER}"))

    answer = press_button(ada, member_path(CANCEL))

    page = ada.page(answer.location)
    [form] = question.main.find_all("form")
    assert question.h1.get_text() == "Cancel your spot on December 15?"
    assert form.button.get_text() == "Cancel my spot"
    assert answer.status_code == 303
    assert "is canceled" not in main_text(too_early)
    assert "Your registration for December 15 is canceled." in main_text(page)
    assert registration_statuses() == [
        (ADA, DECEMBER, "cancelled"),
        (GRACE, DECEMBER, "held"),
        ("katherine@example.org", DECEMBER, "held"),
    ]
    emails = [(row["kind"], row["registration_id"]) for row in rows(OutboxEmail)]
    assert emails == [("reminder", rows()[1]["id"]), ("place", None), ("promoted", rows()[2]["id"])]


def test_of_concurrent_cancellations_the_place_goes_to_the_next_who_still_waits(app, ada):
    update_meeting(DECEMBER, capacity=2)
    mallory = "mallory@example.org"
    add_registrations(DECEMBER, mallory, "katherine@example.org", status="waiting")
    addresses = [member_path(CANCEL, email) for email in (ADA, GRACE, mallory)]
    clicks = [partial(press_button, app.test_client(), address) for address in addresses]

    answers = at_once(app, *clicks)

    assert [answer.status_code for answer in answers] == [303] * 3
    assert [status for *_, status in registration_statuses()] == ["cancelled"] * 3 + ["held"]


def test_a_spot_at_a_canceled_session_cannot_be_canceled(ada):
    update_meeting(DECEMBER, status="cancelled")

    links = {link["href"] for link in ada.page(member_path()).main.select("a")}
    page = ada.page(member_path(CANCEL))
    posted = press_button(ada, member_path(CANCEL))

    assert member_path(FORM) in links
    assert member_path(CANCEL) not in links
    assert "This session is canceled, so there's nothing to cancel." in main_text(page)
    assert not page.main.find("form")
    assert posted.status_code == 200
    assert registration_statuses()[0] == (ADA, DECEMBER, "held")


def test_a_canceled_or_past_registration_cannot_be_canceled(app, ada):
    press_button(ada, member_path(CANCEL))
    cancelled = ada.page(member_path(CANCEL))
    advance_clock(app, AFTER_DECEMBER)
    over = ada.page(member_path(CANCEL, GRACE))

    posted = press_button(ada, member_path(CANCEL, GRACE))

    assert "This registration is already canceled." in main_text(cancelled)
    assert "This session is over, so there's nothing to cancel." in main_text(over)
    assert not cancelled.main.find("form")
    assert not over.main.find("form")
    assert posted.status_code == 200
    assert registration_statuses()[1] == (GRACE, DECEMBER, "held")


def test_a_session_that_ends_while_a_spot_is_canceled_is_refused(app, ada):
    answers = []

    for calls in range(1, 9):  # of the clock, before the session ends
        moments = [NOW] * calls
        app.extensions["cop.clock"] = lambda left=moments: (
            left.pop() if left else NOW + AFTER_DECEMBER
        )
        answers.append(press_button(ada, member_path(CANCEL)))

    [refused, *_] = [answer for answer in answers if answer.status_code == 422]
    summary = text_of(parse(refused).select_one(".summary"))
    assert summary == "There is a problem This session is over, so there's nothing to cancel."
    assert {answer.status_code for answer in answers} <= {200, 303, 422}


def test_a_session_that_is_not_theirs_does_not_exist(ada):
    add_registrations(JANUARY, GRACE)

    for slug in (JANUARY, "1999-01-01"):
        for below in (f"/sessions/{slug}", f"/sessions/{slug}/cancel"):
            assert ada.get(member_path(below)).status_code == 404, below
            assert press_button(ada, member_path(below)).status_code == 404, below

    assert registration_statuses()[2] == (GRACE, JANUARY, "held")


def test_a_session_is_added_with_the_latest_answers(ada):
    answer = press_button(ada, member_path("/sessions"), sessions=[JANUARY])

    added = rows()[2]
    same = ("name", "organization", "pronouns", "hats", "hats_other", "access", "access_language")
    assert [added[name] for name in same] == [STORED[name] for name in same]
    assert (added["prep_answer"], added["prep_visibility"]) == ("", "hosts")
    assert outbox_emails("confirmation") == [(ADA, "You're registered for January 19")]
    assert "Sessions added." in main_text(ada.page(answer.location))


def test_deleted_and_disabled_answers_are_not_copied_to_added_sessions(ada):
    press_button(ada, member_path(delete("access")))
    update_community(disabled_questions=["pronouns"])

    press_button(ada, member_path("/sessions"), sessions=[JANUARY])

    added = rows()[2]
    assert (added["access"], added["access_language"], added["pronouns"]) == ([], "", "")


def test_two_clicks_add_a_session_once_and_send_one_email(app, ada):
    address = member_path("/sessions")
    clicks = [partial(press_button, app.test_client(), address, sessions=[JANUARY])] * 4

    answers = at_once(app, *clicks)

    assert [answer.status_code for answer in answers] == [303] * 4
    assert registration_statuses()[2:] == [(ADA, JANUARY, "held")]
    assert [to for to, _ in outbox_emails("confirmation", "link")] == [ADA]


def test_a_canceled_session_can_be_added_again(ada):
    add_registrations(JANUARY, ADA, status="cancelled")

    press_button(ada, member_path("/sessions"), sessions=[JANUARY])

    assert registration_statuses()[2:] == [(ADA, JANUARY, "cancelled"), (ADA, JANUARY, "held")]


def test_a_session_that_cannot_be_added_is_refused(ada):
    update_meeting(JANUARY, status="cancelled")

    for sessions, sentence in (
        ([], registry.SESSIONS.missing),
        (["1999-01-01"], "isn't on the schedule"),
        ([JANUARY], "The session on January 19 is canceled."),
    ):
        answer = press_button(ada, member_path("/sessions"), sessions=sessions)

        assert answer.status_code == 422
        assert sentence in parse(answer).select_one(".summary").get_text()
    assert len(registration_statuses()) == 2


def test_a_member_without_registrations_gets_a_link_to_the_form(client):
    with write_tx() as db_session:
        db_session.add(Member(email=ADA, email_key=ADA))

    answer = press_button(client, member_path("/sessions"), sessions=[JANUARY])

    assert answer.status_code == 422
    assert parse(answer).select_one("[aria-labelledby=add] a")["href"] == "/register"
    assert registration_statuses() == []


def test_acting_by_the_link_verifies_the_address(ada):
    for below, sent in (
        ("/sessions", {"sessions": JANUARY}),
        (CANCEL, {}),
        (FORM, SENT),
        (delete("hats"), {}),
        *((below, {}) for below in ("/mail", "/calendar", "/address", "/links")),
    ):
        with write_tx() as db_session:
            db_session.execute(update(Member).values(verified_at=None))

        press_button(ada, member_path(below), **sent)

        assert find_member().verified_at, (below, sent)
        assert find_member(GRACE).verified_at is None


def test_a_cross_site_post_changes_nothing(ada):
    before = rows(), rows(Member)

    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert ada.post(member_path(CANCEL), headers=headers).status_code == 403

    assert (rows(), rows(Member)) == before
    assert ada.post(member_path(CANCEL), headers=SAME_ORIGIN).status_code == 303
