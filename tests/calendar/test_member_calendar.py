"""What a member's own feed shows: what they hold, and nothing for a link that works no more."""

from datetime import timedelta

import pytest

from cop.calendar import calendar
from cop.links import Links
from cop.models.meeting import MeetingStatus
from cop.models.registration import Member
from tests.builders import NOW, a_meeting, a_registration

LINKS = Links("https://cop.example.org", "k" * 40)


@pytest.fixture
def ada(db_session):
    """Ada, who holds a place at two of four meetings; Grace holds one at a third."""
    days = {"held": 3, "called-off": 10, "waited-for": 17, "given-up": 24}
    met = {
        slug: a_meeting(db_session, slug=slug, starts_at=NOW + timedelta(days=number))
        for slug, number in days.items()
    }
    met["called-off"].status = MeetingStatus.CANCELLED
    for slug, status in (("held", "held"), ("called-off", "held"), ("waited-for", "waiting"),
                         ("given-up", "cancelled")):  # fmt: skip
        a_registration(db_session, met[slug], "ada@example.org", status)
    for slug in ("given-up", "held"):
        a_registration(db_session, met[slug], "grace@example.org")
    return db_session.query(Member).filter_by(email_key="ada@example.org").one()


def test_a_member_s_feed_shows_what_they_hold_also_where_it_was_called_off(db_session, ada):
    found = calendar.read_member_calendar(db_session, ada.id, calendar_version=0, links=LINKS)

    shown = {meeting.slug: meeting.is_cancelled for meeting in found.meetings}
    assert shown == {"held": False, "called-off": True}


def test_each_way_in_is_the_member_s_own(db_session, ada):
    ada.token_version = 5
    mine = a_registration(
        db_session, a_meeting(db_session, slug="another", uid="another@cop"), ada.email
    )

    found = calendar.read_member_calendar(db_session, ada.id, calendar_version=0, links=LINKS)

    assert found.way_in[mine.meeting_id] == LINKS.join((ada.id, 5), mine.id)
    assert set(found.way_in) == {meeting.id for meeting in found.meetings}


def test_a_member_who_holds_nothing_has_an_empty_feed(db_session):
    meeting = a_meeting(db_session)
    a_registration(db_session, meeting, "grace@example.org")
    waiting = a_registration(db_session, meeting, "ada@example.org", "waiting")

    found = calendar.read_member_calendar(
        db_session, waiting.member_id, calendar_version=0, links=LINKS
    )

    assert (found.meetings, found.way_in) == ((), {})


@pytest.mark.parametrize("version", [0, 1, 3], ids=["first", "last but one", "to come"])
def test_a_link_of_another_version_shows_nothing(db_session, ada, version):
    ada.calendar_version = 2
    db_session.flush()

    assert (
        calendar.read_member_calendar(db_session, ada.id, calendar_version=version, links=LINKS)
        is None
    )
    assert (
        calendar.read_member_calendar(db_session, ada.id, calendar_version=2, links=LINKS)
        is not None
    )


def test_a_member_who_is_gone_has_no_feed(db_session, ada):
    assert (
        calendar.read_member_calendar(db_session, ada.id + 999, calendar_version=0, links=LINKS)
        is None
    )
