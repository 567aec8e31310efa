"""The outbox: a mail is queued once, leased by one worker, and its ending noted."""

from datetime import timedelta

import pytest

from cop.domain import outbox, recipients
from cop.domain.outbox import Kind, Mail
from cop.models import MailState, Member
from tests.domain.mails import LETTER, a_mail, mails
from tests.world import NOW, a_meeting, a_registration

MINUTE = timedelta(minutes=1)


def claim(db_session, now=NOW):
    return outbox.claim(db_session, now=now)


def state(db_session, mail):
    [found] = [row for row in mails(db_session) if row.id == mail.id]
    return found.state


def a_recipient(db_session, **values):
    """Ada, who holds a place at a meeting."""
    registration = a_registration(db_session, a_meeting(db_session), "ada@example.org")
    member = db_session.get(Member, registration.member_id)
    for name, value in values.items():
        setattr(member, name, value)
    db_session.flush()
    [found] = recipients.of_registrations(db_session, [registration.id])
    return found.recipient


def test_a_mail_is_queued_once_for_its_key(db_session):
    first = a_mail(db_session, dedup_key="reminder:1")

    a_mail(db_session, "grace@example.org", dedup_key="reminder:1")

    assert [mail.id for mail in mails(db_session)] == [first.id]


def test_an_address_that_refuses_mail_gets_none(db_session):
    refusing = a_recipient(db_session, undeliverable_at=NOW)

    outbox.queue(db_session, [Mail(LETTER, refusing, Kind.LINK, "a")], now=NOW)

    assert mails(db_session) == []


@pytest.mark.parametrize("proven_at", [None, NOW], ids=["not proven", "proven"])
def test_a_name_that_somebody_typed_is_on_no_mail_to_an_unproven_address(db_session, proven_at):
    to = a_recipient(db_session, proven_at=proven_at)

    outbox.queue(db_session, [Mail(LETTER, to, Kind.LINK, "a")], now=NOW)

    [mail] = mails(db_session)
    assert (mail.to_address, mail.to_name) == ("ada@example.org", "Ada" if proven_at else "")


def test_the_mail_that_is_due_longest_is_leased_first_and_by_one_worker_only(db_session):
    second = a_mail(db_session, now=NOW)
    first = a_mail(db_session, now=NOW - MINUTE)
    a_mail(db_session, now=NOW + MINUTE)

    claimed = [claim(db_session), claim(db_session), claim(db_session)]

    assert [mail and mail.id for mail in claimed] == [first.id, second.id, None]
    assert {mail.state for mail in claimed if mail} == {MailState.SENDING}


def test_a_lease_that_ran_out_is_given_again_as_the_same_mail_and_counted(db_session):
    before = a_mail(db_session)
    claim(db_session)

    too_early = claim(db_session, NOW + outbox.LEASE - MINUTE)
    again = claim(db_session, NOW + outbox.LEASE)

    assert too_early is None
    assert (again.id, again.message_id) == (before.id, before.message_id)
    assert (again.attempts, again.unknown_endings) == (2, 1)


def test_a_worker_that_was_away_too_long_does_not_speak_for_the_one_after_it(db_session):
    mail = a_mail(db_session)
    slow = claim(db_session)
    db_session.expunge(slow)
    claim(db_session, NOW + outbox.LEASE)

    outbox.sent(db_session, slow, answer="250 OK", now=NOW + outbox.LEASE)

    assert state(db_session, mail) == MailState.SENDING


def test_what_was_not_taken_is_tried_after_1_5_15_and_60_minutes_and_then_every_hour(db_session):
    a_mail(db_session)
    waits, now = [], NOW

    for _ in range(6):
        mail = claim(db_session, now)
        outbox.put_back(db_session, mail, answer="451 Later", now=now)
        [mail] = mails(db_session)
        waits.append(mail.due_at - now)
        now = mail.due_at

    assert [wait / MINUTE for wait in waits] == [1, 5, 15, 60, 60, 60]
    assert mail.state == MailState.RETRYING
    assert mail.answer == "451 Later"


def test_three_days_without_a_server_lose_nothing_and_five_are_said_to_have_failed(db_session):
    a_mail(db_session)
    mail = claim(db_session)

    outbox.put_back(db_session, mail, answer="Nobody there", now=NOW + timedelta(hours=72))
    after_three = mails(db_session)[0].state
    mail = claim(db_session, NOW + timedelta(days=5))
    outbox.put_back(db_session, mail, answer="Nobody there", now=NOW + timedelta(days=5))

    assert after_three == MailState.RETRYING
    assert mails(db_session)[0].state == MailState.FAILED


def test_an_unknown_ending_is_counted(db_session):
    a_mail(db_session)
    mail = claim(db_session)

    outbox.put_back(db_session, mail, answer="The connection ended", now=NOW, in_doubt=True)

    assert mails(db_session)[0].unknown_endings == 1


@pytest.mark.parametrize("is_leased", [False, True], ids=["waiting", "left by its worker"])
def test_nothing_goes_out_after_its_time(db_session, is_leased):
    late = a_mail(db_session, expires_at=NOW + MINUTE)
    if is_leased:
        claim(db_session)
    later = NOW + outbox.LEASE

    claimed = claim(db_session, later)
    outbox.withdraw_late(db_session, now=later)

    assert claimed is None
    assert state(db_session, late) == MailState.WITHDRAWN


def test_a_bad_address_stops_all_mail_to_it_and_a_refused_mail_only_itself(db_session):
    to = a_recipient(db_session)
    other = [Mail(LETTER, to, Kind.LINK, key) for key in ("a", "b", "c")]
    outbox.queue(db_session, other, now=NOW)

    refused = claim(db_session)
    outbox.failed(db_session, refused, answer="554 No", now=NOW, bad_address=False)
    still_there = [mail.state for mail in mails(db_session)]
    bounced = claim(db_session)
    outbox.failed(db_session, bounced, answer="550 5.1.1 Nobody", now=NOW, bad_address=True)

    assert still_there == ["failed", "queued", "queued"]
    assert [mail.state for mail in mails(db_session)] == ["failed", "failed", "withdrawn"]
    assert db_session.get(Member, to.member_id, populate_existing=True).undeliverable_at == NOW


def test_what_failed_can_be_tried_again_from_the_beginning_and_nothing_else(db_session):
    failed, sent = a_mail(db_session), a_mail(db_session)
    outbox.failed(db_session, claim(db_session), answer="554 No", now=NOW, bad_address=False)
    outbox.sent(db_session, claim(db_session), answer="250 OK", now=NOW)

    outbox.try_again(db_session, [failed.id, sent.id], now=NOW)

    assert [(mail.state, mail.attempts) for mail in mails(db_session)] == [
        ("queued", 0),
        ("sent", 1),
    ]


def test_what_a_mail_said_is_blanked_after_a_week_and_its_row_goes_after_sixty_days(db_session):
    a_mail(db_session, dedup_key="kept")
    outbox.sent(db_session, claim(db_session), answer="250 OK ada@example.org", now=NOW)
    a_mail(db_session, dedup_key="waiting", now=NOW + timedelta(days=70))

    outbox.forget(db_session, now=NOW + timedelta(days=7) - MINUTE)
    before = mails(db_session)[0].text
    blanked = [outbox.forget(db_session, now=NOW + timedelta(days=7)) for _ in range(2)]
    after = vars(mails(db_session)[0]).copy()
    outbox.forget(db_session, now=NOW + timedelta(days=60))

    assert before == LETTER.text
    assert blanked == [1, 0]
    assert "ada" not in repr(after)
    assert (after["text"], after["dedup_key"]) == ("", "kept")
    assert [mail.dedup_key for mail in mails(db_session)] == ["waiting"]


def test_a_mail_that_waits_is_kept_however_old(db_session):
    a_mail(db_session)

    outbox.forget(db_session, now=NOW + timedelta(days=100))

    assert mails(db_session)[0].text == LETTER.text
