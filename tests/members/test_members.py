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
ANNOUNCED = "2026-12-13T15:00:00+00:00|2026-12-13T16:30:00+00:00|planned|0123456789abcdef"
# For each column a value that is not its default, and how it is shown.
VALUES = {
    "name": ("Ada 100%", "Ada 100%"),
    "organization": ("Harbor Lab", "Harbor Lab"),
    "pronouns": ("she/her", "she/her"),
    "hats": (["analyst"], "Data analyst"),
    "hats_other": ("held", "held"),
    "lived_experience": (True, "Yes"),
    "access": (["asl"], "American Sign Language (ASL) interpreter"),
    "access_language": ("Portuguese", "Portuguese"),
    "access_other": ("A quiet %(room)s", "A quiet %(room)s"),
    "taking_part": (["listen"], "I like to listen"),
    "first_time": (True, "Yes"),
    "prep_answer": ("Those who left.", "Those who left."),
    "prep_visibility": ("named", "The group, with my name"),
    "status": ("waiting", "You're on the waiting list"),
    "registered_at": (MOMENT, "Registered: Nov 20, 12:05 PM"),
    "language": ("pt", "Language of the form: Portuguese"),
    "promoted_at": (MOMENT, "Got a spot from the waiting list: Nov 20, 12:05 PM"),
    "announced": (ANNOUNCED, "Sunday, December 13, 10:00 – 11:30 AM ET, with a join link"),
    "attended": (False, "Attended: No"),
    "minutes_present": (75, "Minutes in the session: 75"),
    "room": (3, "Room 3"),
    "cancelled_at": (MOMENT, "Canceled: Nov 20, 12:05 PM"),
    "first_attended_on": (date(2026, 9, 15), "September 15"),
    "joined_at": (MOMENT, "Used the join link: Nov 20, 12:05 PM"),
    "email": ("Ada@example.org", "Ada@example.org"),
    "email_key": ("lovelace@example.org", "We look you up by: lovelace@example.org"),
    "list_requested_at": (MOMENT, "Signed up: Nov 20, 12:05 PM"),
    "list_confirmed_at": (MOMENT, "Confirmed: Nov 20, 12:05 PM"),
    "verified_at": (MOMENT, "Last used a link from our emails: Nov 20, 12:05 PM"),
    "undeliverable_at": (MOMENT, "An email came back: Nov 20, 12:05 PM"),
    "opt_outs": (["reminders"], "Turned off: Reminders before sessions"),
    "token_version": (7, "Your link has a secret code"),
    "calendar_version": (8, "Your calendar link has a secret code"),
}


def owner_of(db_session, email):
    member = find_member(db_session, email)
    return Owner(member.id, member.token_version)


def read(db_session, email=ADA.email):
    listed = schedule.read(db_session, now=NOW)
    return members.read_member(db_session, owner_of(db_session, email), listed)


def held_values(db_session, email=ADA.email):
    """All that is shown to a member, by the name of the field."""
    data, writer = read(db_session, email), a_writer(db_session)
    values = [*held_data.member_values(data, writer=writer)]
    for registration in data.registrations:
        values += held_data.registration_values(registration, writer=writer)
    return {value.field.name: value for value in values}


def ada_at(db_session, meeting, status="held", **values):
    return a_registration(db_session, meeting, ADA.email, status, **values)


def test_every_stored_value_is_shown_to_the_member(db_session):
    row = ada_at(db_session, a_meeting(db_session))
    member = db_session.get(Member, row.member_id)
    for column, (value, _) in VALUES.items():
        setattr(member if hasattr(Member, column) else row, column, value)
    db_session.flush()

    shown = held_values(db_session, member.email_key)

    columns = [(field.name, column) for field in registry.FIELDS for column in field.columns]
    assert [c for name, c in columns if VALUES[c][1] not in shown[name].text] == []


def test_typed_text_is_not_translated_and_blanks_are_not_listed(db_session):
    ada_at(db_session, a_meeting(db_session), name="held", access_other="asl")

    shown = held_values(db_session)

    assert set(shown) == {"name", "access", "registered", "email", "correspondence"}
    assert (shown["name"].text, shown["access"].text) == ("held", "asl")


def test_each_value_goes_on_the_day_that_the_registry_promises(db_session):
    soon, late = a_meeting(db_session), a_meeting(db_session, starts_at=NOW + timedelta(days=90))
    ada_at(db_session, late)
    ada_at(db_session, soon, pronouns="she/her")

    values = held_values(db_session)
    find_member(db_session, ADA.email).list_confirmed_at = NOW
    db_session.flush()

    assert values["pronouns"].deleted_at == soon.ends_at + timedelta(days=7)
    assert values["name"].deleted_at == soon.ends_at + timedelta(days=60)
    assert values["email"].deleted_at == late.ends_at + timedelta(days=60)
    assert held_values(db_session)["email"].deleted_at is None  # while on the mailing list


def test_the_live_registration_for_a_session_comes_before_canceled_ones(db_session):
    meeting = a_meeting(db_session)
    live = ada_at(db_session, meeting)
    cancelled = ada_at(db_session, meeting, "cancelled")

    data = read(db_session)

    assert [each.row.id for each in data.registrations] == [live.id, cancelled.id]
    assert [each.row.id for each in data.upcoming] == [live.id]


def test_the_waiting_position_counts_those_who_joined_the_list_before(db_session):
    meeting = a_meeting(db_session)
    a_registration(db_session, meeting, "corin@example.org", "cancelled")
    a_registration(db_session, meeting, "grace@example.org", "waiting")
    ada_at(db_session, meeting, "waiting")
    a_registration(db_session, meeting, "katherine@example.org", "waiting")
    other = a_meeting(db_session, starts_at=NOW + timedelta(days=50))
    a_registration(db_session, other, "mallory@example.org", "waiting")

    [registration] = read(db_session).upcoming

    assert registration.waiting_position == 2


@pytest.mark.parametrize(("more", "version"), [(0, 1), (9999, 0), (0, -1)])
def test_a_link_that_is_not_theirs_opens_nothing(db_session, more, version):
    row = ada_at(db_session, a_meeting(db_session))
    owner = Owner(row.member_id + more, version)

    with pytest.raises(InvalidLink):
        members.read_member(db_session, owner, schedule.read(db_session, now=NOW))
    with pytest.raises(InvalidLink):
        members.verify_and_lock(db_session, owner, now=NOW)


def test_a_name_that_a_stranger_typed_is_in_no_email_until_its_owner_has_seen_it(db_session):
    register(db_session, DECEMBER, ADA)
    to = members.verify_and_lock(db_session, owner_of(db_session, ADA.email), now=NOW)
    later = NOW + timedelta(days=1)
    register(db_session, "2027-01-19", replace(ADA, name="You won a prize"), now=later)
    [_, confirmation] = outbox_emails(db_session)
    ids = [registrations(db_session)[1].id]

    [before] = recipients.of_registrations(db_session, ids)
    members.verify_and_lock(db_session, owner_of(db_session, ADA.email), now=later)
    [after] = recipients.of_registrations(db_session, ids)

    assert (to.name, to.email, to.verified_at) == ("Ada Example", "ada@example.org", NOW)
    assert "prize" not in confirmation.text + confirmation.html + confirmation.to_name
    assert before.recipient.display_name == ""
    assert after.recipient.display_name == "You won a prize"


def test_members_see_viewings_of_lists_they_are_on_since_they_registered(db_session):
    mine, other = a_meeting(db_session), a_meeting(db_session, starts_at=NOW + timedelta(days=50))
    ada_at(db_session, mine)
    corin, dana = a_coordinator(db_session), a_coordinator(db_session, "Dana")
    an_hour = timedelta(hours=1)
    a_viewing(db_session, corin.id, "roster", now=NOW - an_hour, meeting_id=mine.id)
    a_viewing(db_session, dana.id, "roster", meeting_id=mine.id)
    a_viewing(db_session, corin.id, "roster", meeting_id=other.id)
    a_viewing(db_session, corin.id, "export", now=NOW + an_hour, columns=["name", "access"])
    db_session.delete(dana)
    db_session.flush()

    viewings = read(db_session).viewings

    assert [(name, row.resource, row.columns, of) for row, name, of in viewings] == [
        ("Corin", "export", ["name", "access"], None),
        (None, "roster", [], mine),
    ]


def test_the_emails_to_a_member_are_theirs_alone_and_only_while_their_text_is_stored(db_session):
    for person in (ADA, GRACE):
        register(db_session, DECEMBER, person)
    register(db_session, "2027-01-19", ADA)
    outbox_emails(db_session)[-1].text = ""
    db_session.flush()

    assert [email.subject for email in read(db_session).emails] == [
        "You're registered for December 15"
    ]
