"""What is emailed when somebody registers: one email whatever they had before, and access needs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cop.outbox.outbox import EmailKind
from tests.builders import (
    ADA,
    GRACE,
    NOW,
    a_coordinator,
    a_meeting,
    outbox_emails,
    recipients_and_subjects,
    register,
    registrations,
)
from tests.client import ALL_SIX, DECEMBER, JANUARY

pytestmark = pytest.mark.both


def test_one_confirmation_for_everything_that_was_chosen(db_session):
    a_meeting(db_session, slug="full", starts_at=NOW + timedelta(days=2), capacity=1)
    register(db_session, "full", GRACE)

    register(db_session, ["full", DECEMBER, JANUARY], ADA)

    [email] = [email for email in outbox_emails(db_session) if email.to_address == ADA.email]
    assert (email.kind, email.subject) == (
        EmailKind.CONFIRMATION,
        "You're registered for 2 sessions",
    )
    assert email.text.index("December 15") < email.text.index("on the waiting list")
    assert "You're number 1 on the waiting list." in email.text
    assert email.calendar.count("BEGIN:VEVENT") == 2


def test_who_was_registered_already_gets_their_link_and_nothing_that_was_typed(db_session):
    register(db_session, DECEMBER, ADA)
    stranger = replace(ADA, name="Somebody Else", values={"prep_answer": "Gotcha"})

    register(db_session, DECEMBER, stranger)

    first, second = outbox_emails(db_session)
    assert first.kind == EmailKind.CONFIRMATION
    assert (second.kind, second.subject) == (EmailKind.LINK, "Your link for Equity in Data")
    assert "so nothing changed" in second.text
    assert "Somebody Else" not in second.text + second.html
    assert "Gotcha" not in second.text + second.html
    assert registrations(db_session)[0].name == "Ada Example"


def test_sessions_not_yet_held_are_added_and_only_they_are_confirmed(db_session):
    register(db_session, DECEMBER, ADA)

    register(db_session, [DECEMBER, JANUARY], ADA)

    second = outbox_emails(db_session)[1]
    assert second.subject == "You're registered for January 19"
    assert "December 15" not in second.text


def test_posting_again_and_again_sends_five_links_a_day_besides_confirmations(db_session):
    for slug in ALL_SIX:
        register(db_session, slug, ADA)

    for _ in range(7):
        register(db_session, DECEMBER, ADA)
    a_day_later = NOW + timedelta(days=1)
    register(db_session, DECEMBER, ADA, now=a_day_later)

    links = outbox_emails(db_session, EmailKind.LINK)
    assert [email.created_at for email in links] == [NOW] * 5 + [a_day_later]


@pytest.mark.parametrize(
    "need",
    [{"access": ["asl"]}, {"access_language": "Portuguese"}, {"access_other": "A pause"}],
    ids=["ticked", "a language", "own words"],
)
def test_coordinators_hear_that_somebody_needs_something_but_not_what_or_who(db_session, need):
    for name in ("Corin", "Dana"):
        a_coordinator(db_session, name)

    register(db_session, DECEMBER, replace(ADA, values=need))

    emails = outbox_emails(db_session, EmailKind.COORDINATORS)
    assert [email.to_address for email in emails] == ["corin@example.org", "dana@example.org"]
    text = emails[0].text + emails[0].html
    assert not [word for word in ("Ada", "asl", "Portuguese", "pause") if word in text]
    assert f"/coordinator/sessions/{DECEMBER}" in text


def test_without_a_need_coordinators_get_no_email(db_session):
    a_coordinator(db_session)

    register(db_session, DECEMBER, ADA)

    assert [address for address, _ in recipients_and_subjects(db_session)] == [ADA.email]
