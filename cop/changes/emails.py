"""Compose emails about changes to a session, and about its takeaways."""

from dataclasses import replace
from datetime import datetime

from cop.calendar import calendar
from cop.mail.letter import Block, Button, Letter, Link, Prose
from cop.mail.recipients import Recipient, Registered
from cop.mail.writer import LetterWriter
from cop.meetings.emails import date_of, session_block, topic_of
from cop.meetings.locking import Announced, MeetingFacts
from cop.models.registration import RegistrationStatus
from cop.registration import emails


def session_changed(writer: LetterWriter, person: Registered, meeting: MeetingFacts) -> Letter:
    """Compose the email about a canceled, restored or moved session or join address."""
    to, announced = person.recipient, Announced.read(person.announced)
    writer = writer.to(to)
    _, join_url = writer.translate, writer.links.join(to.owner, person.registration_id)
    is_held = person.status == RegistrationStatus.HELD
    subject, sentence = _change_text(writer, meeting, announced)
    is_join_url_change_only = _is_join_url_change_only(meeting, announced)
    blocks: list[Block] = [sentence, session_block(writer, meeting)]
    if meeting.reason and not is_join_url_change_only:
        blocks.append(meeting.reason)
    if meeting.is_cancelled:
        blocks.append(Button(_("See other sessions"), writer.links.schedule))
    elif is_held:
        blocks.append(emails.join_link(writer, join_url))
        blocks.append(emails.cancel_link(writer, to, meeting))
    else:
        blocks.append(_("You're still on the waiting list. We'll email you if a spot opens."))
    attached = [meeting] if is_held and not is_join_url_change_only else []
    if attached:
        blocks.append(_("Open the attached file to update your calendar."))
    attachment = calendar.attachment(writer, attached, {meeting.id: join_url})
    return writer.member_letter(to, subject, *blocks, calendar=attachment)


def takeaways(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> Letter:
    """Compose the email with the takeaways of a session."""
    writer = writer.to(to)
    _, stop_url = writer.translate, writer.links.unsubscribe(to.member_id, "takeaways")
    blocks: list[Block] = [session_block(writer, meeting)]
    if meeting.takeaways:
        blocks.append(Prose.of(meeting.takeaways))
    if meeting.recording_url:
        blocks.append(Link(_("Watch the recording"), meeting.recording_url))
    page_url = writer.links.meeting(meeting.slug)
    return writer.member_letter(
        to,
        _("Notes from the session: %(topic)s", topic=topic_of(writer, meeting)),
        *blocks,
        Button(_("See the session page"), page_url),
        stop=Link(_("Stop emailing me notes after sessions"), stop_url),
    )


def _change_text(
    writer: LetterWriter, meeting: MeetingFacts, announced: Announced
) -> tuple[str, str]:
    """Return the subject, and a sentence about what has changed."""
    _, date = writer.translate, date_of(writer, meeting)
    if meeting.is_cancelled:
        subject = _("Canceled: the session on %(date)s", date=date)
        return subject, _("This session is canceled:")
    if meeting.snapshot.status != announced.status:
        subject = _("Back on: the session on %(date)s", date=date)
        return subject, _("This session was canceled, but now it's back on:")
    if _is_join_url_change_only(meeting, announced):
        subject = _("New meeting link: the session on %(date)s", date=date)
        return subject, _("The meeting link has changed. Your own join link still works:")
    before = writer.dates.date_and_time(
        datetime.fromisoformat(announced.starts_at), datetime.fromisoformat(announced.ends_at)
    )
    subject = _("New time: the session is on %(date)s", date=date)
    return subject, _("This session was planned for %(when)s. The new time is:", when=before)


def _is_join_url_change_only(meeting: MeetingFacts, announced: Announced) -> bool:
    return announced == replace(meeting.snapshot, join_url_hash=announced.join_url_hash)
