"""Canceling a registration, and erasing a member."""

import pytest
from sqlalchemy import inspect, select

from cop.db.types import Base
from cop.outbox import retries
from cop.outbox.outbox import EmailKind
from cop.privacy import erasure
from cop.registration import cancellation
from tests.builders import (
    ADA,
    GRACE,
    KATHERINE,
    NOW,
    a_meeting,
    a_writer,
    an_email,
    find_member,
    outbox_emails,
    recipients_and_subjects,
    register,
    registrations,
    status_summary,
)
from tests.tokens import without_tokens

pytestmark = pytest.mark.both

DECEMBER, JANUARY = "2026-12-15", "2027-01-19"


def a_full_meeting(db_session):
    """One place, which Ada holds; Grace waits, and Katherine behind her."""
    a_meeting(db_session, slug="it", capacity=1)
    for details in (ADA, GRACE, KATHERINE):
        register(db_session, "it", details)


def of(db_session, name, slug=None):
    return next(row for row in registrations(db_session, slug) if row.name.startswith(name))


def test_canceling_withdraws_the_queued_emails_of_the_registration(db_session):
    a_full_meeting(db_session)
    ada, grace = of(db_session, "Ada"), of(db_session, "Grace")
    for row in (ada, grace):
        an_email(
            db_session, kind=EmailKind.REMINDER, registration_id=row.id, meeting_id=row.meeting_id
        )

    cancellation.cancel_registration(db_session, ada.id, writer=a_writer(db_session))

    assert [mail.registration_id for mail in outbox_emails(db_session, EmailKind.REMINDER)] == [
        grace.id
    ]
    assert len(recipients_and_subjects(db_session, EmailKind.CONFIRMATION)) == 3


def everything(db_session):
    """All values in the database, as text."""
    found = []
    for table in Base.metadata.sorted_tables:
        found += [repr(tuple(row)) for row in db_session.execute(select(table))]
    return "\n".join(found)


def test_erasing_leaves_nothing_of_a_member_anywhere(db_session):
    a_full_meeting(db_session)
    register(db_session, [DECEMBER, JANUARY], ADA)
    assert "ada@example.org" in everything(db_session)

    erasure.erase(
        db_session, find_member(db_session, "ada@example.org").id, writer=a_writer(db_session)
    )

    left = everything(db_session)
    assert "Ada" not in without_tokens(left)
    assert "ada@example" not in left
    assert "grace@example.org" in left


def test_erasing_gives_the_places_to_those_who_wait(db_session):
    a_full_meeting(db_session)

    erasure.erase(
        db_session, find_member(db_session, "ada@example.org").id, writer=a_writer(db_session)
    )

    assert status_summary(db_session, "it") == "Grace held, Katherine waiting"
    assert [address for address, _ in recipients_and_subjects(db_session, EmailKind.PROMOTED)] == [
        "grace@example.org"
    ]


def test_erasing_returns_the_message_ids_of_the_deleted_emails(db_session):
    register(db_session, DECEMBER, ADA)
    register(db_session, DECEMBER, GRACE)
    ids = {mail.to_address: mail.message_id for mail in outbox_emails(db_session)}

    erased = erasure.erase(
        db_session, find_member(db_session, "ada@example.org").id, writer=a_writer(db_session)
    )

    assert erased == [ids["ada@example.org"]]


def test_an_email_in_delivery_is_erased_too(db_session):
    register(db_session, DECEMBER, ADA)
    leased = retries.claim(db_session, now=NOW)
    assert inspect(leased).mapper.class_.__name__ == "OutboxEmail"

    erasure.erase(
        db_session, find_member(db_session, "ada@example.org").id, writer=a_writer(db_session)
    )
    retries.store_result(db_session, leased, "taken", now=NOW)

    assert outbox_emails(db_session) == []
