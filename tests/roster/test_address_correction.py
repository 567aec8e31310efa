"""Correcting a misspelled address."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import partial

import pytest

from cop.audit import withdrawals
from cop.db.engine import read_tx, write_tx
from cop.errors import InvalidLink, Refused
from cop.links import Owner
from cop.members import members
from cop.models.email import MailState
from cop.outbox.outbox import EmailKind
from cop.roster import address_correction
from tests.builders import (
    ADA,
    GRACE,
    NOW,
    a_meeting,
    a_registration,
    a_writer,
    an_email,
    clear_outbox,
    find_member,
    outbox_emails,
    recipients_and_subjects,
    register,
    registrations,
    status_summary,
)
from tests.concurrency import at_once

pytestmark = pytest.mark.both

DECEMBER, JANUARY = "2026-12-15", "2027-01-19"
SLIP = replace(ADA, email="ada@exmaple.org")


def correct(db_session, slug, email, *, of="Ada"):
    [row] = [row for row in registrations(db_session, slug) if row.name.startswith(of)]
    writer = a_writer(db_session)
    sessions, _ = address_correction.correct_address(db_session, row.id, email, writer=writer)
    return sessions


def test_all_registrations_move_to_the_right_address(db_session):
    register(db_session, [DECEMBER, JANUARY], SLIP)
    register(db_session, DECEMBER, GRACE)
    clear_outbox(db_session)

    sessions = correct(db_session, DECEMBER, "Ada@Example.org")

    ada = find_member(db_session, "ada@example.org")
    assert (sessions, ada.email, ada.verified_at) == (2, "Ada@Example.org", None)
    assert {row.member_id for row in registrations(db_session) if row.name == ADA.name} == {ada.id}
    assert find_member(db_session, "ada@exmaple.org") is None
    assert recipients_and_subjects(db_session) == [
        ("Ada@Example.org", "You're registered for 2 sessions")
    ]


def test_links_and_emails_of_the_misspelled_address_are_gone(db_session):
    register(db_session, DECEMBER, SLIP)
    register(db_session, DECEMBER, GRACE)
    slip = find_member(db_session, "ada@exmaple.org")
    owner = Owner(slip.id, slip.token_version)
    for state in (MailState.QUEUED, MailState.FAILED, MailState.SENT):
        an_email(db_session, members.verify_and_lock(db_session, owner, now=NOW)).state = state
    db_session.flush()

    correct(db_session, DECEMBER, ADA.email)

    with pytest.raises(InvalidLink):
        members.find(db_session, owner)
    assert {email.to_address for email in outbox_emails(db_session)} == {ADA.email, GRACE.email}


def test_the_confirmation_has_the_link_of_the_new_member(db_session):
    register(db_session, DECEMBER, SLIP)
    clear_outbox(db_session)

    correct(db_session, DECEMBER, ADA.email)

    ada = find_member(db_session, ADA.email)
    [email] = outbox_emails(db_session)
    link = a_writer(db_session).links.member(Owner(ada.id, ada.token_version), on=NOW.date())
    assert link in email.text
    assert "Ada Example" not in email.text  # nobody has proven that it is theirs
    assert registrations(db_session, DECEMBER)[0].announced


def test_a_known_member_gets_the_sessions_they_lack(db_session):
    register(db_session, JANUARY, ADA)
    register(db_session, DECEMBER, SLIP)
    known = find_member(db_session, ADA.email)
    known.verified_at = NOW
    clear_outbox(db_session)

    sessions = correct(db_session, DECEMBER, ADA.email)

    assert (sessions, find_member(db_session, ADA.email).verified_at) == (1, NOW)
    assert {row.member_id for row in registrations(db_session)} == {known.id}
    assert recipients_and_subjects(db_session) == [(ADA.email, "You're registered for December 15")]


@pytest.mark.parametrize("is_known", [True, False])
def test_only_a_new_member_loses_their_withdrawals(db_session, is_known):
    register(db_session, DECEMBER, SLIP)
    if is_known:
        register(db_session, JANUARY, ADA)
    writer = a_writer(db_session)
    withdrawals.remember_address(db_session, ADA.email, withdrawals.LINKS, writer=writer)
    key = withdrawals.key_of(ADA.email, writer.links.secret_key)

    correct(db_session, DECEMBER, ADA.email)

    assert (key in {each.key for each in withdrawals.read_all(db_session)}) is is_known


def test_where_both_are_registered_for_one_session_neither_is_changed(db_session):
    register(db_session, [DECEMBER, JANUARY], ADA)
    register(db_session, [DECEMBER], replace(SLIP, name="Slip"))
    clear_outbox(db_session)

    with pytest.raises(Refused, match="is already registered for") as refusal:
        correct(db_session, DECEMBER, ADA.email, of="Slip")

    assert refusal.value.values["date"].date().isoformat() == DECEMBER
    assert len({row.member_id for row in registrations(db_session, DECEMBER)}) == 2
    assert outbox_emails(db_session) == []


def test_a_canceled_registration_of_one_does_not_prevent_the_correction(db_session):
    it = a_meeting(db_session, slug="it")
    a_registration(db_session, it, ADA.email, "cancelled")
    a_registration(db_session, it, SLIP.email, name="Slip")

    correct(db_session, "it", ADA.email, of="Slip")

    assert status_summary(db_session, "it") == "Ada cancelled, Slip held"
    assert len({row.member_id for row in registrations(db_session, "it")}) == 1


@pytest.mark.parametrize(
    ("email", "refusal"),
    [
        ("ada@", "Enter an email address"),
        ("", "Enter an email address"),
        ("ADA@exmaple.ORG", "the email we already have"),
    ],
)
def test_an_invalid_or_unchanged_address_is_refused(db_session, email, refusal):
    register(db_session, DECEMBER, SLIP)

    with pytest.raises(Refused, match=refusal):
        correct(db_session, DECEMBER, email)


def test_a_mailing_list_request_is_confirmed_at_the_right_address(db_session):
    register(db_session, DECEMBER, SLIP)
    slip = find_member(db_session, SLIP.email)
    slip.list_requested_at = slip.list_confirmed_at = NOW  # by whoever has that address
    db_session.flush()
    clear_outbox(db_session)

    correct(db_session, DECEMBER, ADA.email)

    ada = find_member(db_session, ADA.email)
    assert (ada.list_requested_at, ada.list_confirmed_at) == (NOW, None)
    assert [email.to_address for email in outbox_emails(db_session, EmailKind.LIST)] == [ADA.email]


def test_after_the_session_no_confirmation_goes_out(db_session):
    it = a_meeting(db_session, slug="it", starts_at=NOW.replace(day=1))
    a_registration(db_session, it, SLIP.email)

    sessions = correct(db_session, "it", ADA.email)

    assert (sessions, outbox_emails(db_session)) == (0, [])
    assert find_member(db_session, ADA.email)


@pytest.mark.parametrize(
    ("slips", "targets"),
    [
        ([SLIP, replace(SLIP, email="ada@example.or")], [ADA.email, ADA.email]),
        ([SLIP, SLIP], [ADA.email, "lovelace@example.org"]),
    ],
    ids=["two members to one address", "one member to two addresses"],
)
def test_two_corrections_at_once_end_with_one_member(app, slips, targets):
    with write_tx() as db_session:
        for month, slip in zip((DECEMBER, JANUARY), slips, strict=True):
            register(db_session, month, slip)

    def correcting(slug, email):
        # On PostgreSQL the second finds no member any more, and is refused.
        with suppress(Refused), write_tx() as db_session:
            correct(db_session, slug, email)

    months = zip((DECEMBER, JANUARY), targets, strict=True)
    at_once(app, *(partial(correcting, slug, email) for slug, email in months))

    with read_tx() as db_session:
        assert len({row.member_id for row in registrations(db_session)}) == 1
        assert [find_member(db_session, slip.email) for slip in slips] == [None, None]


JUNE, SEPTEMBER = date(2026, 6, 16), date(2026, 9, 15)


@pytest.mark.parametrize(
    ("wrong", "right", "first"),
    [
        (SEPTEMBER, None, SEPTEMBER),
        (SEPTEMBER, JUNE, JUNE),
        (JUNE, SEPTEMBER, JUNE),
        (None, SEPTEMBER, SEPTEMBER),
        (None, None, None),
    ],
)
def test_the_earlier_first_day_of_the_two_is_stored(db_session, wrong, right, first):
    register(db_session, DECEMBER, SLIP)
    register(db_session, JANUARY, ADA)
    find_member(db_session, SLIP.email).first_attended_on = wrong
    find_member(db_session, ADA.email).first_attended_on = right
    db_session.flush()

    correct(db_session, DECEMBER, ADA.email)

    assert find_member(db_session, ADA.email).first_attended_on == first
