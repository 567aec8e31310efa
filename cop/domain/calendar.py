"""Meetings as calendars show them: feeds, files and links, everybody's and a member's own.

Their bytes change only when something that they show does: nothing in them tells the moment.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote, urlencode

from icalendar import Calendar, Event, vCalAddress, vText
from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.domain.community import Facts
from cop.domain.entries import Entry
from cop.domain.meetings import MeetingFacts
from cop.domain.schedule import LISTED
from cop.domain.zones import vtimezone
from cop.links import Links, Owner
from cop.models import Meeting, Member, Registration, RegistrationStatus
from cop.words import N_, translator

PRODUCT = "-//Community of Practice//Registration//EN"
REFRESH = timedelta(hours=12)
GOOGLE = "https://calendar.google.com/calendar/render"
OUTLOOK = "https://outlook.live.com/calendar/0/deeplink/compose"
# No text is such a line: its line ends are written otherwise, and long ones go on with a space.
_FIRST_EVENT, _END = b"\r\nBEGIN:VEVENT\r\n", b"\r\nEND:VCALENDAR\r\n"
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def feed(
    meetings: Iterable[MeetingFacts], community: Facts, links: Links, *, now: datetime,
    language: str = "en", way_in: Mapping[int, str] | None = None,
) -> bytes:  # fmt: skip
    """The feed to subscribe to: everybody's, or with `way_in` by meeting id, a member's own.

    Meetings leave it 30 days after their end, cancelled ones too.
    """
    calendar = _calendar()
    own = translator(language)(N_("%(name)s: your sessions")) % {"name": community.short_name}
    name = community.name if way_in is None else own
    calendar.add("name", _Text(name))
    calendar.add("x-wr-calname", _Text(name))
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT12H")
    kept = [meeting for meeting in meetings if now < meeting.ends_at + LISTED]
    for entry in _entries(kept, community, links, language=language, way_in=way_in):
        calendar.add_component(_event(entry))
    return _written(calendar, community)


def file(meeting: MeetingFacts, community: Facts, links: Links, *, language: str = "en") -> bytes:
    """One meeting, for anybody; without a name, so that it joins the calendar that is there."""
    calendar = _calendar()
    calendar.add_component(_event(Entry(meeting, community, links, language)))
    return _written(calendar, community)


def attachment(
    meetings: Iterable[MeetingFacts], community: Facts, links: Links, *, language: str = "en",
    way_in: Mapping[int, str] | None = None,
) -> str:  # fmt: skip
    """Meetings as a mail brings them to somebody, with their way into each by the meeting's id.

    Published, not requested: people would decline to a machine. A cancellation is published like
    the rest, with its status and a higher sequence. What is published names an organizer; there is
    none only where the community has no contact address.
    """
    calendar = _calendar()
    calendar.add("method", "PUBLISH")
    for entry in _entries(meetings, community, links, language=language, way_in=way_in):
        event = _event(entry)
        if community.contact_email:
            event.add("organizer", _organizer(community.contact_email, community.contact_name))
        calendar.add_component(event)
    return _written(calendar, community).decode()


def google_link(
    meeting: MeetingFacts, community: Facts, links: Links, *, language: str = "en"
) -> str:
    """The address at which Google Calendar offers to add a meeting."""
    entry = Entry(meeting, community, links, language)
    moments = (meeting.starts_at, meeting.ends_at)
    asked = {
        "action": "TEMPLATE",
        "text": entry.title,
        "dates": "/".join(f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for moment in moments),
        "ctz": community.zone,
        "details": entry.more,
        "location": entry.place,
    }
    return f"{GOOGLE}?{urlencode(asked, quote_via=quote)}"


def outlook_link(
    meeting: MeetingFacts, community: Facts, links: Links, *, language: str = "en"
) -> str:
    """The address at which Outlook on the web offers to add a meeting."""
    entry = Entry(meeting, community, links, language)
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
class Chosen:
    """The meetings at which a member holds a place, and their way into each by its id."""

    meetings: tuple[MeetingFacts, ...]
    way_in: Mapping[int, str]


_HELD = (
    select(Registration.id, *(getattr(Meeting, name) for name in MeetingFacts.__dataclass_fields__))
    .join(Meeting, Meeting.id == Registration.meeting_id)
    .where(Registration.status == RegistrationStatus.HELD)
)


def chosen(
    db_session: Session, member_id: int, *, calendar_version: int, links: Links
) -> Chosen | None:
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
    rows = db_session.execute(_HELD.where(Registration.member_id == member_id))
    held = {row[0]: MeetingFacts(*row[1:]) for row in rows}
    owner = Owner(member_id, token_version)
    way_in = {meeting.id: links.join(owner, id_) for id_, meeting in held.items()}
    return Chosen(tuple(held.values()), way_in)


class _Text(vText):
    """Any text, on as many lines as it has, without control characters.

    The library's own would end a line also at a backslash before an N.
    """

    def to_ical(self) -> bytes:
        text = _CONTROLS.sub("", "\n".join(self.splitlines())).replace("\\", "\\\\")
        return text.replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n").encode()


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    return calendar


def _entries(
    meetings: Iterable[MeetingFacts], community: Facts, links: Links, *, language: str,
    way_in: Mapping[int, str] | None,
) -> list[Entry]:  # fmt: skip
    in_time = sorted(meetings, key=lambda meeting: (meeting.starts_at, meeting.id))
    own = way_in or {}
    return [Entry(each, community, links, language, own.get(each.id)) for each in in_time]


def _event(entry: Entry) -> Event:
    meeting, event = entry.meeting, Event()
    event.add("uid", meeting.uid)
    event.add("sequence", meeting.sequence)
    event.add("status", "CANCELLED" if entry.is_off else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if entry.is_off else "OPAQUE")
    event.add("dtstamp", meeting.revised_at)
    event.add("last-modified", meeting.revised_at)
    event.add("dtstart", _local(meeting.starts_at, entry.community))
    event.add("dtend", _local(meeting.ends_at, entry.community))
    event.add("summary", _Text(entry.title))
    event.add("location", _Text(entry.place))
    event.add("description", _Text(entry.description))
    event.add("url", entry.address)
    return event


def _written(calendar: Calendar, community: Facts) -> bytes:
    """The calendar as a file, with its zone before the first event, or alone before the end."""
    written: bytes = calendar.to_ical()
    head, begin, rest = written.partition(_FIRST_EVENT)
    if not begin:
        head, begin, rest = written.partition(_END)
    return head + _zone(community.zone) + begin + rest


@lru_cache(100)
def _zone(name: str) -> bytes:
    """A zone as calendars have it: two thirds of a file of one event, and always the same."""
    written: bytes = vtimezone(name).to_ical()
    return b"\r\n" + written.removesuffix(b"\r\n")


def _local(moment: datetime, community: Facts) -> datetime:
    """The time on the community's clocks; in UTC in the hour that they show a second time."""
    local = moment.astimezone(community.zone_info)
    return moment.astimezone(UTC) if local.fold else local


def _organizer(email: str, name: str) -> vCalAddress:
    organizer = vCalAddress(f"mailto:{email}")
    organizer.params["CN"] = name
    return organizer
