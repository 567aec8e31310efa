"""Meetings in calendars, read back by two libraries."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import vobject
from icalendar import Calendar

from cop.calendar import calendar
from cop.meetings import locking
from cop.models.meeting import MeetingStatus
from tests.builders import NOW, a_meeting, a_writer

ROOM = "https://zoom.example/j/123456789?pwd=secret"
JOIN_URL = "https://cop.example.org/join/Ada-s"
HALF_PAST = datetime(2026, 12, 15, 16, 30, tzinfo=UTC)
LINE_ENDS = ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028"]


@pytest.fixture
def writer(db_session):
    return a_writer(db_session)


@pytest.fixture
def meeting(db_session):
    """A meeting with all of its columns, a room included."""
    row = a_meeting(
        db_session,
        slug="it",
        uid="it@cop",
        sequence=3,
        starts_at=HALF_PAST,
        revised_at=NOW,
        topic="How much is enough?",
        summary="On *asking* less.",
        guests="A guest from Hartford",
        reading_title="Do no harm",
        reading_url="https://example.org/a,b;c",
        reading_minutes=20,
        prep_question="Which question would you drop?",
        join_url=ROOM,
    )
    return locking.read(db_session, [row.id])[0]


def canceled(meeting, **values):
    return replace(meeting, status=MeetingStatus.CANCELLED, sequence=4, **values)


def with_community(writer, **values):
    return replace(writer, community=replace(writer.community, **values))


def every_form(writer, meeting, *others, join_urls=None):
    """Return each form in which a calendar can get a meeting, as text."""
    meetings = [meeting, *others]
    forms = [feed(writer, *meetings, join_urls=join_urls).decode()]
    forms.append(calendar.attachment(writer, meetings, join_urls or {}))
    return forms if join_urls else [*forms, calendar.file(writer, meeting).decode()]


def feed(writer, *shown, now=NOW, join_urls=None):
    return calendar.feed(replace(writer, now=now), shown, join_urls=join_urls)


def event(text):
    return Calendar.from_ical(text).events[0]


def uids(text):
    return [each["UID"] for each in Calendar.from_ical(text).events]


def query_of(address):
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def test_an_entry_has_title_location_and_time(writer, meeting):
    for text in every_form(writer, meeting):
        found = event(text)

        assert found["UID"] == "it@cop"
        assert found["SEQUENCE"] == 3
        assert (found["STATUS"], found["TRANSP"]) == ("CONFIRMED", "OPAQUE")
        assert found["SUMMARY"] == "Equity in Data: How much is enough?"
        assert found["LOCATION"] == "Zoom"
        assert found["URL"] == "https://cop.example.org/schedule/it"
        assert found["DTSTART"].params["TZID"] == "America/New_York"
        assert found["DTSTAMP"].dt == found["LAST-MODIFIED"].dt == NOW
        assert found.end - found.start == timedelta(minutes=90)
        assert "RRULE" not in found


def test_the_description_says_how_to_prepare(writer, meeting):
    text = event(feed(writer, meeting))["DESCRIPTION"]

    assert text.split("\n\n") == [
        "On *asking* less.",
        "Guest: A guest from Hartford",
        "To read before: Do no harm (20 minutes) https://example.org/a,b;c",
        "A question to think about: Which question would you drop?",
        "The session's page: https://cop.example.org/schedule/it",
    ]


def test_a_canceled_meeting_stays_with_its_reason(writer, meeting):
    for text in every_form(writer, canceled(meeting, reason="Snow.")):
        found = event(text)

        assert found["UID"] == "it@cop"
        assert found["SEQUENCE"] == 4
        assert (found["STATUS"], found["TRANSP"]) == ("CANCELLED", "TRANSPARENT")
        assert found["SUMMARY"] == "CANCELLED: Equity in Data: How much is enough?"
        assert found["DESCRIPTION"].startswith("This session does not take place. Snow.\n\n")
        assert "Do no harm" not in text


@pytest.mark.parametrize(
    ("moved_from", "reason", "said"),
    [
        (date(2026, 11, 17), "Election week.", "Moved from November 17. Election week."),
        (date(2025, 12, 16), None, "Moved from December 16, 2025."),
    ],
    ids=["near", "far, so with the year"],
)
def test_a_moved_meeting_says_from_where(writer, meeting, moved_from, reason, said):
    moved = replace(meeting, moved_from=moved_from, reason=reason)

    assert event(feed(writer, moved))["DESCRIPTION"].split("\n\n")[0] == said


def test_the_feed_has_a_name_and_refresh_interval_but_no_method_or_people(writer, meeting):
    text = feed(with_community(writer, contact_email="sarah@example.org"), meeting).decode()
    found = Calendar.from_ical(text)

    assert found["NAME"] == found["X-WR-CALNAME"] == "Equity in Data Community of Practice"
    assert "\r\nREFRESH-INTERVAL;VALUE=DURATION:PT12H\r\n" in text
    assert "\r\nX-PUBLISHED-TTL:PT12H\r\n" in text
    assert found["PRODID"] == calendar.PRODUCT
    for none_of in ("METHOD", "ORGANIZER", "ATTENDEE", "sarah@"):
        assert none_of not in text


def test_a_file_joins_an_existing_calendar(writer, meeting):
    text = calendar.file(writer, meeting).decode()

    for none_of in ("METHOD", "\r\nNAME:", "X-WR-CALNAME", "REFRESH-INTERVAL"):
        assert none_of not in text


def test_an_attachment_is_published_and_requests_nothing(writer, meeting):
    contact = {"contact_email": "sarah@example.org", "contact_name": 'S. "Ed" E;'}

    text = calendar.attachment(with_community(writer, **contact), [meeting], {})

    assert Calendar.from_ical(text)["METHOD"] == "PUBLISH"
    organizer = event(text)["ORGANIZER"]
    assert organizer == "mailto:sarah@example.org"
    assert organizer.params["CN"] == 'S. "Ed" E;'
    assert "ATTENDEE" not in text
    assert "ORGANIZER" not in calendar.attachment(writer, [meeting], {})


def test_a_join_link_is_the_location_and_begins_the_description_of_its_own_meeting(writer, meeting):
    bystander = replace(meeting, id=meeting.id + 1, uid="bystander@cop")

    for text in every_form(writer, meeting, bystander, join_urls={meeting.id: JOIN_URL}):
        own, other = Calendar.from_ical(text).events

        assert (own["UID"], own["LOCATION"]) == ("it@cop", JOIN_URL)
        assert own["DESCRIPTION"].startswith(f"The way in: {JOIN_URL}\n\n")
        assert (other["UID"], other["LOCATION"]) == ("bystander@cop", "Zoom")


def test_a_canceled_meeting_has_no_join_link(writer, meeting):
    for text in every_form(writer, canceled(meeting), join_urls={meeting.id: JOIN_URL}):
        assert event(text)["LOCATION"] == "Zoom"
        assert JOIN_URL not in text


def test_no_form_contains_the_room_address(writer, meeting):
    texts = [
        *every_form(writer, meeting),
        *every_form(writer, meeting, join_urls={meeting.id: JOIN_URL}),
        calendar.google_link(writer, meeting),
        calendar.outlook_link(writer, meeting),
    ]

    assert meeting.join_url == ROOM
    assert [text for text in texts if "zoom.example" in text or "pwd" in text] == []


def test_the_bytes_change_only_when_the_content_does(writer, meeting):
    first = feed(writer, meeting)

    assert feed(writer, meeting, now=NOW + timedelta(days=20)) == first
    assert feed(writer, replace(meeting, revised_at=NOW + timedelta(days=1))) != first
    assert feed(writer, replace(meeting, topic="Something else")) != first
    for join_urls in (None, {meeting.id: JOIN_URL}):
        texts = [every_form(writer, meeting, join_urls=join_urls) for _ in range(2)]
        assert texts[0] == texts[1]


@pytest.mark.parametrize("change", [lambda meeting: meeting, canceled], ids=["held", "cancelled"])
def test_a_meeting_leaves_the_feed_30_days_after_its_end(writer, meeting, change):
    shown = change(meeting)
    bystander = replace(meeting, uid="later@cop", ends_at=meeting.ends_at + timedelta(days=9))
    last = meeting.ends_at + timedelta(days=30)

    before = feed(writer, shown, bystander, now=last - timedelta(seconds=1))
    after = feed(writer, shown, bystander, now=last)

    assert uids(before) == ["it@cop", "later@cop"]
    assert uids(after) == ["later@cop"]


def test_meetings_are_in_chronological_order(writer, meeting):
    sooner = replace(meeting, uid="sooner@cop", starts_at=HALF_PAST - timedelta(days=9))

    assert uids(feed(writer, meeting, sooner)) == ["sooner@cop", "it@cop"]
    assert feed(writer, meeting, sooner) == feed(writer, sooner, meeting)


@pytest.mark.parametrize("year", [2026, 2099])
def test_eastern_times_follow_daylight_saving_time(writer, meeting, year):
    starts = {}
    for month in range(1, 13):
        third_tuesday = next(
            day for day in (date(year, month, 15 + n) for n in range(7)) if day.weekday() == 1
        )
        on = writer.community.rhythm.on(third_tuesday)
        shown = replace(meeting, starts_at=on.starts_at, ends_at=on.ends_at)
        text = calendar.file(writer, shown).decode()
        starts[month] = vobject.readOne(text).vevent.dtstart.value.astimezone(UTC).strftime("%H:%M")

    assert starts == {month: "15:30" if 3 <= month <= 10 else "16:30" for month in starts}


def test_a_time_in_a_repeated_hour_is_in_utc(writer, meeting):
    first, second = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6))

    text = feed(writer, replace(meeting, starts_at=first, ends_at=second)).decode()

    assert "DTSTART;TZID=America/New_York:20261101T013000\r\n" in text
    assert "DTEND:20261101T063000Z\r\n" in text


@pytest.mark.parametrize(
    "topic", ["a, b; c: d", r"C:\New\notes\,", '"said"', "two\nlines", "  spaced  ", "x" * 300], ids=repr
)  # fmt: skip
def test_a_topic_is_read_back_as_typed(writer, meeting, topic):
    for text in every_form(writer, replace(meeting, topic=topic)):
        said = f"Equity in Data: {topic}"

        assert vobject.readOne(text).vevent.summary.value == said
        assert event(text)["SUMMARY"] == said


@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
def test_no_text_injects_a_component_or_property(writer, meeting, end):
    evil = end.join(
        ["x", "END:VEVENT", "BEGIN:VEVENT", "UID:evil", "ATTENDEE:mailto:a@example.org"]
    )
    texts = dict.fromkeys(("topic", "summary", "guests", "reading_title", "prep_question"), evil)
    shown = [replace(meeting, **texts), canceled(meeting, reason=evil)]
    names = {"short_name": evil, "name": evil, "location": evil, "contact_name": evil}
    elsewhere = with_community(writer, contact_email="sarah@example.org", **names)

    for each in shown:
        for text in every_form(elsewhere, each):
            assert text.count("\r\nBEGIN:VEVENT") == 1
            assert not {"ATTENDEE:mailto:a@example.org", "UID:evil"} & set(text.split("\r\n"))
            assert uids(text) == ["it@cop"]
            assert "\n" not in text.replace("\r\n", "")


def test_the_google_link_has_the_title_time_and_location(writer, meeting):
    address = calendar.google_link(writer, meeting)

    assert address.startswith("https://calendar.google.com/calendar/render?")
    assert query_of(address) == {
        "action": "TEMPLATE",
        "text": "Equity in Data: How much is enough?",
        "dates": "20261215T163000Z/20261215T180000Z",
        "ctz": "America/New_York",
        "details": "The session's page: https://cop.example.org/schedule/it",
        "location": "Zoom",
    }


def test_the_outlook_link_has_the_title_time_and_location_without_a_plus(writer, meeting):
    address = calendar.outlook_link(writer, meeting)

    assert address.startswith("https://outlook.live.com/calendar/0/deeplink/compose?")
    assert "+" not in address
    assert query_of(address) == {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": "Equity in Data: How much is enough?",
        "startdt": "2026-12-15T16:30:00Z",
        "enddt": "2026-12-15T18:00:00Z",
        "body": "The session's page: https://cop.example.org/schedule/it",
        "location": "Zoom",
    }
