"""The outbox: an email is queued once, leased by one worker, and its result stored."""

from datetime import timedelta
from uuid import uuid4

import pytest

from cop.mail import errors, recipients
from cop.mail.smtp import Timeouts
from cop.models.email import MailState
from cop.models.registration import Member
from cop.outbox import outbox, retries, status
from cop.outbox.outbox import EmailKind, QueuedEmail
from tests.builders import LETTER, NOW, a_meeting, a_registration, an_email, outbox_emails
from tests.tokens import without_tokens

pytestmark = pytest.mark.both

LATER = errors.TransientError("451 Later")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def claim(db_session, now=NOW):
    return retries.claim(db_session, now=now)


def state(db_session, mail):
    [row] = [row for row in outbox_emails(db_session) if row.id == mail.id]
    return row.state


def a_recipient(db_session, **values):
    """Ada, who is registered for a meeting."""
    registration = a_registration(db_session, a_meeting(db_session), "ada@example.org")
    member = db_session.get(Member, registration.member_id)
    for name, value in values.items():
        setattr(member, name, value)
    db_session.flush()
    [ada] = recipients.of_registrations(db_session, [registration.id])
    return ada.recipient


def test_an_email_is_queued_once_per_key(db_session):
    first = an_email(db_session, dedup_key="reminder:1")

    an_email(db_session, "grace@example.org", dedup_key="reminder:1")

    assert [mail.id for mail in outbox_emails(db_session)] == [first.id]


def test_an_undeliverable_address_gets_no_email(db_session):
    refusing = a_recipient(db_session, undeliverable_at=NOW)

    outbox.queue(db_session, [QueuedEmail(LETTER, refusing, EmailKind.LINK, "a")], now=NOW)

    assert outbox_emails(db_session) == []


@pytest.mark.parametrize(
    ("verified_at", "name"), [(None, ""), (NOW, "Ada")], ids=["unverified", "verified"]
)
def test_an_email_to_an_unverified_address_shows_no_typed_name(db_session, verified_at, name):
    to = a_recipient(db_session, verified_at=verified_at)

    outbox.queue(db_session, [QueuedEmail(LETTER, to, EmailKind.LINK, "a")], now=NOW)

    [mail] = outbox_emails(db_session)
    assert (mail.to_address, mail.to_name) == ("ada@example.org", name)


def test_the_email_due_longest_is_leased_first_and_once(db_session):
    second = an_email(db_session, now=NOW)
    first = an_email(db_session, now=NOW - MINUTE)
    an_email(db_session, now=NOW + MINUTE)

    claimed = [claim(db_session), claim(db_session), claim(db_session)]

    assert [mail and mail.id for mail in claimed] == [first.id, second.id, None]
    assert {mail.state for mail in claimed if mail} == {MailState.SENDING}


def test_an_expired_lease_is_given_again_and_its_first_holder_can_store_no_result(db_session):
    before = an_email(db_session)
    slow = claim(db_session)
    db_session.expunge(slow)

    too_early = claim(db_session, NOW + retries.LEASE - MINUTE)
    again = claim(db_session, NOW + retries.LEASE)
    retries.store_result(db_session, slow, "250 OK", now=NOW + retries.LEASE)

    assert too_early is None
    assert (again.id, again.message_id) == (before.id, before.message_id)
    assert (again.attempts, again.unknown_outcomes) == (2, 1)
    assert state(db_session, again) == MailState.SENDING


def test_a_lease_is_longer_than_all_timeouts_of_one_email():
    most = Timeouts()
    answers = 10  # from EHLO to DATA, with encryption, a login and a connection that had died

    longest = most.connect + answers * most.reply + most.after_data + most.quit

    assert timedelta(seconds=longest) < retries.LEASE


def test_retries_come_after_1_5_15_and_60_minutes_and_then_hourly(db_session):
    an_email(db_session)
    waits, now = [], NOW

    for _ in range(6):
        mail = claim(db_session, now)
        retries.store_result(db_session, mail, LATER, now=now)
        [mail] = outbox_emails(db_session)
        waits.append(mail.due_at - now)
        now = mail.due_at

    assert [wait / MINUTE for wait in waits] == [1, 5, 15, 60, 60, 60]
    assert mail.state == MailState.RETRYING
    assert mail.server_reply == "451 Later"


def test_an_email_fails_after_five_days_and_enough_attempts(db_session):
    an_email(db_session)
    states, now = [], NOW

    for attempts in range(1, 7):
        mail = claim(db_session, now)
        now = NOW + timedelta(days=5 if attempts == 6 else 3, hours=attempts)
        retries.store_result(db_session, mail, LATER, now=now)
        states.append(outbox_emails(db_session)[0].state)
        now += timedelta(hours=1)

    assert states == ["retrying"] * 5 + ["failed"]


@pytest.mark.parametrize(
    ("attempts", "error"),
    [(1, LATER), (9, errors.ServerUnavailableError("421 No"))],
    ids=["too few attempts", "server unavailable"],
)
def test_time_alone_does_not_make_an_email_fail(db_session, attempts, error):
    now = NOW + timedelta(days=30)
    an_email(db_session)

    for _ in range(attempts):
        mail = claim(db_session, now)
        retries.store_result(db_session, mail, error, now=now)
        now += timedelta(hours=1)

    assert outbox_emails(db_session)[0].state == MailState.RETRYING


@pytest.mark.parametrize("is_leased", [False, True], ids=["queued", "abandoned by its worker"])
def test_an_expired_email_is_withdrawn(db_session, is_leased):
    late = an_email(db_session, expires_at=NOW + MINUTE)
    if is_leased:
        claim(db_session)
    later = NOW + retries.LEASE

    claimed = claim(db_session, later)
    assert claimed is None
    assert state(db_session, late) == MailState.WITHDRAWN


def erase_old(db_session, *, now):
    """Erase what is due of old emails; return the number of erased texts."""
    gone = [(each.counter, each.erase_all(db_session)) for each in outbox.expiries(now=now)]
    return sum(number for name, number in gone if name == "emails")


def test_a_text_is_erased_a_week_after_it_was_sent_and_its_row_after_sixty_days(db_session):
    an_email(db_session, dedup_key="sent")
    retries.store_result(db_session, claim(db_session), "250 OK ada@example.org", now=NOW)
    an_email(db_session, dedup_key="waiting")

    erase_old(db_session, now=NOW + timedelta(days=7) - MINUTE)
    before = outbox_emails(db_session)[0].text
    blanked = [erase_old(db_session, now=NOW + timedelta(days=7)) for _ in range(2)]
    after = vars(outbox_emails(db_session)[0]).copy()
    erase_old(db_session, now=NOW + timedelta(days=60))

    assert before == LETTER.text
    assert blanked == [1, 0]
    assert "ada" not in without_tokens(repr(after))
    assert (after["text"], after["dedup_key"]) == ("", "sent")
    [unsent] = outbox_emails(db_session)
    assert (unsent.dedup_key, unsent.text) == ("waiting", LETTER.text)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (EmailKind.REMINDER, lambda ada: setattr(ada.registration, "status", "cancelled")),
        (EmailKind.REMINDER, lambda ada: setattr(ada.meeting, "status", "cancelled")),
        (EmailKind.REMINDER, lambda ada: setattr(ada.meeting, "starts_at", NOW + 9 * DAY)),
        (EmailKind.REMINDER, lambda ada: setattr(ada.member, "opt_outs", ["reminders"])),
        (EmailKind.TAKEAWAYS, lambda ada: setattr(ada.member, "opt_outs", ["takeaways"])),
        (EmailKind.PROMOTED, lambda ada: setattr(ada.registration, "status", "cancelled")),
        (EmailKind.LINK, lambda ada: setattr(ada.member, "undeliverable_at", NOW)),
        (EmailKind.CHANGED, lambda ada: ada.queue(EmailKind.CHANGED)),
    ],
    ids=["cancelled", "meeting cancelled", "moved", "opted out", "opted out of takeaways",
         "promotion cancelled", "undeliverable", "newer change"],
)  # fmt: skip
def test_an_email_goes_out_unless_outdated_and_is_not_retried_if_outdated_meanwhile(
    db_session, kind, change
):
    ada = Ada(db_session)
    ada.queue(kind)
    an_email(db_session, "grace@example.org")
    leased = claim(db_session)

    change(ada)
    db_session.flush()
    retries.store_result(db_session, leased, LATER, now=NOW)
    claimed = [claim(db_session, NOW + MINUTE), claim(db_session, NOW + MINUTE)]

    assert leased.kind == kind
    assert leased.id not in [mail.id for mail in claimed if mail]
    assert "grace@example.org" in [mail.to_address for mail in claimed if mail]


class Ada:
    """Ada at a meeting, and emails to her about it."""

    def __init__(self, db_session):
        self.db_session = db_session
        self.meeting = a_meeting(db_session)
        self.registration = a_registration(db_session, self.meeting, "ada@example.org")
        self.member = db_session.get(Member, self.registration.member_id)

    def queue(self, kind):
        [person] = recipients.of_registrations(self.db_session, [self.registration.id])
        starts_at = self.meeting.starts_at
        email = outbox.to_registered(LETTER, person, kind, uuid4().hex, starts_at)
        outbox.queue(self.db_session, [email], now=NOW)


A_REFUSAL = "The server at smtp.example.org:587 cannot be reached."


def retrying(db_session, reply, *, tried_at=NOW, attempts=1):
    """An email whose last attempt got this reply."""
    mail = an_email(db_session)
    mail.state, mail.server_reply, mail.attempts = MailState.RETRYING, reply, attempts
    mail.due_at = tried_at + retries.BACKOFF[min(attempts, len(retries.BACKOFF)) - 1]


def last_error(db_session):
    db_session.flush()
    return status.read_status(db_session).last_error


@pytest.mark.parametrize("attempts", [4, 5])
def test_the_latest_reply_that_holds_up_every_email_is_reported(db_session, attempts):
    retrying(db_session, A_REFUSAL, tried_at=NOW - MINUTE, attempts=attempts)
    first = last_error(db_session)
    retrying(db_session, "421 4.3.2 Shutting down")

    assert (first, last_error(db_session)) == (A_REFUSAL, "421 4.3.2 Shutting down")


@pytest.mark.parametrize(
    "reply",
    ["451 4.7.1 Greylisted", "450 Mailbox busy", "It could not be composed: ValueError."],
)
def test_a_reply_about_one_email_is_not_reported(db_session, reply):
    retrying(db_session, reply)

    assert last_error(db_session) == ""


def test_nothing_is_reported_once_email_gets_out_again(db_session):
    sent = an_email(db_session)
    sent.state, sent.done_at = MailState.SENT, NOW - 2 * MINUTE
    retrying(db_session, A_REFUSAL, tried_at=NOW - MINUTE)
    before = last_error(db_session)
    sent.done_at = NOW

    assert (before, last_error(db_session)) == (A_REFUSAL, "")
