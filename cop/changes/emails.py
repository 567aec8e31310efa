"""Composes the mails about what became of a session: moved, cancelled, held elsewhere, over."""

from datetime import datetime

from cop.i18n import N_
from cop.mail.letter import Block, Button, Letter, Link, Prose
from cop.mail.recipients import Recipient
from cop.mail.writer import LetterWriter
from cop.meetings.emails import date_of, session_block, topic_of
from cop.meetings.locking import Announced, MeetingFacts
from cop.registration import emails


def session_changed(
    writer: LetterWriter,
    to: Recipient,
    meeting: MeetingFacts,
    *,
    registration_id: int,
    is_held: bool,
    told: Announced,
) -> Letter:
    """The session is cancelled, takes place after all, was moved, or has another way in."""
    writer = writer.to(to)
    ways_in = emails.join_links(writer.links, to, {meeting.id: registration_id})
    subject, said = _change_text(writer, meeting, told)
    blocks: list[Block] = [said, session_block(writer, meeting)]
    if meeting.reason and not _is_only_join_url(meeting, told):
        blocks.append(meeting.reason)
    if meeting.is_cancelled:
        blocks.append(Button(writer.translate(N_("See the other sessions")), writer.links.schedule))
    elif is_held:
        blocks.append(emails.join_link(writer, ways_in[meeting.id]))
        blocks.append(emails.cancel_link(writer, to, meeting))
    attached = [meeting] if is_held and not _is_only_join_url(meeting, told) else []
    if attached:
        blocks.append(
            writer.translate(
                N_("Opening the attached calendar entry brings your calendar up to date.")
            )
        )
    draft = writer.member_draft(to, subject, *blocks, why=emails.registered_reason(writer))
    return draft.render(calendar=emails.calendar_attachment(writer, attached, ways_in))


def takeaways(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> Letter:
    """What was taken away from a session, once it is published."""
    writer = writer.to(to)
    blocks: list[Block] = [session_block(writer, meeting)]
    if meeting.takeaways:
        blocks.append(Prose.of(meeting.takeaways))
    if meeting.recording_url:
        blocks.append(Link(writer.translate(N_("Watch the recording")), meeting.recording_url))
    blocks.append(Button(writer.translate(N_("See it on the session's page")),
                         writer.links.meeting(meeting.slug)))  # fmt: skip
    stop = writer.links.unsubscribe(to.member_id, "takeaways")
    draft = writer.member_draft(
        to,
        writer.translate(N_("What we took away: %(topic)s"), topic=topic_of(writer, meeting)),
        *blocks,
        why=emails.registered_reason(writer),
        also=(Link(writer.translate(N_("No more notes after sessions")), stop),),
    )
    return draft.render(unsubscribe_url=stop)


def _change_text(writer: LetterWriter, meeting: MeetingFacts, told: Announced) -> tuple[str, str]:
    """The subject, and what has happened."""
    date = date_of(writer, meeting)
    if meeting.is_cancelled:
        subject = writer.translate(N_("Cancelled: the session on %(date)s"), date=date)
        return subject, writer.translate(N_("This session does not take place:"))
    now = meeting.snapshot
    if now.status != told.status:
        subject = writer.translate(
            N_("It takes place after all: the session on %(date)s"), date=date
        )
        return subject, writer.translate(
            N_("This session was cancelled, and takes place after all:")
        )
    if _is_only_join_url(meeting, told):
        subject = writer.translate(N_("Another way in: the session on %(date)s"), date=date)
        return subject, writer.translate(
            N_("We meet at another address. Your own way in stays the same, and leads there:")
        )
    before = writer.dates.date_and_time(
        datetime.fromisoformat(told.starts_at), datetime.fromisoformat(told.ends_at)
    )
    subject = writer.translate(N_("Moved: the session is on %(date)s"), date=date)
    return subject, writer.translate(
        N_("This session was planned for %(when)s. It is now:"), when=before
    )


def _is_only_join_url(meeting: MeetingFacts, told: Announced) -> bool:
    now = meeting.snapshot
    return (now.starts_at, now.ends_at, now.status) == (told.starts_at, told.ends_at, told.status)
