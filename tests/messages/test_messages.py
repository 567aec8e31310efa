"""Messages: each is sent once, to deliverable addresses."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from cop.db.engine import read_tx, write_tx
from cop.messages import messages
from cop.messages.messages import Audience
from cop.models.audit import Announcement
from cop.models.coordinator import Coordinator
from cop.models.email import OutboxEmail
from cop.outbox.outbox import EmailKind
from tests.builders import (
    CORIN,
    NOW,
    a_meeting,
    a_registration,
    a_writer,
    find_member,
    outbox_emails,
    recipients_and_subjects,
)
from tests.concurrency import at_once

pytestmark = pytest.mark.both


def corin_in(db_session):
    row = Coordinator(email=CORIN, email_key=CORIN, name="Corin", password_hash="x")
    db_session.add(row)
    db_session.flush()
    return row.id


def a_full_meeting(db_session, **values):
    """Ada and Grace hold places, Katherine waits, Mallory gave up, and Ken's mail comes back."""
    meeting = a_meeting(db_session, **values)
    a_registration(db_session, meeting, "ada@example.org", attended=True)
    a_registration(db_session, meeting, "grace@example.org", attended=False)
    a_registration(db_session, meeting, "katherine@example.org", "waiting")
    a_registration(db_session, meeting, "mallory@example.org", "cancelled")
    a_registration(db_session, meeting, "ken@example.org")
    find_member(db_session, "ken@example.org").undeliverable_at = NOW
    other = a_meeting(db_session, slug="other")
    a_registration(db_session, other, "bystander@example.org")
    return meeting


def send(db_session, meeting, audience=Audience.REGISTERED, *, by=None, nonce=None):
    content = {"subject": "Bring a chart", "text": "Please bring **one**."}
    return messages.send(
        db_session,
        Announcement(meeting_id=meeting.id, audience=audience, **content),
        coordinator_id=by or corin_in(db_session),
        confirmed_count=9,
        nonce=nonce or uuid4().hex,
        writer=a_writer(db_session),
    )


@pytest.mark.parametrize(
    ("audience", "names"),
    [
        (Audience.HELD, ["ada", "grace"]),
        (Audience.WAITING, ["katherine"]),
        (Audience.REGISTERED, ["ada", "grace", "katherine"]),
        (Audience.CAME, ["ada"]),
        (Audience.ABSENT, ["grace"]),
    ],
)
def test_a_message_goes_to_the_deliverable_part_of_its_audience(db_session, audience, names):
    meeting = a_full_meeting(db_session)

    counted = messages.audience_counts(db_session, meeting.id)[audience]
    sent = send(db_session, meeting, audience)

    assert [
        to.split("@")[0] for to, _ in recipients_and_subjects(db_session, EmailKind.MESSAGE)
    ] == names
    assert sent == counted == len(names)


def test_the_same_text_from_another_page_is_sent_again(db_session):
    meeting, corin = a_full_meeting(db_session), corin_in(db_session)

    for _ in range(2):
        send(db_session, meeting, by=corin)

    assert len(outbox_emails(db_session, EmailKind.MESSAGE)) == 6


def test_concurrent_clicks_send_once(app):
    with write_tx() as db_session:
        meeting, corin = a_full_meeting(db_session), corin_in(db_session)

    def click():
        with write_tx() as db_session:
            return send(db_session, meeting, by=corin, nonce="n")

    sent = at_once(app, click, click)

    with read_tx() as db_session:
        written = db_session.scalar(select(func.count(Announcement.id)))
        is_message = OutboxEmail.kind == EmailKind.MESSAGE
        queued = db_session.scalar(select(func.count(OutboxEmail.id)).where(is_message))
    assert sorted(sent, key=str) == [3, None]
    assert (written, queued) == (1, 3)


@pytest.mark.parametrize(("ahead", "expires"), [(1, True), (-1, False)], ids=["before", "after"])
def test_a_message_from_before_a_session_expires_with_it(db_session, ahead, expires):
    meeting = a_full_meeting(db_session, starts_at=NOW + ahead * timedelta(days=1))

    send(db_session, meeting)

    [ends, *_] = {mail.expires_at for mail in outbox_emails(db_session, EmailKind.MESSAGE)}
    assert ends == (meeting.ends_at if expires else None)
