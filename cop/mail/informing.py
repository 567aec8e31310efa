"""Composes the mails to coordinators. They name no member: a link leads to where the names are."""

from dataclasses import dataclass

from cop.domain.meetings import MeetingFacts
from cop.mail.letter import Button, Letter
from cop.mail.writer import Writer
from cop.meetings.emails import date_of, session_block
from cop.words import N_


@dataclass(frozen=True)
class DayBefore:
    """What coordinators want to know the day before a session."""

    held: int
    waiting: int
    first_time: int
    access: int
    has_join_url: bool


def access_need(writer: Writer, meeting: MeetingFacts) -> Letter:
    """Somebody said what would help them take part; what it is stands in the console only."""
    draft = writer.coordinator_draft(
        writer.say(N_("Somebody asked for access on %(date)s"), date=date_of(writer, meeting)),
        writer.say(N_("Somebody who is registered said what would help them take part:")),
        session_block(writer, meeting),
        Button(writer.say(N_("See what to arrange")), f"{_roster(writer, meeting)}/access"),
    )
    return draft.sealed()


def day_before(writer: Writer, meeting: MeetingFacts, counts: DayBefore) -> Letter:
    """Tomorrow's session in numbers, and what is missing."""
    say = writer.say
    lines = [
        say(N_("Coming: %(num)s"), num=counts.held),
        say(N_("Waiting: %(num)s"), num=counts.waiting),
        say(N_("For the first time: %(num)s"), num=counts.first_time),
        say(N_("Asked for access: %(num)s"), num=counts.access),
    ]
    if not counts.has_join_url:
        lines.append(say(N_("The join address is missing: nobody can come in yet.")))
    draft = writer.coordinator_draft(
        say(N_("Nearly time: the session on %(date)s"), date=date_of(writer, meeting)),
        session_block(writer, meeting, *lines),
        Button(say(N_("Open the roster")), _roster(writer, meeting)),
    )
    return draft.sealed()


def first_failure(writer: Writer) -> Letter:
    """A mail could not be delivered, and none had failed before it."""
    draft = writer.coordinator_draft(
        writer.say(N_("A mail could not be delivered")),
        writer.say(N_("The list of mails says which one, and what the mail server answered.")),
        Button(writer.say(N_("See the mails")), writer.links.console("/mail")),
    )
    return draft.sealed()


def new_password(writer: Writer, address: str) -> Letter:
    """The way to a new password for the console."""
    draft = writer.coordinator_draft(
        writer.say(N_("A new password for the console")),
        writer.say(N_("Somebody, most likely you, asked for a new password. Choose one here:")),
        Button(writer.say(N_("Choose a new password")), address),
        writer.say(N_("The link works once, for an hour. If it was not you, do nothing.")),
    )
    return draft.sealed()


def invitation(writer: Writer, address: str, *, by: str) -> Letter:
    """The way to one more coordinator's account."""
    say, name = writer.say, writer.community.name
    draft = writer.coordinator_draft(
        say(N_("Will you coordinate %(name)s?"), name=writer.community.short_name),
        say(N_("%(by)s invites you to coordinate %(name)s."), by=by, name=name),
        say(N_("Make your account here: you choose your name and a password.")),
        Button(say(N_("Make my account")), address),
        say(N_("The link works once, for 7 days. If you do not know what this is, do nothing.")),
        why=say(N_("You get this since a coordinator of %(name)s wrote your address."), name=name),
    )
    return draft.sealed()


def _roster(writer: Writer, meeting: MeetingFacts) -> str:
    return writer.links.console(f"/sessions/{meeting.slug}")
