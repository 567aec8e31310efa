"""What is stored about a member, read by their link and shown in words."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from cop.errors import InvalidLink
from cop.links import Owner
from cop.mail import recipients
from cop.meetings import schedule
from cop.members import held_data, members
from cop.models.registration import Member
from cop.questions import registry
from tests.builders import (
    ADA,
    GRACE,
    NOW,
    a_coordinator,
    a_meeting,
    a_registration,
    a_viewing,
    a_writer,
    find_member,
    outbox_emails,
    register,
    registrations,
)

pytestmark = pytest.mark.both

DECEMBER = "2026-12-15"
MOMENT = datetime(2026, 11, 20, 17, 5, tzinfo=UTC)
TOLD = "2026-12-13T15:00:00+00:00|2026-12-13T16:30:00+00:00|planned|0123456789abcdef"
# For each column a value that is not there by itself, and what is read of it.
VALUES = {
    "name": ("Ada 100%", "Ada 100%"),
    "organization": ("Harbor Lab", "Harbor Lab"),
    "pronouns": ("she/her", "she/her"),
    "hats": (["analyst"], "Data analyst"),
    "hats_other": ("held", "held"),
    "access": (["asl"], "American Sign Language (ASL) interpreter"),
    "access_language": ("Portuguese", "Portuguese"),
    "access_other": ("A quiet %(room)s", "A quiet %(room)s"),
    "taking_part": (["listen"], "I like to listen"),
    "first_time": (True, "Yes"),
    "prep_answer": ("Those who left.", "Those who left."),
    "prep_visibility": ("named", "The group, with my name"),
    "status": ("waiting", "now: on the waiting list"),
    "registered_at": (MOMENT, "registered: Nov 20, 12:05 pm"),
    "language": ("pt", "language of the form: pt"),
    "promoted_at": (MOMENT, "came off the waiting list: Nov 20, 12:05 pm"),
    "announced": (TOLD, "our mail last told you: Sunday, December 13, 10:00 am to 11:30 am"),
    "attended": (False, "noted by the hosts: No"),
    "minutes_present": (75, "minutes in the session: 75"),
    "room": (3, "number: 3"),
    "cancelled_at": (MOMENT, "given up on: Nov 20, 12:05 pm"),
    "first_attended_on": (date(2026, 9, 15), "September 15"),
    "joined_at": (MOMENT, "used the way in: Nov 20, 12:05 pm"),
    "email": ("Ada@example.org", "Ada@example.org"),
    "email_key": ("lovelace@example.org", "compared as: lovelace@example.org"),
    "list_requested_at": (MOMENT, "asked for: Nov 20, 12:05 pm"),
    "list_confirmed_at": (MOMENT, "confirmed: Nov 20, 12:05 pm"),
    "verified_at": (MOMENT, "last used a link of ours: Nov 20, 12:05 pm"),
    "undeliverable_at": (MOMENT, "mail came back: Nov 20, 12:05 pm"),
    "opt_outs": (["reminders"], "switched off: reminders"),
    "token_version": (7, "number of your link: 7"),
    "calendar_version": (8, "number of your calendar's address: 8"),
}


def known(db_session, row, version=0, *, now=NOW):
    owner = Owner(row.member_id, version)
    return members.read_member(db_session, owner, schedule.read(db_session, now=now))


def said(db_session, found):
    """All that is read of a member, by field."""
    writer = a_writer(db_session)
    values = [*held_data.member_values(found, writer=writer)]
    for place in found.registrations:
        values += held_data.registration_values(place, writer=writer)
    return {each.field.name: each.text for each in values}


def ada_at(db_session, meeting, **values):
    """Ada's registration, with values of it and of her."""
    of_member = {name: value for name, value in values.items() if hasattr(Member, name)}
    others = {name: value for name, value in values.items() if name not in of_member}
    row = a_registration(db_session, meeting, "ada@example.org", **({"status": "held"} | others))
    ada = db_session.get(Member, row.member_id)
    for name, value in of_member.items():
        setattr(ada, name, value)
    db_session.flush()
    return row


def test_every_stored_value_is_shown_to_the_member(db_session):
    stored = {column: value for column, (value, _) in VALUES.items()}
    row = ada_at(db_session, a_meeting(db_session), **stored)

    shown = said(db_session, known(db_session, row, stored["token_version"]))

    columns = [(f.name, c) for f in registry.FIELDS for c in f.columns]
    assert [column for name, column in columns if VALUES[column][1] not in shown[name]] == []


def test_what_somebody_typed_is_never_taken_for_a_word_of_ours(db_session):
    row = ada_at(db_session, a_meeting(db_session), name="held", access_other="asl")

    values = said(db_session, known(db_session, row))

    assert values["name"] == "held"
    assert values["access"] == "asl"


def test_what_was_not_answered_is_not_listed(db_session):
    row = ada_at(db_session, a_meeting(db_session))

    values = said(db_session, known(db_session, row))

    assert set(values) == {"name", "registered", "email", "correspondence"}


def test_each_value_goes_on_the_day_that_the_registry_promises(db_session):
    it = a_meeting(db_session)
    row = ada_at(db_session, it, pronouns="she/her")

    goes = {
        each.field.name: each.deleted_at
        for each in held_data.registration_values(
            known(db_session, row).registrations[0], writer=a_writer(db_session)
        )
    }

    assert goes["pronouns"] == it.ends_at + timedelta(days=7)
    assert goes["name"] == it.ends_at + timedelta(days=60)


def test_an_address_goes_with_the_last_registration_unless_it_is_on_the_list(db_session):
    soon, late = a_meeting(db_session), a_meeting(db_session, starts_at=NOW + timedelta(days=90))
    row = ada_at(db_session, late)
    ada_at(db_session, soon)
    writer = a_writer(db_session)

    by_itself = held_data.member_values(known(db_session, row), writer=writer)
    db_session.get(Member, row.member_id).list_confirmed_at = NOW
    db_session.flush()
    on_the_list = held_data.member_values(known(db_session, row), writer=writer)

    assert {each.deleted_at for each in by_itself} == {late.ends_at + timedelta(days=60)}
    assert {each.deleted_at for each in on_the_list} == {None}


def test_one_place_stands_for_each_session_and_the_live_one_comes_first(db_session):
    it = a_meeting(db_session)
    live = ada_at(db_session, it)
    given_up = ada_at(db_session, it, status="cancelled")

    found = known(db_session, live)

    assert [place.row.id for place in found.registrations] == [live.id, given_up.id]
    assert [place.row.id for place in found.upcoming] == [live.id]


def test_the_turn_in_line_counts_those_who_joined_the_list_before(db_session):
    it = a_meeting(db_session)
    a_registration(db_session, it, "corin@example.org", "cancelled")
    a_registration(db_session, it, "grace@example.org", "waiting")
    row = ada_at(db_session, it, status="waiting")
    a_registration(db_session, it, "katherine@example.org", "waiting")
    other = a_meeting(db_session, starts_at=NOW + timedelta(days=50))
    a_registration(db_session, other, "mallory@example.org", "waiting")

    [place] = known(db_session, row).upcoming

    assert place.waiting_position == 2


@pytest.mark.parametrize("owner", [(0, 1), (9999, 0), (0, -1)], ids=["newer", "nobody", "older"])
def test_a_link_that_is_not_theirs_opens_nothing(db_session, owner):
    row = ada_at(db_session, a_meeting(db_session))
    owner = Owner(owner[0] or row.member_id, owner[1])
    listed = schedule.read(db_session, now=NOW)

    for use in (
        lambda: members.read_member(db_session, owner, listed),
        lambda: members.find(db_session, owner),
        lambda: members.verify_and_lock(db_session, owner, now=NOW),
    ):
        with pytest.raises(InvalidLink):
            use()


def owner_of(db_session, email_key):
    found = find_member(db_session, email_key)
    return Owner(found.id, found.token_version)


def test_a_name_that_a_stranger_typed_is_said_to_nobody_until_they_have_seen_it(db_session):
    register(db_session, DECEMBER, ADA)
    members.verify_and_lock(db_session, owner_of(db_session, "ada@example.org"), now=NOW)
    stranger = replace(ADA, name="You won a prize")
    later = NOW + timedelta(days=1)
    register(db_session, "2027-01-19", stranger, now=later)
    [_, confirmation] = outbox_emails(db_session)

    before = recipients.of_registrations(db_session, [registrations(db_session)[1].id])
    members.verify_and_lock(db_session, owner_of(db_session, "ada@example.org"), now=later)
    after = recipients.of_registrations(db_session, [registrations(db_session)[1].id])

    assert "prize" not in confirmation.text + confirmation.html + confirmation.to_name
    assert [person.recipient.display_name for person in before] == [""]
    assert [person.recipient.display_name for person in after] == ["You won a prize"]


def test_who_acts_has_proven_their_address(db_session):
    register(db_session, DECEMBER, ADA)
    register(db_session, DECEMBER, GRACE)
    owner = owner_of(db_session, "ada@example.org")

    first = members.verify_and_lock(db_session, owner, now=NOW)
    members.verify_and_lock(db_session, owner, now=NOW + timedelta(days=1))

    assert first.is_verified
    assert (first.name, first.email) == ("Ada Example", "ada@example.org")
    assert find_member(db_session, "ada@example.org").verified_at == NOW + timedelta(days=1)
    assert find_member(db_session, "grace@example.org").verified_at is None


def test_who_looked_is_told_for_lists_they_were_on_and_since_then(db_session):
    mine, other = a_meeting(db_session), a_meeting(db_session, starts_at=NOW + timedelta(days=50))
    row = ada_at(db_session, mine)
    corin = a_coordinator(db_session)
    looks = [
        ("roster", NOW - timedelta(hours=1), mine.id, ()),
        ("roster", NOW, mine.id, ()),
        ("roster", NOW, other.id, ()),
        ("export", NOW + timedelta(hours=1), None, ("name", "access")),
    ]
    for what, at, meeting_id, columns in looks:
        a_viewing(db_session, corin.id, what, now=at, meeting_id=meeting_id, columns=list(columns))

    found = known(db_session, row).viewings

    assert [(by, look.resource, look.columns) for look, by, _ in found] == [
        ("Corin", "export", ["name", "access"]),
        ("Corin", "roster", []),
    ]
    assert found[1].Meeting.slug == mine.slug


def test_a_look_stays_told_when_the_coordinator_is_gone(db_session):
    it = a_meeting(db_session)
    row = ada_at(db_session, it)
    corin = a_coordinator(db_session)
    a_viewing(db_session, corin.id, "roster", meeting_id=it.id)
    db_session.delete(corin)
    db_session.flush()

    [(look, by, _)] = known(db_session, row).viewings

    assert (by, look.resource) == (None, "roster")


def test_the_mails_to_a_member_are_theirs_alone_and_only_while_their_text_is_kept(db_session):
    register(db_session, DECEMBER, ADA)
    register(db_session, DECEMBER, GRACE)
    owner = owner_of(db_session, "ada@example.org")

    found = members.read_member(db_session, owner, schedule.read(db_session, now=NOW))

    assert [mail.subject for mail in found.emails] == ["You are registered: December 15"]
