"""Times in emails are local to the community, before and after a clock change."""

import re
from datetime import UTC, datetime

from sqlalchemy import update

from cop.models.community import Community
from cop.models.meeting import Meeting
from tests.builders import ADA, outbox_emails, register

BEFORE, AFTER = "2027-02-16", "2027-03-16"  # clocks there go forward on 2027-03-14
TIME = re.compile(r"\d+:\d\d\s[AP]M")
LOCAL = ["11:30 AM", "1:00 PM"]


def starts(db_session):
    rows = db_session.query(Meeting).filter(Meeting.slug.in_([BEFORE, AFTER]))
    return [f"{row.starts_at:%H:%M}" for row in rows.order_by(Meeting.starts_at)]


def times(mail):
    """The times of day in both texts of an email, each once."""
    return [list(dict.fromkeys(TIME.findall(text))) for text in (mail.text, mail.html)]


def test_a_confirmation_says_the_same_hour_before_and_after_the_clocks_change(db_session):
    register(db_session, [BEFORE, AFTER], ADA)

    [mail] = outbox_emails(db_session)
    assert starts(db_session) == ["16:30", "15:30"]  # in UTC
    assert times(mail) == [LOCAL, LOCAL]
    assert mail.text.count("11:30 AM – 1:00 PM ET") == 2


def test_a_date_is_the_community_s_local_date(db_session):
    late = {"starts_at": datetime(2027, 2, 17, 2, 0, tzinfo=UTC),
            "ends_at": datetime(2027, 2, 17, 3, 0, tzinfo=UTC)}  # fmt: skip
    db_session.execute(update(Meeting).where(Meeting.slug == BEFORE).values(**late))

    register(db_session, BEFORE, ADA)

    [mail] = outbox_emails(db_session)
    assert "Tuesday, February 16, 9:00 – 10:00 PM ET" in mail.text
    assert mail.subject == "You're registered for February 16"


def test_the_time_zone_is_that_of_the_settings(db_session):
    db_session.execute(update(Community).values(time_zone="Asia/Kolkata"))

    register(db_session, BEFORE, ADA)

    [mail] = outbox_emails(db_session)
    assert "10:00 – 11:30 PM India Time" in mail.text
