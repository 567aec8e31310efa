"""The outbox: a mail is queued once, leased by one worker, and its ending noted."""

from datetime import timedelta
from uuid import uuid4

import pytest

from cop.mail import recipients
from cop.mail.smtp import Timeouts
from cop.models.email import MailState
from cop.models.registration import Member
from cop.outbox import leases, outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from tests.builders import LETTER, NOW, a_mail, a_meeting, a_registration, mails
from tests.tokens import without_tokens

pytestmark = pytest.mark.both

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def claim(db_session, now=NOW):
    return leases.claim(db_session, now=now)


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

    outbox.queue(db_session, [QueuedEmail(LETTER, refusing, EmailKind.LINK, "a")], now=NOW)

    assert mails(db_session) == []


@pytest.mark.parametrize("verified_at", [None, NOW], ids=["not proven", "proven"])
def test_a_name_that_somebody_typed_is_on_no_mail_to_an_unproven_address(db_session, verified_at):
    to = a_recipient(db_session, verified_at=verified_at)

    outbox.queue(db_session, [QueuedEmail(LETTER, to, EmailKind.LINK, "a")], now=NOW)

    [mail] = mails(db_session)
    assert (mail.to_address, mail.to_name) == (
        "ada@example.org",
        "Ada" if verified_at else "",
    )


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

    too_early = claim(db_session, NOW + leases.LEASE - MINUTE)
    again = claim(db_session, NOW + leases.LEASE)

    assert too_early is None
    assert (again.id, again.message_id) == (before.id, before.message_id)
    assert (again.attempts, again.unknown_outcomes) == (2, 1)


def test_a_lease_is_longer_than_handing_an_email_over_may_take():
    most = Timeouts()
    answers = 10  # from EHLO to DATA, with encryption, a login and a connection that had died

    longest = most.connect + answers * most.reply + most.after_data + most.quit

    assert timedelta(seconds=longest) < leases.LEASE


def test_a_worker_that_was_away_too_long_does_not_speak_for_the_one_after_it(db_session):
    mail = a_mail(db_session)
    slow = claim(db_session)
    db_session.expunge(slow)
    claim(db_session, NOW + leases.LEASE)

    leases.mark_sent(db_session, slow, server_reply="250 OK", now=NOW + leases.LEASE)

    assert state(db_session, mail) == MailState.SENDING


def test_what_was_not_taken_is_tried_after_1_5_15_and_60_minutes_and_then_every_hour(db_session):
    a_mail(db_session)
    waits, now = [], NOW

    for _ in range(6):
        mail = claim(db_session, now)
        leases.mark_for_retry(db_session, mail, server_reply="451 Later", now=now)
        [mail] = mails(db_session)
        waits.append(mail.due_at - now)
        now = mail.due_at

    assert [wait / MINUTE for wait in waits] == [1, 5, 15, 60, 60, 60]
    assert mail.state == MailState.RETRYING
    assert mail.server_reply == "451 Later"


def test_after_five_days_and_as_many_tries_as_there_are_a_mail_has_failed(db_session):
    a_mail(db_session)
    states, now = [], NOW

    for tries in range(1, 7):
        mail = claim(db_session, now)
        now = NOW + timedelta(days=5 if tries == 6 else 3, hours=tries)
        leases.mark_for_retry(db_session, mail, server_reply="450 Later", now=now)
        states.append(mails(db_session)[0].state)
        now += timedelta(hours=1)

    assert states == ["retrying"] * 5 + ["failed"]


@pytest.mark.parametrize(
    ("tries", "may_give_up"), [(1, True), (9, False)], ids=["hardly tried", "nobody takes mail"]
)
def test_a_mail_is_not_given_up_for_the_time_alone(db_session, tries, may_give_up):
    now = NOW + timedelta(days=30)
    a_mail(db_session)

    for _ in range(tries):
        mail = claim(db_session, now)
        leases.mark_for_retry(db_session, mail, server_reply="No", now=now, may_give_up=may_give_up)
        now += timedelta(hours=1)

    assert mails(db_session)[0].state == MailState.RETRYING


def test_an_unknown_ending_is_counted(db_session):
    a_mail(db_session)
    mail = claim(db_session)

    leases.mark_for_retry(
        db_session, mail, server_reply="The connection ended", now=NOW, is_outcome_unknown=True
    )

    assert mails(db_session)[0].unknown_outcomes == 1


@pytest.mark.parametrize("is_leased", [False, True], ids=["waiting", "left by its worker"])
def test_nothing_goes_out_after_its_time(db_session, is_leased):
    late = a_mail(db_session, expires_at=NOW + MINUTE)
    if is_leased:
        claim(db_session)
    later = NOW + leases.LEASE

    claimed = claim(db_session, later)
    assert claimed is None
    assert state(db_session, late) == MailState.WITHDRAWN


def test_a_bad_address_stops_all_mail_to_it_and_a_refused_mail_only_itself(db_session):
    to = a_recipient(db_session)
    other = [QueuedEmail(LETTER, to, EmailKind.LINK, key) for key in ("a", "b", "c")]
    outbox.queue(db_session, other, now=NOW)

    refused = claim(db_session)
    leases.mark_failed(db_session, refused, server_reply="554 No", now=NOW, bad_address=False)
    still_there = [mail.state for mail in mails(db_session)]
    bounced = claim(db_session)
    leases.mark_failed(
        db_session, bounced, server_reply="550 5.1.1 Nobody", now=NOW, bad_address=True
    )

    assert still_there == ["failed", "queued", "queued"]
    assert [mail.state for mail in mails(db_session)] == ["failed", "failed", "withdrawn"]
    assert db_session.get(Member, to.member_id, populate_existing=True).undeliverable_at == NOW


def test_what_failed_can_be_tried_again_from_the_beginning_and_nothing_else(db_session):
    failed, sent = a_mail(db_session), a_mail(db_session)
    leases.mark_failed(
        db_session, claim(db_session), server_reply="554 No", now=NOW, bad_address=False
    )
    leases.mark_sent(db_session, claim(db_session), server_reply="250 OK", now=NOW)

    outbox.retry(db_session, [failed.id, sent.id], now=NOW)

    assert [(mail.state, mail.attempts) for mail in mails(db_session)] == [
        ("queued", 0),
        ("sent", 1),
    ]


def forget_old(db_session, *, now):
    """Erase what is due of old emails; return how many texts went."""
    gone = [(each.counter, each.erase_all(db_session)) for each in outbox.expiries(now=now)]
    return sum(number for name, number in gone if name == "emails")


def test_what_a_mail_said_is_blanked_after_a_week_and_its_row_goes_after_sixty_days(db_session):
    a_mail(db_session, dedup_key="kept")
    leases.mark_sent(db_session, claim(db_session), server_reply="250 OK ada@example.org", now=NOW)
    a_mail(db_session, dedup_key="waiting", now=NOW + timedelta(days=70))

    forget_old(db_session, now=NOW + timedelta(days=7) - MINUTE)
    before = mails(db_session)[0].text
    blanked = [forget_old(db_session, now=NOW + timedelta(days=7)) for _ in range(2)]
    after = vars(mails(db_session)[0]).copy()
    forget_old(db_session, now=NOW + timedelta(days=60))

    assert before == LETTER.text
    assert blanked == [1, 0]
    assert "ada" not in without_tokens(repr(after))
    assert (after["text"], after["dedup_key"]) == ("", "kept")
    assert [mail.dedup_key for mail in mails(db_session)] == ["waiting"]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (EmailKind.REMINDER, lambda found: setattr(found.registration, "status", "cancelled")),
        (EmailKind.REMINDER, lambda found: setattr(found.meeting, "status", "cancelled")),
        (EmailKind.REMINDER, lambda found: setattr(found.meeting, "starts_at", NOW + 9 * DAY)),
        (EmailKind.REMINDER, lambda found: setattr(found.member, "opt_outs", ["reminders"])),
        (EmailKind.TAKEAWAYS, lambda found: setattr(found.member, "opt_outs", ["takeaways"])),
        (EmailKind.PROMOTED, lambda found: setattr(found.registration, "status", "cancelled")),
        (EmailKind.LINK, lambda found: setattr(found.member, "undeliverable_at", NOW)),
        (EmailKind.CHANGED, lambda found: found.queue(EmailKind.CHANGED)),
    ],
    ids=["given up", "no meeting", "moved", "no reminders", "no notes", "given up the promoted",
         "comes back", "newer news"],
)  # fmt: skip
def test_what_was_in_hand_when_it_stopped_to_hold_does_not_go_out_later(db_session, kind, change):
    found = Found(db_session)
    found.queue(kind)
    found.queue(EmailKind.CONFIRMATION, address="grace@example.org")
    in_hand = claim(db_session)

    change(found)
    db_session.flush()
    leases.mark_for_retry(db_session, in_hand, server_reply="451 Later", now=NOW)
    claimed = [claim(db_session, NOW + MINUTE), claim(db_session, NOW + MINUTE)]

    assert in_hand.kind == kind
    assert in_hand.id not in [mail.id for mail in claimed if mail]
    assert "grace@example.org" in [mail.to_address for mail in claimed if mail]


@pytest.mark.parametrize(
    "kind", [EmailKind.REMINDER, EmailKind.CHANGED, EmailKind.TAKEAWAYS, EmailKind.PROMOTED]
)
def test_what_still_holds_goes_out(db_session, kind):
    found = Found(db_session)
    found.queue(kind)

    assert claim(db_session).kind == kind


class Found:
    """Ada at a meeting, and mails to her about it."""

    def __init__(self, db_session):
        self.db_session = db_session
        self.meeting = a_meeting(db_session)
        self.registration = a_registration(db_session, self.meeting, "ada@example.org")
        self.member = db_session.get(Member, self.registration.member_id)

    def queue(self, kind, address=None):
        [person] = recipients.of_registrations(self.db_session, [self.registration.id])
        about = {
            "registration_id": self.registration.id,
            "meeting_id": self.meeting.id,
            "expires_at": self.meeting.starts_at,
        }
        mail = QueuedEmail(LETTER, address or person.recipient, kind, uuid4().hex,
                    **{} if address else about)  # fmt: skip
        outbox.queue(self.db_session, [mail], now=NOW)


def test_a_mail_that_waits_is_kept_however_old(db_session):
    a_mail(db_session)

    forget_old(db_session, now=NOW + timedelta(days=100))

    assert mails(db_session)[0].text == LETTER.text
