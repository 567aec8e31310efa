"""What the tables enforce: moments in UTC, and one live registration."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, StatementError

from cop.db.engine import read_tx, write_tx
from cop.models.meeting import Meeting
from cop.models.registration import Registration
from tests.builders import NOW, a_meeting, a_registration

pytestmark = pytest.mark.both


def test_a_moment_comes_back_in_utc_as_the_same_moment(app):
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    moments = {
        "utc": datetime(2026, 12, 15, 16, 30, tzinfo=UTC),
        "eastern": datetime(2026, 12, 15, 11, 30, tzinfo=ZoneInfo("America/New_York")),
        "kathmandu": datetime(2026, 12, 15, 22, 15, 0, 123456, tzinfo=kathmandu),
    }
    with write_tx() as db_session:
        for slug, moment in moments.items():
            a_meeting(db_session, slug=slug, starts_at=moment)

    with read_tx() as db_session:
        query = select(Meeting.slug, Meeting.starts_at).where(Meeting.slug.in_(moments))
        stored = dict(db_session.execute(query).all())

    assert stored == moments
    assert {moment.tzinfo for moment in stored.values()} == {UTC}


def test_a_moment_without_a_zone_is_refused(app):
    with pytest.raises(StatementError, match="without a zone"), write_tx() as db_session:
        a_meeting(db_session, starts_at=NOW.replace(tzinfo=None))

    with read_tx() as db_session:
        assert db_session.scalar(select(func.count(Meeting.id))) == 6


def test_the_database_takes_one_live_registration_for_a_meeting(app):
    with write_tx() as db_session:
        meeting, other = a_meeting(db_session), a_meeting(db_session, slug="other")
        for status in ("cancelled", "cancelled", "held"):
            a_registration(db_session, meeting, "ada@example.org", status)
        a_registration(db_session, other, "ada@example.org")

    with pytest.raises(IntegrityError), write_tx() as db_session:
        a_registration(db_session, meeting, "ada@example.org", "waiting")

    with read_tx() as db_session:
        assert db_session.scalar(select(func.count(Registration.id))) == 4
