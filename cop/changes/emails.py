"""Compose emails about changes of a session: moved, canceled, restored, and its takeaways."""

from dataclasses import replace
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
    announced: Announced,
) -> Letter:
    """Compose the email that a session was canceled, restored, moved, or has a new join address."""
    writer = writer.to(to)
    ways_in = emails.join_links(writer.links, to, {meeting.id: registration_id})
    subject, sentence = _change_text(writer, meeting, announced)
    is_only_join_url = _is_only_join_url(meeting, announced)
    blocks: list[Block] = [sentence, session_block(writer, meeting)]
    if meeting.reason and not is_only_join_url:
        blocks.append(meeting.reason)
    if meeting.is_cancelled:
        blocks.append(Button(writer.translate(N_("See the other sessions")), writer.links.schedule))
    elif is_held:
        blocks.append(emails.join_link(writer, ways_in[meeting.id]))
        blocks.append(emails.cancel_link(writer, to, meeting))
    attached = [meeting] if is_held and not is_only_join_url else []
    if attached:
        update = N_("Opening the attached calendar entry brings your calendar up to date.")
        blocks.append(writer.translate(update))
    draft = writer.member_draft(to, subject, *blocks, why=emails.registered_reason(writer))
    return draft.render(calendar=emails.calendar_attachment(writer, attached, ways_in))


def takeaways(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> Letter:
    """Compose the email with the takeaways of a session."""
    writer = writer.to(to)
    blocks: list[Block] = [session_block(writer, meeting)]
    if meeting.takeaways:
        blocks.append(Prose.of(meeting.takeaways))
    if meeting.recording_url:
        blocks.append(Link(writer.translate(N_("Watch the recording")), meeting.recording_url))
    page = writer.links.meeting(meeting.slug)
    blocks.append(Button(writer.translate(N_("See it on the session's page")), page))
    stop = writer.links.unsubscribe(to.member_id, "takeaways")
    draft = writer.member_draft(
        to,
        writer.translate(N_("What we took away: %(topic)s"), topic=topic_of(writer, meeting)),
        *blocks,
        why=emails.registered_reason(writer),
        also=(Link(writer.translate(N_("No more notes after sessions")), stop),),
    )
    return draft.render(unsubscribe_url=stop)


def _change_text(
    writer: LetterWriter, meeting: MeetingFacts, announced: Announced
) -> tuple[str, str]:
    """Return the subject, and a sentence about what has changed."""
    date = date_of(writer, meeting)
    if meeting.is_cancelled:
        subject = writer.translate(N_("Cancelled: the session on %(date)s"), date=date)
        return subject, writer.translate(N_("This session does not take place:"))
    if meeting.snapshot.status != announced.status:
        subject = writer.translate(
            N_("It takes place after all: the session on %(date)s"), date=date
        )
        return subject, writer.translate(
            N_("This session was cancelled, and takes place after all:")
        )
    if _is_only_join_url(meeting, announced):
        subject = writer.translate(N_("Another way in: the session on %(date)s"), date=date)
        return subject, writer.translate(
            N_("We meet at another address. Your own way in stays the same, and leads there:")
        )
    before = writer.dates.date_and_time(
        datetime.fromisoformat(announced.starts_at), datetime.fromisoformat(announced.ends_at)
    )
    subject = writer.translate(N_("Moved: the session is on %(date)s"), date=date)
    return subject, writer.translate(
        N_("This session was planned for %(when)s. It is now:"), when=before
    )


def _is_only_join_url(meeting: MeetingFacts, announced: Announced) -> bool:
    current = replace(meeting.snapshot, join_url_hash=announced.join_url_hash)
    return current == announced
