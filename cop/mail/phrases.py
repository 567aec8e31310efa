"""What several letters say in the same words."""

from collections.abc import Mapping, Sequence

from cop.domain import calendar
from cop.domain.meetings import LockedMeeting, MeetingFacts
from cop.domain.recipients import Recipient
from cop.links import Links
from cop.mail.letter import Block, Link
from cop.mail.writer import Writer
from cop.meetings.emails import preparation, session_block
from cop.words import N_


def ways_in(links: Links, to: Recipient, registration_ids: Mapping[int, int]) -> dict[int, str]:
    """The personal way into each meeting, by the meeting's id."""
    return {meeting: links.join(to.owner, id_) for meeting, id_ in registration_ids.items()}


def attached(
    writer: Writer, meetings: Sequence[LockedMeeting], ways_in: Mapping[int, str]
) -> str | None:
    if not meetings:
        return None
    return calendar.attachment(
        meetings, writer.community, writer.links, way_in=ways_in, language=writer.language
    )


def guests(writer: Writer, meeting: MeetingFacts) -> list[str]:
    return [writer.say(N_("Guest: %(guests)s"), guests=meeting.guests)] if meeting.guests else []


def way_in(writer: Writer, way_in: str) -> Link:
    return Link(writer.say(N_("Your way in, from 15 minutes before")), way_in)


def cannot_come(writer: Writer, to: Recipient, meeting: MeetingFacts) -> Link:
    address = writer.links.cancel(to.owner, meeting.slug, on=writer.now.date())
    return Link(writer.say(N_("I cannot come")), address)


def declining_said(writer: Writer) -> str:
    return writer.say(
        N_(
            "The calendar entry is attached. Declining it in your calendar does not tell us: your "
            "page does."
        )
    )


def registered_why(writer: Writer) -> str:
    return writer.say(
        N_("You get this since this address was registered with the %(name)s."),
        name=writer.community.name,
    )


def held(writer: Writer, meeting: LockedMeeting, way_in: str) -> Block:
    links = (
        Link(writer.say(N_("Your way in, from 15 minutes before")), way_in),
        Link(writer.say(N_("Add to Google Calendar")),
             calendar.google_link(meeting, writer.community, writer.links)),
        Link(writer.say(N_("Add to Outlook")),
             calendar.outlook_link(meeting, writer.community, writer.links)),
    )  # fmt: skip
    return session_block(
        writer, meeting, *guests(writer, meeting), *preparation(writer, meeting), links=links
    )
