"""Queue each reminder once, however often this runs, also when the clocks change."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from dateutil import tz
from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.accounts import accounts
from cop.mail import recipients
from cop.mail.recipients import Registered
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.meetings.locking import MeetingFacts
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import RegistrationStatus
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from cop.reminders import emails
from cop.roster import roster

# Added to the days before a meeting: a zone can skip a whole day, as Samoa did in 2011.
_MAX_CLOCK_CHANGE = timedelta(hours=24)


def find_due(db_session: Session, *, writer: LetterWriter) -> list[int]:
    """List the ids of the meetings that have reminders to queue now."""
    days = max(writer.community.reminder_days, default=0)
    latest_start = writer.now + timedelta(days=days) + _MAX_CLOCK_CHANGE
    is_soon = (Meeting.starts_at > writer.now) & (Meeting.starts_at <= latest_start)
    select_ids = select(Meeting.id).where(is_soon, Meeting.status == MeetingStatus.PLANNED)
    soon = locking.read(db_session, db_session.scalars(select_ids))
    return [meeting.id for meeting in soon if _unqueued(db_session, meeting, writer=writer)]


def queue(db_session: Session, ids: Iterable[int], *, writer: LetterWriter) -> int:
    """Queue the due reminders of these meetings; return how many emails those are.

    It locks the meetings, so that nobody who cancels at the same moment is reminded.
    """
    reminders = [
        email
        for meeting in locking.lock(db_session, ids)
        if not meeting.is_cancelled and meeting.starts_at > writer.now
        for email in _compose(db_session, meeting, writer=writer)
    ]
    outbox.queue(db_session, reminders, now=writer.now)
    return len(reminders)


def reminder_time(meeting: MeetingFacts, days: int, *, writer: LetterWriter) -> datetime:
    """When a reminder is due: some days before, at the meeting's local time of day.

    That stays the same when clocks change in between; a time that they skip is moved to one that
    exists.
    """
    local = meeting.starts_at.astimezone(writer.community.zone_info) - timedelta(days=days)
    return tz.resolve_imaginary(local)


def _unqueued(
    db_session: Session, meeting: MeetingFacts, *, writer: LetterWriter
) -> dict[str, Registered | None]:
    """Return the due reminders that are not queued: recipients by deduplication key.

    The recipient None stands for the coordinators.
    """
    days = _days_before(meeting, writer)
    if days is None:
        return {}
    # The keys contain the start, so that the reminders of a moved meeting are due again.
    occasion = f"{meeting.id}:{meeting.starts_at.isoformat()}"
    is_last, due_at = _is_last(days, writer), reminder_time(meeting, days, writer=writer)
    due: dict[str, Registered | None] = {
        f"reminder:{person.registration_id}:{days}:{occasion}": person
        for person in recipients.of_meeting(db_session, meeting.id, [RegistrationStatus.HELD])
        if _is_reminded(person, due_at, is_last=is_last)
    }
    # Only the name is historical: stored keys say `day-before`, whenever the last reminder is due.
    if is_last and accounts.coordinator_addresses(db_session):
        due[f"day-before:{occasion}"] = None
    queued = outbox.dedup_keys(db_session, meeting.id)
    return {key: person for key, person in due.items() if key not in queued}


def _days_before(meeting: MeetingFacts, writer: LetterWriter) -> int | None:
    """Return the latest reminder that is due, as its number of days before the start."""
    all_days = writer.community.reminder_days
    due = [days for days in all_days if reminder_time(meeting, days, writer=writer) <= writer.now]
    return min(due, default=None)


def _is_last(days: int | None, writer: LetterWriter) -> bool:
    """Whether no other reminder follows the one that is due `days` before the start."""
    return days == min(writer.community.reminder_days, default=None)


def _is_reminded(person: Registered, due_at: datetime, *, is_last: bool) -> bool:
    """Whether somebody gets the reminder that is due.

    Not if they got their spot after it was due, since they were just emailed about that. An
    unverified address gets only the last reminder.
    """
    to = person.recipient
    had_spot = (person.promoted_at or person.registered_at) <= due_at
    wants_it = to.is_deliverable and "reminders" not in to.opt_outs
    return had_spot and wants_it and (is_last or to.is_verified)


def _compose(
    db_session: Session, meeting: MeetingFacts, *, writer: LetterWriter
) -> Iterator[QueuedEmail]:
    is_last = _is_last(_days_before(meeting, writer), writer)
    compose = emails.join_reminder if is_last else emails.preparation_reminder
    for key, person in _unqueued(db_session, meeting, writer=writer).items():
        if person:
            letter = compose(writer, person, meeting)
            yield outbox.to_registered(letter, person, EmailKind.REMINDER, key, meeting.starts_at)
        else:
            yield from _to_coordinators(db_session, meeting, key, writer=writer)


def _to_coordinators(
    db_session: Session, meeting: MeetingFacts, key: str, *, writer: LetterWriter
) -> Iterator[QueuedEmail]:
    """Compose an email to each coordinator.

    The first one has `key` itself, by which `_unqueued` finds that all of them are queued.
    """
    counts = roster.count_statuses(roster.attendees(db_session, meeting.id))
    letter = emails.day_before(writer, meeting, counts)
    for number, address in enumerate(accounts.coordinator_addresses(db_session)):
        yield QueuedEmail(
            letter,
            address,
            EmailKind.COORDINATORS,
            f"{key}:{number}" if number else key,
            meeting_id=meeting.id,
            expires_at=meeting.starts_at,
        )
