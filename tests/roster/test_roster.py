"""The roster on the screen, and in numbers."""

from datetime import timedelta

import pytest

from cop.roster import roster
from cop.roster.roster import Counts
from tests.builders import NOW, a_meeting, a_registration

pytestmark = pytest.mark.both


def test_places_come_before_the_waiting_list_and_canceled_registrations(db_session):
    it = a_meeting(db_session, slug="it")
    a_registration(db_session, a_meeting(db_session, slug="other"), "bystander@example.org")
    for minutes, (name, status) in enumerate(
        [("mallory", "cancelled"), ("katherine", "waiting"), ("ada", "held"), ("corin", "held")]
    ):
        registered_at = NOW - timedelta(minutes=minutes)
        a_registration(db_session, it, f"{name}@example.org", status, registered_at=registered_at)

    shown = roster.attendees(db_session, it.id)

    assert [row.name for row in shown] == ["Corin", "Ada", "Katherine", "Mallory"]
    assert not {"access", "access_language", "access_other"} & set(shown[0]._fields)


def test_counts_are_of_one_meeting_and_leave_out_canceled_registrations(db_session):
    it, other = a_meeting(db_session, slug="it"), a_meeting(db_session, slug="other")
    for name, status, said in (
        ("ada", "held", {"first_time": True, "access": ["asl"], "attended": True}),
        ("grace", "waiting", {"access_other": "a break", "attended": False}),
        ("katherine", "held", {"first_time": True}),
        ("mallory", "cancelled", {"first_time": True, "access": ["asl"]}),
    ):
        a_registration(db_session, it, f"{name}@example.org", status, **said)
    a_registration(db_session, other, "bystander@example.org")

    counted = [roster.count_statuses(roster.attendees(db_session, each.id)) for each in (it, other)]

    assert counted == [
        Counts(held=2, waiting=1, cancelled=1, first_time=2, access=2, attended=1),
        Counts(held=1),
    ]
    assert roster.count_statuses([]) == Counts()
