"""Meetings in calendars: feeds, files, attachments and links.

A feed is either public or a member's own. Unless its content changes, a feed or a file stays the
same byte by byte, so that it can be cached: it does not contain the current time.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.calendar import entry, ical
from cop.calendar.timezones import vtimezone
from cop.community.community import CommunityFacts
from cop.i18n import N_
from cop.links import Links, Owner
from cop.mail.writer import LetterWriter
from cop.meetings.locking import MeetingFacts
from cop.meetings.schedule import IN_FEEDS_FOR
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import Member, Registration, RegistrationStatus

PRODUCT = "-//Community of Practice//Registration//EN"
REFRESH_INTERVAL = "PT12H"
GOOGLE = "https://calendar.google.com/calendar/render"
OUTLOOK = "https://%s/calendar/0/deeplink/compose"
JoinUrls = Mapping[int, str]  # a person's join links by meeting id


def feed(
    writer: LetterWriter, meetings: Iterable[MeetingFacts], *, join_urls: JoinUrls | None = None
) -> bytes:
    """Write a feed to subscribe to: public, or with join links a member's own.

    Meetings are listed until 30 days after their end, canceled ones too.
    """
    name = writer.community.name
    if join_urls is not None:
        short_name = writer.community.short_name
        name = writer.translate(N_("Your %(name)s sessions"), name=short_name)
    name = ical.escape_text(name)
    head = [f"NAME:{name}", f"X-WR-CALNAME:{name}"]
    head.append(f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH_INTERVAL}")
    head.append(f"X-PUBLISHED-TTL:{REFRESH_INTERVAL}")
    recent = [meeting for meeting in meetings if writer.now < meeting.ends_at + IN_FEEDS_FOR]
    return _calendar(writer, head, _events(writer, recent, join_urls or {}, now=None))


def file(writer: LetterWriter, meeting: MeetingFacts) -> bytes:
    """Write one meeting without a calendar's name, to add it to a calendar."""
    return _calendar(writer, [], _events(writer, [meeting], {}, now=None))


def attachment(
    writer: LetterWriter, meetings: Collection[MeetingFacts], join_urls: JoinUrls
) -> str | None:
    """Write the meetings that are attached to an email to one person; None if there are none.

    The method is PUBLISH: to a REQUEST people would reply, for example decline, and nobody reads
    the replies. A cancellation is published, too, with its status and a higher SEQUENCE. PUBLISH
    requires an ORGANIZER (RFC 5546, 3.2.1), which is left out only if there is no contact address.
    """
    events = _events(writer, meetings, join_urls, now=writer.now)
    return _message(writer, "PUBLISH", events) if meetings else None


def cancellation(writer: LetterWriter, meeting: MeetingFacts) -> str:
    """Write what removes a meeting from the calendar of somebody who has no spot anymore.

    The meeting itself goes on, so its SEQUENCE stays, and the newer DTSTAMP alone supersedes the
    entry (RFC 5546, 2.1.5). With a higher SEQUENCE, calendars would refuse the meeting's own entry
    if the person registers again.
    """
    cancelled = replace(meeting, status=MeetingStatus.CANCELLED)
    event = [*_summary_lines(writer, cancelled, now=writer.now), "STATUS:CANCELLED"]
    return _message(writer, "CANCEL", [event])


def google_link(writer: LetterWriter, meeting: MeetingFacts) -> str:
    """Return the address at which Google Calendar offers to add a meeting."""
    query = {
        "action": "TEMPLATE",
        "text": entry.title(writer, meeting),
        "dates": "/".join(map(ical.format_utc, (meeting.starts_at, meeting.ends_at))),
        "ctz": writer.community.time_zone,
        "details": entry.page_line(writer, meeting),
        "location": entry.location(writer, meeting),
    }
    return f"{GOOGLE}?{urlencode(query, quote_via=quote)}"


def outlook_link(writer: LetterWriter, meeting: MeetingFacts, *, is_work: bool) -> str:
    """Return the address at which Outlook on the web offers to add a meeting.

    Accounts of work or school and private ones have different hosts; neither opens the other's.
    """
    query = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": entry.title(writer, meeting),
        "startdt": f"{meeting.starts_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "enddt": f"{meeting.ends_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "body": entry.page_line(writer, meeting),
        "location": entry.location(writer, meeting),
    }
    # Spaces are encoded as %20: Outlook does not decode a plus sign.
    host = "outlook.office.com" if is_work else "outlook.live.com"
    return f"{OUTLOOK % host}?{urlencode(query, quote_via=quote)}"


def _message(writer: LetterWriter, method: str, events: Iterable[list[str]]) -> str:
    """Write entries that are sent to one person, with their organizer."""
    organizer = []
    if writer.community.contact_email:
        name = ical.quote_parameter(writer.community.contact_name)
        organizer = [f"ORGANIZER;CN={name}:mailto:{writer.community.contact_email}"]
    events = ([*event, *organizer] for event in events)
    return _calendar(writer, [f"METHOD:{method}"], events).decode()


def _calendar(writer: LetterWriter, head: list[str], events: Iterable[list[str]]) -> bytes:
    lines = ["VERSION:2.0", f"PRODID:{PRODUCT}", *head, *vtimezone(writer.community.time_zone)]
    for event in events:
        lines += ical.component("VEVENT", event)
    return ical.serialize(ical.component("VCALENDAR", lines))


def _events(
    writer: LetterWriter, meetings: Iterable[MeetingFacts], urls: JoinUrls, now: datetime | None
) -> Iterator[list[str]]:
    for meeting in sorted(meetings, key=lambda each: (each.starts_at, each.id)):
        join_url = urls.get(meeting.id)
        yield [
            *_summary_lines(writer, meeting, now=now),
            f"DESCRIPTION:{ical.escape_text(entry.description(writer, meeting, join_url))}",
            f"LAST-MODIFIED:{ical.format_utc(meeting.revised_at)}",
            f"LOCATION:{ical.escape_text(entry.location(writer, meeting, join_url))}",
            f"STATUS:{'CANCELLED' if meeting.is_cancelled else 'CONFIRMED'}",
            f"TRANSP:{'TRANSPARENT' if meeting.is_cancelled else 'OPAQUE'}",
            f"URL:{writer.links.meeting(meeting.slug)}",
        ]


def _summary_lines(writer: LetterWriter, meeting: MeetingFacts, now: datetime | None) -> list[str]:
    """Identify an entry; `now` only in a message, which DTSTAMP dates (RFC 5545, 3.8.7.2)."""
    return [
        f"SUMMARY:{ical.escape_text(entry.title(writer, meeting))}",
        f"DTSTART{_date_time_property(meeting.starts_at, writer.community)}",
        f"DTEND{_date_time_property(meeting.ends_at, writer.community)}",
        f"DTSTAMP:{ical.format_utc(now or meeting.revised_at)}",
        f"UID:{ical.escape_text(meeting.uid)}",
        f"SEQUENCE:{meeting.sequence}",
    ]


def _date_time_property(moment: datetime, community: CommunityFacts) -> str:
    """Format the end of a time property: local, or in UTC if ambiguous.

    It follows a name, as in `DTSTART;TZID=America/New_York:20261215T113000`.
    """
    local = moment.astimezone(community.zone_info)
    if local.fold:  # the second of two hours with the same local time
        return f":{ical.format_utc(moment)}"
    return f";TZID={community.time_zone}:{ical.format_local(local)}"


_SELECT_HELD_MEETINGS = (
    select(Registration.id, *(getattr(Meeting, name) for name in MeetingFacts.__dataclass_fields__))
    .join(Meeting, Meeting.id == Registration.meeting_id)
    .where(Registration.status == RegistrationStatus.HELD)
)


def read_member_calendar(
    db_session: Session, member_id: int, *, calendar_version: int, links: Links
) -> tuple[list[MeetingFacts], dict[int, str]] | None:
    """Read the meetings at which a member holds a spot, and their join links.

    The join links are by meeting id.

    A meeting that was canceled while they held a spot is included. Return None if the link of the
    feed is no longer valid.
    """
    is_valid = (Member.id == member_id) & (Member.calendar_version == calendar_version)
    token_version = db_session.scalar(select(Member.token_version).where(is_valid))
    if token_version is None:
        return None
    rows = db_session.execute(_SELECT_HELD_MEETINGS.where(Registration.member_id == member_id))
    meetings = {id_: MeetingFacts(*columns) for id_, *columns in rows}  # by registration id
    owner = Owner(member_id, token_version)
    join_urls = {meeting.id: links.join(owner, id_) for id_, meeting in meetings.items()}
    return list(meetings.values()), join_urls
