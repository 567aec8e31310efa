"""Meetings as calendars show them: feeds, files and links, everybody's and a member's own.

Their bytes change only when something that they show does: nothing in them tells the moment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.calendar.entry import CalendarEntry
from cop.calendar.ical import (
    component,
    escape_text,
    format_local,
    format_utc,
    quote_parameter,
    serialize,
)
from cop.calendar.timezones import vtimezone
from cop.community.community import CommunityFacts
from cop.i18n import N_, translator
from cop.links import Links, Owner
from cop.meetings.locking import MeetingFacts
from cop.meetings.schedule import IN_FEEDS_FOR
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration, RegistrationStatus

PRODUCT = "-//Community of Practice//Registration//EN"
REFRESH = "PT12H"
GOOGLE = "https://calendar.google.com/calendar/render"
OUTLOOK = "https://outlook.live.com/calendar/0/deeplink/compose"


def feed(
    meetings: Iterable[MeetingFacts], community: CommunityFacts, links: Links, *, now: datetime,
    language: str = "en", way_in: Mapping[int, str] | None = None,
) -> bytes:  # fmt: skip
    """The feed to subscribe to: everybody's, or with `way_in` by meeting id, a member's own.

    Meetings leave it 30 days after their end, cancelled ones too.
    """
    own = translator(language)(N_("%(name)s: your sessions")) % {"name": community.short_name}
    name = escape_text(community.name if way_in is None else own)
    head = [f"NAME:{name}", f"X-WR-CALNAME:{name}"]
    head += [f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}", f"X-PUBLISHED-TTL:{REFRESH}"]
    kept = [meeting for meeting in meetings if now < meeting.ends_at + IN_FEEDS_FOR]
    entries = _entries(kept, community, links, language=language, way_in=way_in)
    return _calendar(community, head, entries)


def file(
    meeting: MeetingFacts, community: CommunityFacts, links: Links, *, language: str = "en"
) -> bytes:
    """One meeting, for anybody; without a name, so that it joins the calendar that is there."""
    return _calendar(community, [], [CalendarEntry(meeting, community, links, language)])


def attachment(
    meetings: Iterable[MeetingFacts],
    community: CommunityFacts,
    links: Links,
    *,
    language: str = "en",
    way_in: Mapping[int, str] | None = None,
) -> str:
    """Meetings as a mail brings them to somebody, with their way into each by the meeting's id.

    Published, not requested: people would decline to a machine. A cancellation is published like
    the rest, with its status and a higher sequence. What is published names an organizer; there is
    none only where the community has no contact address.
    """
    entries = _entries(meetings, community, links, language=language, way_in=way_in)
    return _calendar(community, ["METHOD:PUBLISH"], entries, by=_organizer(community)).decode()


def google_link(
    meeting: MeetingFacts, community: CommunityFacts, links: Links, *, language: str = "en"
) -> str:
    """The address at which Google Calendar offers to add a meeting."""
    entry = CalendarEntry(meeting, community, links, language)
    moments = (meeting.starts_at, meeting.ends_at)
    asked = {
        "action": "TEMPLATE",
        "text": entry.title,
        "dates": "/".join(format_utc(moment) for moment in moments),
        "ctz": community.time_zone,
        "details": entry.more,
        "location": entry.place,
    }
    return f"{GOOGLE}?{urlencode(asked, quote_via=quote)}"


def outlook_link(
    meeting: MeetingFacts, community: CommunityFacts, links: Links, *, language: str = "en"
) -> str:
    """The address at which Outlook on the web offers to add a meeting."""
    entry = CalendarEntry(meeting, community, links, language)
    asked = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": entry.title,
        "startdt": f"{meeting.starts_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "enddt": f"{meeting.ends_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "body": entry.more,
        "location": entry.place,
    }
    return f"{OUTLOOK}?{urlencode(asked, quote_via=quote)}"  # Outlook shows a plus as a plus


@dataclass(frozen=True)
class MemberCalendar:
    """The meetings at which a member holds a place, and their way into each by its id."""

    meetings: tuple[MeetingFacts, ...]
    way_in: Mapping[int, str]


_HELD_MEETINGS = (
    select(Registration.id, *(getattr(Meeting, name) for name in MeetingFacts.__dataclass_fields__))
    .join(Meeting, Meeting.id == Registration.meeting_id)
    .where(Registration.status == RegistrationStatus.HELD)
)


def read_member_calendar(
    db_session: Session, member_id: int, *, calendar_version: int, links: Links
) -> MemberCalendar | None:
    """Read what a member's own feed shows; nothing for a link that works no more.

    A meeting that was cancelled while they hold a place is among them, and will say so.
    """
    token_version = db_session.scalar(
        select(Member.token_version).where(
            Member.id == member_id, Member.calendar_version == calendar_version
        )
    )
    if token_version is None:
        return None
    rows = db_session.execute(_HELD_MEETINGS.where(Registration.member_id == member_id))
    held = {row[0]: MeetingFacts(*row[1:]) for row in rows}
    owner = Owner(member_id, token_version)
    way_in = {meeting.id: links.join(owner, id_) for id_, meeting in held.items()}
    return MemberCalendar(tuple(held.values()), way_in)


def _calendar(
    community: CommunityFacts,
    head: Iterable[str],
    entries: Iterable[CalendarEntry],
    *,
    by: Iterable[str] = (),
) -> bytes:
    lines = ["VERSION:2.0", f"PRODID:{PRODUCT}", *head, *vtimezone(community.time_zone)]
    for entry in entries:
        lines += component("VEVENT", [*_event(entry), *by])
    return serialize(component("VCALENDAR", lines))


def _entries(
    meetings: Iterable[MeetingFacts], community: CommunityFacts, links: Links, *, language: str,
    way_in: Mapping[int, str] | None,
) -> list[CalendarEntry]:  # fmt: skip
    in_time = sorted(meetings, key=lambda meeting: (meeting.starts_at, meeting.id))
    own = way_in or {}
    return [CalendarEntry(each, community, links, language, own.get(each.id)) for each in in_time]


def _event(entry: CalendarEntry) -> list[str]:
    meeting, revised = entry.meeting, format_utc(entry.meeting.revised_at)
    return [
        f"SUMMARY:{escape_text(entry.title)}",
        f"DTSTART{_date_time_property(meeting.starts_at, entry.community)}",
        f"DTEND{_date_time_property(meeting.ends_at, entry.community)}",
        f"DTSTAMP:{revised}",
        f"UID:{escape_text(meeting.uid)}",
        f"SEQUENCE:{meeting.sequence}",
        f"DESCRIPTION:{escape_text(entry.description)}",
        f"LAST-MODIFIED:{revised}",
        f"LOCATION:{escape_text(entry.place)}",
        f"STATUS:{'CANCELLED' if entry.is_off else 'CONFIRMED'}",
        f"TRANSP:{'TRANSPARENT' if entry.is_off else 'OPAQUE'}",
        f"URL:{entry.address}",
    ]


def _date_time_property(moment: datetime, community: CommunityFacts) -> str:
    """The time on the community's clocks; in UTC in the hour that they show a second time."""
    shown = moment.astimezone(community.zone_info)
    return (
        f":{format_utc(moment)}"
        if shown.fold
        else f";TZID={community.time_zone}:{format_local(shown)}"
    )


def _organizer(community: CommunityFacts) -> list[str]:
    """Who holds the sessions: known only where the community has a contact address."""
    if not community.contact_email:
        return []
    return [
        f"ORGANIZER;CN={quote_parameter(community.contact_name)}:mailto:{community.contact_email}"
    ]
