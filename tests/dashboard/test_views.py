"""The console's front page: the next session, its emails, to-do items and recent attendance."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cop.db.engine import write_tx
from cop.models.coordinator import CoordinatorSession
from cop.models.meeting import Meeting
from cop.models.registration import Member
from cop.outbox.outbox import EmailKind
from tests.builders import NOW, a_meeting, a_registration
from tests.client import (
    DECEMBER,
    JANUARY,
    add_registrations,
    advance_clock,
    main_text,
    rows,
    sign_in,
    text_of,
    update_community,
    update_meeting,
)
from tests.conftest import settings_for
from tests.outbox.test_views import a_mail
from tests.statements import Statements

FRONT = "/coordinator/"
A_DAY = timedelta(days=1)


def id_of(slug):
    return next(row["id"] for row in rows(Meeting) if row["slug"] == slug)


def a_past_meeting(ago, slug, people=0, attended=None, **values):
    """Add a past session."""
    with write_tx() as db_session:
        meeting = a_meeting(db_session, starts_at=NOW - ago, slug=slug, **values)
        for number in range(people):
            a_registration(db_session, meeting, f"{slug}.{number}@example.org", attended=attended)


def verify(*emails, **values):
    """Mark the addresses of members as verified."""
    with write_tx() as db_session:
        for member in db_session.query(Member).filter(Member.email.in_(emails)):
            for name, value in ({"verified_at": NOW} | values).items():
                setattr(member, name, value)


def to_do(corin):
    return [text_of(line) for line in corin.page(FRONT).select(".to-do li")]


def about(corin, *words):
    """The to-do items that contain one of these words."""
    return [line for line in to_do(corin) if any(word in line for word in words)]


def next_session_facts(corin):
    return text_of(corin.page(FRONT).select_one("#emails"))


def chips(corin):
    """The things to do for the next session, and those that are done."""
    return [text_of(chip) for chip in corin.page(FRONT).select(".next .chip")]


def test_the_next_session_comes_first_in_numbers(corin):
    update_meeting(DECEMBER, topic="Who disappears?", capacity=10)
    add_registrations(DECEMBER, "ada@example.org", first_time=True, access=["asl"])
    add_registrations(DECEMBER, "grace@example.org")
    add_registrations(DECEMBER, "katherine@example.org", status="waiting")
    add_registrations(JANUARY, "bystander@example.org", first_time=True)

    page = corin.page(FRONT)

    assert page.h1.get_text(strip=True) == "Who disappears?"
    assert page.select_one(".eyebrow").get_text().startswith("In 23 days: Tuesday, December 15")
    figures = {text_of(div.dt): text_of(div.dd) for div in page.select(".figures div")}
    assert figures == {
        "Registered": "2", "Spots left": "8", "Waiting list": "1", "First-timers": "1",
        "Access needs": "1",
    }  # fmt: skip


def test_access_is_to_be_booked_two_weeks_before(app, corin):
    add_registrations(DECEMBER, "ada@example.org", access_other="A quiet room")
    wait(app, 9 * A_DAY)
    in_time = chips(corin)
    wait(app, 10 * A_DAY)

    assert "Book any interpreters or captioners by December 1" in in_time
    assert "The deadline to book was December 1: see access needs" in chips(corin)


def wait(app, ahead):
    """Advance the clock; Corin stays signed in."""
    advance_clock(app, ahead)
    with write_tx() as db_session:
        for device in db_session.query(CoordinatorSession):
            device.created_at = device.last_seen_at = NOW + ahead


def test_sent_pending_and_upcoming_emails_are_counted(corin):
    add_registrations(DECEMBER, "ada@example.org", "grace@example.org", "katherine@example.org")
    verify("ada@example.org", "grace@example.org")
    verify("grace@example.org", opt_outs=["reminders"])
    [ada, *_] = rows(Member)
    december = id_of(DECEMBER)
    a_mail(kind=EmailKind.CONFIRMATION, member_id=ada["id"])
    a_mail("queued", kind=EmailKind.CHANGED, meeting_id=december)
    a_mail(kind=EmailKind.MESSAGE, meeting_id=december)
    a_mail(kind=EmailKind.MESSAGE, meeting_id=id_of(JANUARY))

    words = next_session_facts(corin)

    assert "Emails sent: 1 confirmation, 1 message from coordinators." in words
    assert "1 email is waiting to be sent." in words
    assert "1 person will get the reminder on December 8." in words
    assert "2 people will get the reminder on December 14." in words


def test_a_reminder_that_was_sent_is_not_upcoming(app, corin):
    add_registrations(DECEMBER, "ada@example.org")
    a_mail(kind=EmailKind.REMINDER, meeting_id=id_of(DECEMBER))
    wait(app, 20 * A_DAY)

    words = next_session_facts(corin)

    assert "Emails sent: 1 reminder." in words
    assert "December 8" not in words
    assert "1 person will get the reminder on December 14." in words


def test_a_confirmation_counts_only_for_its_own_registration(corin):
    add_registrations(DECEMBER, "ada@example.org", registered_at=NOW + A_DAY)
    [ada] = rows(Member)
    a_mail(kind=EmailKind.CONFIRMATION, member_id=ada["id"])
    a_mail("failed", kind=EmailKind.CONFIRMATION, member_id=ada["id"])

    assert "No emails sent yet." in next_session_facts(corin)


def test_the_next_session_shows_whether_the_join_address_is_set(corin):
    missing = chips(corin)
    update_meeting(DECEMBER, join_url="https://zoom.example.org/j/1")

    assert missing == ["Add the join link"]
    assert chips(corin) == ["Join link added"]


def test_a_missing_topic_is_a_to_do_item_four_weeks_before(corin):
    near, far = NOW + timedelta(weeks=4), NOW + timedelta(weeks=4, seconds=1)
    update_meeting(DECEMBER, starts_at=near, ends_at=far)
    update_meeting(JANUARY, starts_at=far, capacity=8)

    assert about(corin, "topic") == ["The session on December 20 has no topic yet. Add a topic"]
    update_meeting(DECEMBER, topic="Who disappears?")
    assert about(corin, "topic") == []


def test_a_past_session_needs_takeaways_and_attendance(corin):
    a_past_meeting(5 * A_DAY, "noted", people=2, attended=True, published_at=NOW)
    a_past_meeting(6 * A_DAY, "unnoted", people=2)
    a_past_meeting(7 * A_DAY, "cancelled", people=2, status="cancelled")
    a_past_meeting(90 * A_DAY, "long-ago", registered_count=20)

    assert about(corin, "takeaways", "Attendance") == [
        "Attendance for November 16 isn't recorded yet. Record attendance",
        "The takeaways for November 16 aren't published yet. Publish the takeaways",
    ]


def test_a_missing_contact_address_is_the_first_to_do_item(corin):
    first, *_ = to_do(corin)
    update_community(contact_email="contact@example.org")

    assert first.startswith("People can't reach you, because the site has no contact email.")
    assert about(corin, "contact email") == []


def test_newcomers_are_a_to_do_item_in_the_last_week(corin):
    add_registrations(DECEMBER, "ada@example.org", "grace@example.org", first_time=True)
    early = about(corin, "first-timers")
    update_meeting(DECEMBER, starts_at=NOW + timedelta(days=7), ends_at=NOW + timedelta(days=7.1))

    late = about(corin, "first-timers")

    assert early == []
    assert late == ["2 first-timers are registered for November 29. Welcome them by name. See who"]


def test_a_replaced_secret_key_is_the_first_to_do_item_for_two_weeks(corin):
    never = about(corin, "Lost your link?")
    changed_at = NOW - timedelta(days=14, seconds=-1)
    update_community(key_changed_at=changed_at, contact_email="contact@example.org")
    first, *others = to_do(corin)
    update_community(key_changed_at=NOW - timedelta(days=14))

    assert first.startswith("Links in emails sent before Nov 8, 10:00 AM no longer")
    assert others
    assert never == about(corin, "Lost your link?") == []


def test_a_missing_backup_is_a_to_do_item_after_26_hours(corin):
    [never] = about(corin, "backup")
    update_community(backup_at=NOW - timedelta(hours=26))
    in_time = about(corin, "backup")
    update_community(backup_at=NOW - timedelta(hours=26, seconds=1))
    [late] = about(corin, "backup")

    assert never.startswith("There's no backup yet, so old data isn't deleted.")
    assert in_time == []
    assert late.startswith("There's been no backup since Nov 21, 7:59 AM, so")


@pytest.mark.parametrize(
    ("values", "headers", "is_shown"),
    [
        ({"base_url": "https://localhost"}, {}, True),
        ({}, {}, False),
        ({}, {"X-Forwarded-For": "203.0.113.9"}, True),
        ({"trusted_proxies": 1}, {"X-Forwarded-For": "203.0.113.9"}, False),
    ],
)
def test_an_unconfigured_proxy_is_a_to_do_item(app, corin, values, headers, is_shown):
    app.extensions["cop.settings"] = replace(app.extensions["cop.settings"], **values)

    page = corin.get(FRONT, headers=headers).text

    assert ("Set COP_TRUSTED_PROXIES to" in page) == is_shown


def test_on_postgresql_the_to_do_item_points_to_the_server_s_backups(app, corin):
    app.extensions["cop.settings"] = settings_for("postgresql://localhost/nothing")

    [line] = about(corin, "backup")

    assert "Ask whoever runs the PostgreSQL server" in line


def test_the_last_twelve_months_are_in_a_chart_and_all_sessions_in_a_table(corin):
    a_past_meeting(400 * A_DAY, "too-old", registered_count=99, attended_count=9)
    a_past_meeting(190 * A_DAY, "past", registered_count=40, attended_count=25)
    a_past_meeting(10 * A_DAY, "unnoted", people=4)

    page = corin.page(FRONT)

    svg = page.main.find("svg")
    numbers = [text.get_text() for text in svg.find_all("text")]
    cells = [
        [text_of(cell) for cell in row.select("th a, td")]
        for row in page.select("[aria-labelledby=past] tbody tr")
    ]
    assert numbers == ["40", "May", "2026", "4", "Nov"]
    assert (len(svg.select(".whole")), len(svg.select(".part"))) == (2, 1)
    assert svg["aria-labelledby"].split() == [svg.title["id"], svg.desc["id"]]
    assert cells == [
        ["November 12", "4", "not recorded"],
        ["May 16", "40", "25"],
        ["October 18, 2025", "99", "9"],
    ]


def test_past_sessions_are_collapsed_after_twelve(corin):
    for number in range(15):
        a_past_meeting((number + 400) * A_DAY, f"past-{number}", registered_count=9)

    page = corin.page(FRONT)

    assert len(page.select("section > .table tbody tr")) == 6 + 12
    assert page.select_one("#earlier").get_text() == "3 earlier sessions"
    assert len(page.select("details .table tbody tr")) == 3


def test_with_no_session_planned_the_page_shows_it(corin):
    for row in rows(Meeting):
        update_meeting(row["slug"], status="cancelled")

    page = corin.page(FRONT)

    assert page.h1.get_text() == "No sessions planned"
    assert "Canceled" in main_text(page)
    assert page.main.find("svg") is None


def test_the_page_only_reads_in_five_statements_whatever_is_stored(corin):
    december = id_of(DECEMBER)
    for number in range(12):
        a_past_meeting((number + 3) * A_DAY, f"past-{number}", people=1)
        a_mail("retrying", attempts=1, server_reply="No", meeting_id=december)
    add_registrations(DECEMBER, "ada@example.org", "grace@example.org")
    corin.get(FRONT)  # once a minute a request updates the last use of the session

    with Statements() as sent:
        corin.get(FRONT)

    assert 0 < len(sent) <= 5
    assert all(statement.startswith("SELECT") for statement in sent)


def test_opening_the_page_plans_the_missing_dates_ahead(app, corin):
    update_meeting(DECEMBER, status="cancelled")
    corin.get(FRONT)
    before = len(rows(Meeting))
    advance_clock(app, 60 * A_DAY)
    sign_in(corin)

    page = corin.page(FRONT)

    assert (before, len(rows(Meeting))) == (6, 8)
    assert "July 20" in main_text(page)
