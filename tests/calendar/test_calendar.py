"""Meetings in calendars, read back by two libraries."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import vobject
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from cop.calendar import calendar
from cop.calendar.calendar import CalendarWriter
from cop.community.community import load_community
from cop.links import Links
from cop.meetings import locking
from cop.models.meeting import MeetingStatus
from tests.builders import NOW, a_meeting

LINKS = Links("https://cop.example.org", "k" * 40)
ROOM = "https://zoom.example/j/123456789?pwd=secret"
JOIN_URL = "https://cop.example.org/join/Ada-s"
HALF_PAST = datetime(2026, 12, 15, 16, 30, tzinfo=UTC)
LINE_ENDS = ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028"]


@pytest.fixture
def community(db_session):
    return load_community(db_session)


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


def every_form(meeting, community, join_urls=None):
    """Return each form in which a calendar can get a meeting, as text."""
    writer = CalendarWriter(community, LINKS)
    forms = [writer.feed([meeting], now=NOW, join_urls=join_urls).decode()]
    forms.append(writer.attachment([meeting], join_urls or {}))
    return forms if join_urls else [*forms, writer.file(meeting).decode()]


def feed(community, *shown, now=NOW):
    return CalendarWriter(community, LINKS).feed(shown, now=now)


def event(text):
    return Calendar.from_ical(text).events[0]


def uids(text):
    return [each["UID"] for each in Calendar.from_ical(text).events]


def query_of(address):
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def tidy(text):
    """A text as it can stand in a calendar."""
    lines = "\n".join(text.splitlines())
    return "".join(c for c in lines if c in "\n\t" or not (c < " " or "\x7f" <= c <= "\x9f"))


def test_an_entry_has_title_location_and_time(community, meeting):
    for text in every_form(meeting, community):
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


def test_the_description_says_how_to_prepare(community, meeting):
    text = event(feed(community, meeting))["DESCRIPTION"]

    assert text.split("\n\n") == [
        "On *asking* less.",
        "Guest: A guest from Hartford",
        "To read before: Do no harm (20 minutes) https://example.org/a,b;c",
        "A question to think about: Which question would you drop?",
        "The session's page: https://cop.example.org/schedule/it",
    ]


def test_a_meeting_without_a_topic_says_so(community, meeting):
    found = event(feed(community, replace(meeting, topic=None)))

    assert found["SUMMARY"] == "Equity in Data: Topic to be announced"


def test_a_canceled_meeting_stays_with_its_reason(community, meeting):
    for text in every_form(canceled(meeting, reason="Snow."), community):
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
        (date(2026, 11, 17), None, "Moved from November 17."),
        (date(2026, 11, 17), "Election week.", "Moved from November 17. Election week."),
        (date(2025, 12, 16), None, "Moved from December 16, 2025."),
    ],
    ids=["near", "with its reason", "far, so with the year"],
)
def test_a_moved_meeting_says_from_where(community, meeting, moved_from, reason, said):
    moved = replace(meeting, moved_from=moved_from, reason=reason)

    assert event(feed(community, moved))["DESCRIPTION"].split("\n\n")[0] == said


def test_the_feed_has_a_name_and_refresh_interval_but_no_method_or_people(community, meeting):
    text = feed(replace(community, contact_email="sarah@example.org"), meeting).decode()
    found = Calendar.from_ical(text)

    assert found["NAME"] == found["X-WR-CALNAME"] == "Equity in Data Community of Practice"
    assert "\r\nREFRESH-INTERVAL;VALUE=DURATION:PT12H\r\n" in text
    assert "\r\nX-PUBLISHED-TTL:PT12H\r\n" in text
    assert found["PRODID"] == calendar.PRODUCT
    for none_of in ("METHOD", "ORGANIZER", "ATTENDEE", "sarah@"):
        assert none_of not in text


def test_a_file_joins_an_existing_calendar(community, meeting):
    text = CalendarWriter(community, LINKS).file(meeting).decode()

    for none_of in ("METHOD", "\r\nNAME:", "X-WR-CALNAME", "REFRESH-INTERVAL"):
        assert none_of not in text


def test_an_attachment_is_published_and_requests_nothing(community, meeting):
    with_contact = replace(community, contact_email="sarah@example.org", contact_name='S. "Ed" E;')

    text = CalendarWriter(with_contact, LINKS).attachment([meeting], {})

    assert Calendar.from_ical(text)["METHOD"] == "PUBLISH"
    organizer = event(text)["ORGANIZER"]
    assert organizer == "mailto:sarah@example.org"
    assert organizer.params["CN"] == 'S. "Ed" E;'
    assert "ATTENDEE" not in text
    assert "ORGANIZER" not in CalendarWriter(community, LINKS).attachment([meeting], {})


def test_a_join_link_is_the_location_and_begins_the_description(community, meeting):
    for text in every_form(meeting, community, join_urls={meeting.id: JOIN_URL}):
        found = event(text)

        assert found["LOCATION"] == JOIN_URL
        assert found["DESCRIPTION"].startswith(f"The way in: {JOIN_URL}\n\n")


def test_a_join_link_belongs_to_its_own_meeting_alone(community, meeting):
    bystander = replace(meeting, id=meeting.id + 1, uid="bystander@cop")

    text = CalendarWriter(community, LINKS).attachment(
        [meeting, bystander], join_urls={meeting.id: JOIN_URL}
    )

    places = {each["UID"]: each["LOCATION"] for each in Calendar.from_ical(text).events}
    assert places == {"it@cop": JOIN_URL, "bystander@cop": "Zoom"}


def test_a_canceled_meeting_has_no_join_link(community, meeting):
    for text in every_form(canceled(meeting), community, join_urls={meeting.id: JOIN_URL}):
        assert event(text)["LOCATION"] == "Zoom"
        assert JOIN_URL not in text


def test_no_form_contains_the_room_address(community, meeting):
    texts = [
        *every_form(meeting, community),
        *every_form(meeting, community, join_urls={meeting.id: JOIN_URL}),
        CalendarWriter(community, LINKS).google_link(meeting),
        CalendarWriter(community, LINKS).outlook_link(meeting),
    ]

    assert meeting.join_url == ROOM
    assert [text for text in texts if "zoom.example" in text or "pwd" in text] == []


def test_the_bytes_change_only_when_the_content_does(community, meeting):
    first = feed(community, meeting)

    assert feed(community, meeting, now=NOW + timedelta(days=20)) == first
    assert feed(community, replace(meeting, revised_at=NOW + timedelta(days=1))) != first
    assert feed(community, replace(meeting, topic="Something else")) != first
    for join_urls in (None, {meeting.id: JOIN_URL}):
        texts = [every_form(meeting, community, join_urls) for _ in range(2)]
        assert texts[0] == texts[1]


@pytest.mark.parametrize("change", [lambda meeting: meeting, canceled], ids=["held", "cancelled"])
def test_a_meeting_leaves_the_feed_30_days_after_its_end(community, meeting, change):
    shown = change(meeting)
    bystander = replace(meeting, uid="later@cop", ends_at=meeting.ends_at + timedelta(days=9))
    last = meeting.ends_at + timedelta(days=30)

    before = feed(community, shown, bystander, now=last - timedelta(seconds=1))
    after = feed(community, shown, bystander, now=last)

    assert uids(before) == ["it@cop", "later@cop"]
    assert uids(after) == ["later@cop"]


def test_meetings_are_in_chronological_order(community, meeting):
    sooner = replace(meeting, uid="sooner@cop", starts_at=HALF_PAST - timedelta(days=9))

    assert uids(feed(community, meeting, sooner)) == ["sooner@cop", "it@cop"]
    assert feed(community, meeting, sooner) == feed(community, sooner, meeting)


@pytest.mark.parametrize("year", [2020, 2026, 2027, 2099])
def test_eastern_times_follow_daylight_saving_time(community, meeting, year):
    starts = {}
    for month in range(1, 13):
        third_tuesday = next(
            day for day in (date(year, month, 15 + n) for n in range(7)) if day.weekday() == 1
        )
        on = community.rhythm.on(third_tuesday)
        shown = replace(meeting, starts_at=on.starts_at, ends_at=on.ends_at)
        text = CalendarWriter(community, LINKS).file(shown).decode()
        starts[month] = vobject.readOne(text).vevent.dtstart.value.astimezone(UTC).strftime("%H:%M")

    assert starts == {month: "15:30" if 3 <= month <= 10 else "16:30" for month in starts}


def test_a_time_in_a_repeated_hour_is_in_utc(community, meeting):
    first, second = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6))

    text = feed(community, replace(meeting, starts_at=first, ends_at=second)).decode()

    assert "DTSTART;TZID=America/New_York:20261101T013000\r\n" in text
    assert "DTEND:20261101T063000Z\r\n" in text


@pytest.mark.parametrize(
    "topic",
    ["a, b; c: d", r"C:\New\notes\,", '"said"', "two\nlines", "tab\tbed", "x" * 300, "  spaced  ", "=2+3"],
    ids=["punctuation", "backslashes", "quotes", "lines", "tab", "long", "spaces", "formula"],
)  # fmt: skip
def test_a_topic_is_read_back_as_typed(community, meeting, topic):
    for text in every_form(replace(meeting, topic=topic), community):
        said = f"Equity in Data: {topic}"

        assert vobject.readOne(text).vevent.summary.value == said
        assert event(text)["SUMMARY"] == said


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text_stays_one_property_of_one_event(community, meeting, typed):
    shown = replace(meeting, topic=f"[{typed}]", summary=f"[{typed}]")

    text = CalendarWriter(community, LINKS).attachment([shown], {})

    found = vobject.readOne(text).vevent
    assert found.summary.value == f"Equity in Data: {tidy(shown.topic)}"
    assert found.description.value.startswith(f"{tidy(shown.summary)}\n\n")
    _is_well_formed(text)


@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
def test_no_text_injects_a_component_or_property(community, meeting, end):
    evil = end.join(
        ["x", "END:VEVENT", "BEGIN:VEVENT", "UID:evil", "ATTENDEE:mailto:a@example.org"]
    )
    texts = dict.fromkeys(("topic", "summary", "guests", "reading_title", "prep_question"), evil)
    shown = [replace(meeting, **texts), canceled(meeting, reason=evil)]
    names = {"short_name": evil, "name": evil, "location": evil, "contact_name": evil}
    elsewhere = replace(community, contact_email="sarah@example.org", **names)

    for each in shown:
        for text in every_form(each, elsewhere):
            assert text.count("\r\nBEGIN:VEVENT") == 1
            assert not {"ATTENDEE:mailto:a@example.org", "UID:evil"} & set(text.split("\r\n"))
            assert [found["UID"] for found in Calendar.from_ical(text).events] == ["it@cop"]
            _is_well_formed(text)


@pytest.mark.parametrize("sign", ["é", "日", "🗓", "👩🏽‍💻", "\\", ",", "e\u0301"], ids=ascii)
@pytest.mark.parametrize("shift", range(4))
def test_lines_are_folded_at_75_octets_between_characters(community, meeting, sign, shift):
    shown = replace(meeting, topic="x" * shift + sign * 99, summary=sign * 999)

    for text in every_form(shown, community):
        _is_well_formed(text)
        assert event(text)["SUMMARY"].endswith(sign * 99)


def _is_well_formed(text):
    """CRLF alone ends a line, and no line is longer than 75 octets or begins within a character."""
    lines = text.encode().split(b"\r\n")
    assert lines[-1] == b""
    for line in lines:
        assert len(line) <= 75
        assert b"\r" not in line
        assert b"\n" not in line
        assert line.decode("utf-8") is not None


def test_the_google_link_has_the_title_time_and_location(community, meeting):
    address = CalendarWriter(community, LINKS).google_link(meeting)

    assert address.startswith("https://calendar.google.com/calendar/render?")
    assert query_of(address) == {
        "action": "TEMPLATE",
        "text": "Equity in Data: How much is enough?",
        "dates": "20261215T163000Z/20261215T180000Z",
        "ctz": "America/New_York",
        "details": "The session's page: https://cop.example.org/schedule/it",
        "location": "Zoom",
    }


def test_the_outlook_link_has_the_title_time_and_location_without_a_plus(community, meeting):
    address = CalendarWriter(community, LINKS).outlook_link(meeting)

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
