"""Meetings in calendars, read back by two libraries."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import vobject
from icalendar import Calendar

from cop.calendar import calendar
from tests.builders import NOW
from tests.mail.gallery import CANCELLED, MEETING, WRITER

JOIN_URL = "https://cop.example.org/join/Ada-s"
JOIN_URLS = {MEETING.id: JOIN_URL}
PAGE = "https://cop.example.org/schedule/2026-12-15"
TITLE = "Equity in Data: Who disappears when we disaggregate?"
A_DAY = timedelta(days=1)


def with_community(**values):
    return replace(WRITER, community=replace(WRITER.community, **values))


def every_form(*meetings, writer=WRITER, join_urls=None):
    """Return each form in which a calendar can get a meeting, as text."""
    forms = [calendar.feed(writer, meetings, join_urls=join_urls).decode()]
    forms.append(calendar.attachment(writer, meetings, join_urls or {}))
    return forms if join_urls else [*forms, calendar.file(writer, meetings[0]).decode()]


def feed(*meetings, now=NOW):
    return calendar.feed(replace(WRITER, now=now), meetings)


def event(text):
    return Calendar.from_ical(text).events[0]


def uids(text):
    return [each["UID"] for each in Calendar.from_ical(text).events]


def query_of(address):
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def test_an_entry_has_title_location_and_time():
    for text in every_form(MEETING):
        found = event(text)

        assert (found["UID"], found["SEQUENCE"], found["URL"]) == ("one@cop", 0, PAGE)
        assert (found["STATUS"], found["TRANSP"]) == ("CONFIRMED", "OPAQUE")
        assert (found["SUMMARY"], found["LOCATION"]) == (TITLE, "Zoom")
        assert found["DTSTART"].params["TZID"] == "America/New_York"
        assert found["DTSTAMP"].dt == found["LAST-MODIFIED"].dt == NOW
        assert found.end - found.start == timedelta(minutes=90)
        assert "RRULE" not in found


def test_the_description_says_how_to_prepare():
    text = event(feed(MEETING))["DESCRIPTION"]

    title = "One chapter on small groups in large tables (20 minutes)"
    assert text.split("\n\n") == [
        "Members show how they broke their data down.",
        "Guest: Two members who did it last year",
        f"Read before the session: {title} https://example.org/small-groups",
        "Think about one question: Which group in your own data can nobody see?",
        f"Session page: {PAGE}",
    ]


def test_a_canceled_meeting_stays_with_its_reason_and_without_a_join_link():
    texts = [*every_form(CANCELLED), *every_form(CANCELLED, join_urls=JOIN_URLS)]

    for text in texts:
        found = event(text)
        assert (found["UID"], found["SEQUENCE"]) == ("one@cop", 1)
        assert (found["STATUS"], found["TRANSP"]) == ("CANCELLED", "TRANSPARENT")
        assert (found["SUMMARY"], found["LOCATION"]) == (f"CANCELED: {TITLE}", "Zoom")
        assert found["DESCRIPTION"].split("\n\n") == [
            "This session is canceled. The hosts are ill.",
            f"Session page: {PAGE}",
        ]


@pytest.mark.parametrize(
    ("moved_from", "reason", "expected"),
    [
        (date(2026, 11, 17), "Election week.", "Moved from November 17. Election week."),
        (date(2025, 12, 16), None, "Moved from December 16, 2025."),
    ],
    ids=["near", "far, so with the year"],
)
def test_a_moved_meeting_says_from_where(moved_from, reason, expected):
    moved = replace(MEETING, moved_from=moved_from, reason=reason)

    assert event(feed(moved))["DESCRIPTION"].split("\n\n")[0] == expected


def test_the_feed_has_a_name_and_refresh_interval_and_a_file_joins_an_existing_calendar():
    text, file = feed(MEETING).decode(), calendar.file(WRITER, MEETING).decode()

    found = Calendar.from_ical(text)
    assert found["NAME"] == found["X-WR-CALNAME"] == "Equity in Data Community of Practice"
    assert found["PRODID"] == calendar.PRODUCT
    assert "\r\nREFRESH-INTERVAL;VALUE=DURATION:PT12H\r\n" in text
    assert "\r\nX-PUBLISHED-TTL:PT12H\r\n" in text
    for name in ("METHOD", "ORGANIZER", "ATTENDEE", "contact@"):
        assert name not in text + file
    for name in ("\r\nNAME:", "X-WR-CALNAME", "REFRESH-INTERVAL"):
        assert name not in file


def test_an_attachment_is_published_and_requests_nothing():
    writer = with_community(contact_name='S. "Ed" E;')
    text = calendar.attachment(writer, [MEETING], {})
    no_contact = calendar.attachment(with_community(contact_email=None), [MEETING], {})

    assert Calendar.from_ical(text)["METHOD"] == "PUBLISH"
    assert event(text)["ORGANIZER"] == "mailto:contact@example.org"
    assert event(text)["ORGANIZER"].params["CN"] == 'S. "Ed" E;'
    assert "ATTENDEE" not in text
    assert "ORGANIZER" not in no_contact


def test_a_cancellation_removes_the_session_from_one_persons_calendar():
    later = replace(WRITER, now=NOW + A_DAY)
    [before] = Calendar.from_ical(calendar.attachment(WRITER, [MEETING], JOIN_URLS)).events
    cancellation = Calendar.from_ical(calendar.cancellation(later, MEETING))
    [after] = Calendar.from_ical(calendar.attachment(later, [MEETING], JOIN_URLS)).events

    [found] = cancellation.events
    assert (cancellation["METHOD"], found["STATUS"]) == ("CANCEL", "CANCELLED")
    assert found["SUMMARY"] == f"CANCELED: {TITLE}"
    assert found["ORGANIZER"] == "mailto:contact@example.org"
    assert "DESCRIPTION" not in found  # the session itself is not canceled
    same = ("UID", "SEQUENCE", "DTSTART", "DTEND")
    assert [found[name] for name in same] == [before[name] for name in same]
    # It replaces the entry of before, and the one of registering again replaces it.
    assert before["DTSTAMP"].dt < found["DTSTAMP"].dt == after["DTSTAMP"].dt
    assert after["SEQUENCE"] == found["SEQUENCE"]


def test_a_join_link_is_the_location_and_begins_the_description_of_its_own_meeting():
    bystander = replace(MEETING, id=2, uid="two@cop")

    for text in every_form(MEETING, bystander, join_urls=JOIN_URLS):
        own, other = Calendar.from_ical(text).events

        assert (own["UID"], own["LOCATION"]) == ("one@cop", JOIN_URL)
        assert own["DESCRIPTION"].startswith(
            f"Your join link (opens 15 minutes early): {JOIN_URL}\n\n"
        )
        assert (other["UID"], other["LOCATION"]) == ("two@cop", "Zoom")


def test_no_form_contains_the_room_address():
    texts = [
        *every_form(MEETING),
        *every_form(MEETING, join_urls=JOIN_URLS),
        calendar.google_link(WRITER, MEETING),
        calendar.outlook_link(WRITER, MEETING, is_work=True),
    ]

    assert "zoom.example" in MEETING.join_url
    assert [text for text in texts if "zoom.example" in text] == []


def test_the_bytes_change_only_when_the_content_does():
    first = feed(MEETING)

    assert feed(MEETING, now=NOW + 20 * A_DAY) == first
    assert feed(replace(MEETING, revised_at=NOW + A_DAY)) != first
    assert feed(replace(MEETING, topic="Something else")) != first
    for join_urls in (None, JOIN_URLS):
        texts = [every_form(MEETING, join_urls=join_urls) for _ in range(2)]
        assert texts[0] == texts[1]


@pytest.mark.parametrize("meeting", [MEETING, CANCELLED], ids=["held", "cancelled"])
def test_a_meeting_leaves_the_feed_30_days_after_its_end(meeting):
    bystander = replace(MEETING, uid="later@cop", ends_at=MEETING.ends_at + 9 * A_DAY)
    last = MEETING.ends_at + 30 * A_DAY

    before = feed(meeting, bystander, now=last - timedelta(seconds=1))
    after = feed(meeting, bystander, now=last)

    assert uids(before) == ["one@cop", "later@cop"]
    assert uids(after) == ["later@cop"]


def test_meetings_are_in_chronological_order():
    sooner = replace(MEETING, uid="sooner@cop", starts_at=MEETING.starts_at - 9 * A_DAY)

    assert uids(feed(MEETING, sooner)) == ["sooner@cop", "one@cop"]
    assert feed(MEETING, sooner) == feed(sooner, MEETING)


@pytest.mark.parametrize("year", [2026, 2099])
def test_eastern_times_follow_daylight_saving_time(year):
    starts = {}
    for month in range(1, 13):
        on = WRITER.community.rhythm.on(date(year, month, 15))
        shown = replace(MEETING, starts_at=on.starts_at, ends_at=on.ends_at)
        text = calendar.file(WRITER, shown).decode()
        starts[month] = vobject.readOne(text).vevent.dtstart.value.astimezone(UTC).strftime("%H:%M")

    assert starts == {month: "15:30" if 3 <= month <= 10 else "16:30" for month in starts}


def test_a_time_in_a_repeated_hour_is_in_utc():
    first, second = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6))

    text = feed(replace(MEETING, starts_at=first, ends_at=second)).decode()

    assert "DTSTART;TZID=America/New_York:20261101T013000\r\n" in text
    assert "DTEND:20261101T063000Z\r\n" in text


@pytest.mark.parametrize(
    "topic",
    ["a, b; c: d", r"C:\New\notes\,", '"said"', "two\nlines", "  spaced  ", "x" * 300],
    ids=repr,
)
def test_a_topic_is_read_back_as_typed(topic):
    for text in every_form(replace(MEETING, topic=topic)):
        assert vobject.readOne(text).vevent.summary.value == f"Equity in Data: {topic}"
        assert event(text)["SUMMARY"] == f"Equity in Data: {topic}"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028"], ids=ascii)
def test_no_text_injects_a_component_or_property(end):
    evil = end.join(
        ["x", "END:VEVENT", "BEGIN:VEVENT", "UID:evil", "ATTENDEE:mailto:a@example.org"]
    )
    texts = dict.fromkeys(("topic", "summary", "guests", "reading_title", "prep_question"), evil)
    writer = with_community(short_name=evil, name=evil, location=evil, contact_name=evil)

    for meeting in (replace(MEETING, **texts), replace(CANCELLED, reason=evil)):
        for text in every_form(meeting, writer=writer):
            assert not {"ATTENDEE:mailto:a@example.org", "UID:evil"} & set(text.split("\r\n"))
            assert text.count("\r\nBEGIN:VEVENT") == 1
            assert uids(text) == ["one@cop"]
            assert "\n" not in text.replace("\r\n", "")


def test_links_to_calendars_have_the_title_time_and_location_and_outlook_s_no_plus():
    google = calendar.google_link(WRITER, MEETING)
    outlook = calendar.outlook_link(WRITER, MEETING, is_work=True)
    private = calendar.outlook_link(WRITER, MEETING, is_work=False)

    assert google.startswith("https://calendar.google.com/calendar/render?")
    assert query_of(google) == {
        "action": "TEMPLATE",
        "text": TITLE,
        "dates": "20261215T163000Z/20261215T180000Z",
        "ctz": "America/New_York",
        "details": f"Session page: {PAGE}",
        "location": "Zoom",
    }
    assert outlook.startswith("https://outlook.office.com/calendar/0/deeplink/compose?")
    assert private == outlook.replace("outlook.office.com", "outlook.live.com")
    assert "+" not in outlook
    assert query_of(outlook) == {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": TITLE,
        "startdt": "2026-12-15T16:30:00Z",
        "enddt": "2026-12-15T18:00:00Z",
        "body": f"Session page: {PAGE}",
        "location": "Zoom",
    }
