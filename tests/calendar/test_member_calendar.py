"""What a member's own feed shows, and which links open it."""

from datetime import timedelta

import pytest

from cop.calendar.calendar import read_member_calendar
from cop.links import Links
from cop.models.meeting import MeetingStatus
from cop.models.registration import Member
from tests.builders import NOW, a_meeting, a_registration

LINKS = Links("https://cop.example.org", "k" * 40)
PLACES = {"held": "held", "canceled": "held", "waited-for": "waiting", "given-up": "cancelled"}


@pytest.fixture
def ada(db_session):
    """Ada, who holds a place at two of four meetings; Grace holds one at two of them."""
    for days, (slug, status) in enumerate(PLACES.items(), start=3):
        meeting = a_meeting(db_session, slug=slug, starts_at=NOW + timedelta(days=days))
        if slug == "canceled":
            meeting.status = MeetingStatus.CANCELLED
        a_registration(db_session, meeting, "ada@example.org", status)
        if slug in {"given-up", "held"}:
            a_registration(db_session, meeting, "grace@example.org")
    return db_session.query(Member).filter_by(email_key="ada@example.org").one()


def calendar_of(db_session, member_id, version=0):
    return read_member_calendar(db_session, member_id, calendar_version=version, links=LINKS)


def test_a_member_s_feed_shows_what_they_hold_also_where_it_was_canceled(db_session, ada):
    found = calendar_of(db_session, ada.id)

    shown = {meeting.slug: meeting.is_cancelled for meeting in found.meetings}
    assert shown == {"held": False, "canceled": True}


def test_each_join_link_is_the_member_s_own(db_session, ada):
    ada.token_version = 5
    mine = a_registration(db_session, a_meeting(db_session, slug="x", uid="x@cop"), ada.email)

    found = calendar_of(db_session, ada.id)

    assert found.join_urls[mine.meeting_id] == LINKS.join((ada.id, 5), mine.id)
    assert set(found.join_urls) == {meeting.id for meeting in found.meetings}


def test_a_member_who_holds_nothing_has_an_empty_feed(db_session):
    meeting = a_meeting(db_session)
    a_registration(db_session, meeting, "grace@example.org")
    waiting = a_registration(db_session, meeting, "ada@example.org", "waiting")

    found = calendar_of(db_session, waiting.member_id)

    assert (found.meetings, found.join_urls) == ((), {})


def test_only_a_link_of_the_current_version_and_of_a_member_opens_a_feed(db_session, ada):
    ada.calendar_version = 2
    db_session.flush()

    opened = [version for version in range(4) if calendar_of(db_session, ada.id, version)]

    assert opened == [2]
    assert calendar_of(db_session, ada.id + 999, 2) is None
