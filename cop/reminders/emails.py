"""Composes the reminders before a session."""

from dataclasses import dataclass

from cop.i18n import N_
from cop.mail.letter import Block, Button, Letter, Link
from cop.mail.recipients import Recipient
from cop.mail.writer import LetterWriter
from cop.meetings.emails import date_of, preparation, session_block, topic_of
from cop.meetings.locking import MeetingFacts
from cop.registration import emails


@dataclass(frozen=True)
class DayBeforeSummary:
    """What coordinators want to know the day before a session."""

    held: int
    waiting: int
    first_time: int
    access: int
    has_join_url: bool


def day_before(writer: LetterWriter, meeting: MeetingFacts, counts: DayBeforeSummary) -> Letter:
    """Tomorrow's session in numbers, and what is missing."""
    translate = writer.translate
    lines = [
        translate(N_("Coming: %(num)s"), num=counts.held),
        translate(N_("Waiting: %(num)s"), num=counts.waiting),
        translate(N_("For the first time: %(num)s"), num=counts.first_time),
        translate(N_("Asked for access: %(num)s"), num=counts.access),
    ]
    if not counts.has_join_url:
        lines.append(translate(N_("The join address is missing: nobody can come in yet.")))
    draft = writer.coordinator_draft(
        translate(N_("Nearly time: the session on %(date)s"), date=date_of(writer, meeting)),
        session_block(writer, meeting, *lines),
        Button(translate(N_("Open the roster")), emails.roster_url(writer, meeting)),
    )
    return draft.render()


def preparation_reminder(
    writer: LetterWriter, to: Recipient, meeting: MeetingFacts, *, registration_id: int
) -> Letter:
    """Some days before: what to read, and one question to think about."""
    writer = writer.to(to)
    blocks: list[Block] = [
        writer.translate(N_("We look forward to seeing you at this session:")),
        session_block(
            writer, meeting, *emails.guests(writer, meeting), *preparation(writer, meeting)
        ),
        emails.join_link(writer, writer.links.join(to.owner, registration_id)),
    ]
    if meeting.prep_question:
        answer = writer.my_page(to, f"/sessions/{meeting.slug}")
        blocks.append(Button(writer.translate(N_("Write down a few words")), answer))
    blocks.append(emails.cancel_link(writer, to, meeting))
    subject = writer.translate(
        N_("On %(date)s: %(topic)s"),
        date=date_of(writer, meeting),
        topic=topic_of(writer, meeting),
    )
    return _reminding(writer, to, subject, *blocks)


def join_reminder(
    writer: LetterWriter, to: Recipient, meeting: MeetingFacts, *, registration_id: int
) -> Letter:
    """The day before: the way in, and one click for who cannot come."""
    writer = writer.to(to)
    subject = writer.translate(
        N_("Your way in, %(day)s: %(topic)s"),
        topic=topic_of(writer, meeting),
        day=writer.dates.long_date(meeting.starts_at),
    )
    return _reminding(
        writer,
        to,
        subject,
        writer.translate(N_("It is nearly time:")),
        session_block(
            writer, meeting, *emails.guests(writer, meeting), *preparation(writer, meeting)
        ),
        Button(
            writer.translate(N_("Join the session")), writer.links.join(to.owner, registration_id)
        ),
        writer.translate(N_("The button leads in from 15 minutes before the start until the end.")),
        emails.cancel_link(writer, to, meeting),
    )


def _reminding(writer: LetterWriter, to: Recipient, subject: str, *blocks: Block) -> Letter:
    stop = writer.links.unsubscribe(to.member_id, "reminders")
    draft = writer.member_draft(
        to,
        subject,
        *blocks,
        why=emails.registered_reason(writer),
        also=(Link(writer.translate(N_("No more reminders; your place stays")), stop),),
    )
    return draft.render(unsubscribe_url=stop)
