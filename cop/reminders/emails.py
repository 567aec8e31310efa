"""Compose the reminders before a session."""

from cop.mail.letter import Block, Button, Letter, Link
from cop.mail.recipients import Recipient, Registered
from cop.mail.writer import LetterWriter
from cop.meetings.emails import date_of, preparation, session_block, topic_of
from cop.meetings.locking import MeetingFacts
from cop.registration import emails
from cop.roster.roster import Counts


def day_before(writer: LetterWriter, meeting: MeetingFacts, counts: Counts) -> Letter:
    """Remind coordinators of the session: its numbers, and what is missing."""
    _ = writer.translate
    lines = [
        _("Registered: %(num)s", num=counts.held),
        _("Waiting list: %(num)s", num=counts.waiting),
        _("First-timers: %(num)s", num=counts.first_time),
        _("Access needs: %(num)s", num=counts.access),
    ]
    if not meeting.join_url:
        lines.append(_("The join link is missing. Please add it so people can join."))
    return writer.coordinator_letter(
        _("Coming up: the session on %(date)s", date=date_of(writer, meeting)),
        session_block(writer, meeting, *lines),
        Button(_("Open the roster"), emails.roster_url(writer, meeting)),
    )


def preparation_reminder(writer: LetterWriter, person: Registered, meeting: MeetingFacts) -> Letter:
    """Remind somebody some days before: what to read, and the question to prepare."""
    to = person.recipient
    writer = writer.to(to)
    _ = writer.translate
    date, topic = date_of(writer, meeting), topic_of(writer, meeting)
    subject = _("Coming up on %(date)s: %(topic)s", date=date, topic=topic)
    blocks: list[Block] = [
        _("We look forward to seeing you at this session:"),
        session_block(writer, meeting, *preparation(writer, meeting)),
        emails.join_link(writer, writer.links.join(to.owner, person.registration_id)),
    ]
    if meeting.prep_question:
        answer_url = writer.my_page(to, f"/sessions/{meeting.slug}")
        blocks.append(Button(_("Answer the question"), answer_url))
    blocks.append(emails.cancel_link(writer, to, meeting))
    return _reminder(writer, to, subject, *blocks)


def join_reminder(writer: LetterWriter, person: Registered, meeting: MeetingFacts) -> Letter:
    """Remind somebody the last time: the join link, and a link to cancel."""
    to = person.recipient
    writer = writer.to(to)
    _, day = writer.translate, writer.dates.long_date(meeting.starts_at)
    join = _("Join on %(place)s", place=writer.community.location)
    return _reminder(
        writer,
        to,
        _("Your join link for %(day)s: %(topic)s", day=day, topic=topic_of(writer, meeting)),
        _("Your session is coming up:"),
        session_block(writer, meeting, *preparation(writer, meeting)),
        Button(join, writer.links.join(to.owner, person.registration_id)),
        _("The link opens 15 minutes before the session and works until it ends."),
        emails.cancel_link(writer, to, meeting),
    )


def _reminder(writer: LetterWriter, to: Recipient, subject: str, *blocks: Block) -> Letter:
    _, stop_url = writer.translate, writer.links.unsubscribe(to.member_id, "reminders")
    stop = Link(_("Stop reminders (you'll keep your spot)"), stop_url)
    return writer.member_letter(to, subject, *blocks, stop=stop)
