"""Composes the reminders before a session."""

from cop.domain.meetings import LockedMeeting
from cop.domain.recipients import Recipient
from cop.mail import phrases
from cop.mail.letter import Block, Button, Letter, Link
from cop.mail.writer import Writer
from cop.meetings.emails import date_of, preparation, session_block, topic_of
from cop.words import N_


def to_prepare(
    writer: Writer, to: Recipient, meeting: LockedMeeting, *, registration_id: int
) -> Letter:
    """Some days before: what to read, and one question to think about."""
    writer = writer.to(to)
    blocks: list[Block] = [
        writer.say(N_("We look forward to seeing you at this session:")),
        session_block(
            writer, meeting, *phrases.guests(writer, meeting), *preparation(writer, meeting)
        ),
        phrases.way_in(writer, writer.links.join(to.owner, registration_id)),
    ]
    if meeting.prep_question:
        answer = writer.my_page(to, f"/sessions/{meeting.slug}")
        blocks.append(Button(writer.say(N_("Write down a few words")), answer))
    blocks.append(phrases.cannot_come(writer, to, meeting))
    subject = writer.say(N_("On %(date)s: %(topic)s"), date=date_of(writer, meeting),
                         topic=topic_of(writer, meeting))  # fmt: skip
    return _reminding(writer, to, subject, *blocks)


def to_join(
    writer: Writer, to: Recipient, meeting: LockedMeeting, *, registration_id: int
) -> Letter:
    """The day before: the way in, and one click for who cannot come."""
    writer = writer.to(to)
    subject = writer.say(N_("Your way in, %(day)s: %(topic)s"), topic=topic_of(writer, meeting),
                         day=writer.dates.day(meeting.starts_at))  # fmt: skip
    return _reminding(
        writer,
        to,
        subject,
        writer.say(N_("It is nearly time:")),
        session_block(
            writer, meeting, *phrases.guests(writer, meeting), *preparation(writer, meeting)
        ),
        Button(writer.say(N_("Join the session")), writer.links.join(to.owner, registration_id)),
        writer.say(N_("The button leads in from 15 minutes before the start until the end.")),
        phrases.cannot_come(writer, to, meeting),
    )


def _reminding(writer: Writer, to: Recipient, subject: str, *blocks: Block) -> Letter:
    stop = writer.links.unsubscribe(to.member_id, "reminders")
    draft = writer.member_draft(
        to,
        subject,
        *blocks,
        why=phrases.registered_why(writer),
        also=(Link(writer.say(N_("No more reminders; your place stays")), stop),),
    )
    return draft.sealed(unsubscribe_url=stop)
