"""Reminders before a meeting, each once: however often this runs, and whatever the clock does."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dateutil import tz
from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.accounts import notifications
from cop.mail import recipients
from cop.mail.letter import Letter
from cop.mail.recipients import Registered
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.meetings.locking import MeetingFacts
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import RegistrationStatus
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from cop.reminders import emails
from cop.reminders.emails import DayBeforeSummary
from cop.roster import roster

_CLOCK_CHANGE = timedelta(hours=24)  # no zone changes its clocks by more


def next_due(db_session: Session, *, writer: LetterWriter) -> list[int]:
    """The ids of the meetings that somebody is to be reminded of now."""
    days = writer.community.reminder_days or [0]
    ahead = writer.now + timedelta(days=max(days)) + _CLOCK_CHANGE
    is_soon = (Meeting.starts_at > writer.now) & (Meeting.starts_at <= ahead)
    planned = select(Meeting.id).where(is_soon, Meeting.status == MeetingStatus.PLANNED)
    soon = locking.read(db_session, db_session.scalars(planned))
    return [meeting.id for meeting in soon if _missing(db_session, meeting, writer=writer)]


def queue(db_session: Session, ids: Iterable[int], *, writer: LetterWriter) -> int:
    """Queue the reminders of these meetings that are due; return how many mails that makes.

    Behind the meetings' locks: who gives up their place meanwhile is not reminded of it.
    """
    mails = [
        mail
        for meeting in locking.lock(db_session, ids)
        if not meeting.is_cancelled and meeting.starts_at > writer.now
        for mail in _mails(db_session, meeting, writer=writer)
    ]
    outbox.queue(db_session, mails, now=writer.now)
    return len(mails)


def reminder_time(meeting: MeetingFacts, days: int, *, writer: LetterWriter) -> datetime:
    """When a reminder is due: so many days before, at the time of day at which the meeting starts.

    On the clocks of the community, which may be changed in between.
    """
    local = meeting.starts_at.astimezone(writer.community.zone_info) - timedelta(days=days)
    return tz.resolve_imaginary(local)


@dataclass(frozen=True)
class _DueReminder:
    """What is due and not queued yet: people, by the keys of their mails, and coordinators."""

    people: dict[str, Registered]
    is_last: bool
    day_before: str | None

    def __bool__(self) -> bool:
        return bool(self.people or self.day_before)


def _missing(db_session: Session, meeting: MeetingFacts, *, writer: LetterWriter) -> _DueReminder:
    """The reminders of one meeting whose time it is, as long as the next one's has not come."""
    days = writer.community.reminder_days
    passed = [ahead for ahead in days if reminder_time(meeting, ahead, writer=writer) <= writer.now]
    if not passed:
        return _DueReminder({}, is_last=False, day_before=None)
    ahead, is_last = min(passed), min(passed) == min(days)
    by = reminder_time(meeting, ahead, writer=writer)
    queued = outbox.dedup_keys(db_session, meeting.id)
    people = {
        f"reminder:{person.registration_id}:{ahead}:{_occasion(meeting)}": person
        for person in recipients.of_meeting(db_session, meeting.id, [RegistrationStatus.HELD])
        if _wants(person, by=by, is_last=is_last)
    }
    missing = {key: person for key, person in people.items() if key not in queued}
    day_before = f"day-before:{_occasion(meeting)}"
    is_missing = (
        is_last and day_before not in queued and notifications.coordinator_addresses(db_session)
    )
    return _DueReminder(missing, is_last, day_before if is_missing else None)


def _mails(
    db_session: Session, meeting: MeetingFacts, *, writer: LetterWriter
) -> list[QueuedEmail]:
    missing = _missing(db_session, meeting, writer=writer)
    compose = emails.join_reminder if missing.is_last else emails.preparation_reminder
    mails = [
        _reminder(writer, meeting, person, key, compose) for key, person in missing.people.items()
    ]
    if missing.day_before:
        mails += _to_coordinators(db_session, meeting, missing.day_before, writer=writer)
    return mails


def _occasion(meeting: MeetingFacts) -> str:
    """A meeting at its time: one that was moved is another occasion."""
    return f"{meeting.id}:{meeting.starts_at.isoformat()}"


def _wants(person: Registered, *, by: datetime, is_last: bool) -> bool:
    """Whether somebody gets it: who came to their place later was told everything just then."""
    to = person.recipient
    had_place = (person.promoted_at or person.registered_at) <= by
    can_be_told = to.is_deliverable and "reminders" not in to.opt_outs
    return had_place and can_be_told and (is_last or to.is_verified)


def _reminder(
    writer: LetterWriter,
    meeting: MeetingFacts,
    person: Registered,
    key: str,
    compose: Callable[..., Letter],
) -> QueuedEmail:
    id_ = person.registration_id
    return QueuedEmail(
        compose(writer, person.recipient, meeting, registration_id=id_),
        person.recipient,
        EmailKind.REMINDER,
        key,
        registration_id=id_,
        meeting_id=meeting.id,
        expires_at=meeting.starts_at,
    )


def _to_coordinators(
    db_session: Session, meeting: MeetingFacts, key: str, *, writer: LetterWriter
) -> list[QueuedEmail]:
    """A mail to each coordinator; the first one carries the key that tells that they went out."""
    found = roster.count_statuses(roster.attendees(db_session, meeting.id))
    counts = DayBeforeSummary(found.held, found.waiting, found.first_time, found.access,
                       has_join_url=bool(meeting.join_url))  # fmt: skip
    letter = emails.day_before(writer, meeting, counts)
    return [
        QueuedEmail(
            letter,
            address,
            EmailKind.COORDINATORS,
            f"{key}:{number}" if number else key,
            meeting_id=meeting.id,
            expires_at=meeting.starts_at,
        )
        for number, address in enumerate(notifications.coordinator_addresses(db_session))
    ]
