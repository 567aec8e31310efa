"""Reminders before a meeting, each once: however often this runs, and whatever the clock does."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dateutil import tz
from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.domain import meetings, outbox, recipients, roster, telling
from cop.domain.meetings import LockedMeeting, MeetingFacts
from cop.domain.outbox import Kind, Mail
from cop.domain.recipients import Registered
from cop.mail import informing, reminding
from cop.mail.informing import DayBefore
from cop.mail.letter import Letter
from cop.mail.writer import Writer
from cop.models import Meeting, MeetingStatus, RegistrationStatus

_CLOCK_CHANGE = timedelta(hours=24)  # no zone changes its clocks by more


def due(db_session: Session, *, writer: Writer) -> list[int]:
    """The ids of the meetings that somebody is to be reminded of now."""
    days = writer.community.reminder_days or [0]
    ahead = writer.now + timedelta(days=max(days)) + _CLOCK_CHANGE
    is_soon = (Meeting.starts_at > writer.now) & (Meeting.starts_at <= ahead)
    planned = select(Meeting.id).where(is_soon, Meeting.status == MeetingStatus.PLANNED)
    soon = meetings.look(db_session, db_session.scalars(planned))
    return [meeting.id for meeting in soon if _missing(db_session, meeting, writer=writer)]


def queue(db_session: Session, ids: Iterable[int], *, writer: Writer) -> int:
    """Queue the reminders of these meetings that are due; return how many mails that makes.

    Behind the meetings' locks: who gives up their place meanwhile is not reminded of it.
    """
    mails = [
        mail
        for meeting in meetings.lock(db_session, ids)
        if not meeting.is_cancelled and meeting.starts_at > writer.now
        for mail in _mails(db_session, meeting, writer=writer)
    ]
    outbox.queue(db_session, mails, now=writer.now)
    return len(mails)


def moment(meeting: MeetingFacts, days: int, *, writer: Writer) -> datetime:
    """When a reminder is due: so many days before, at the time of day at which the meeting starts.

    On the clocks of the community, which may be changed in between.
    """
    local = meeting.starts_at.astimezone(writer.community.zone_info) - timedelta(days=days)
    return tz.resolve_imaginary(local)


@dataclass(frozen=True)
class _Missing:
    """What is due and not queued yet: people, by the keys of their mails, and coordinators."""

    people: dict[str, Registered]
    is_last: bool
    day_before: str | None

    def __bool__(self) -> bool:
        return bool(self.people or self.day_before)


def _missing(db_session: Session, meeting: LockedMeeting, *, writer: Writer) -> _Missing:
    """The reminders of one meeting whose time it is, as long as the next one's has not come."""
    days = writer.community.reminder_days
    passed = [ahead for ahead in days if moment(meeting, ahead, writer=writer) <= writer.now]
    if not passed:
        return _Missing({}, is_last=False, day_before=None)
    ahead, is_last = min(passed), min(passed) == min(days)
    by = moment(meeting, ahead, writer=writer)
    queued = outbox.keys(db_session, meeting.id)
    people = {
        f"reminder:{person.registration_id}:{ahead}:{_occasion(meeting)}": person
        for person in recipients.of_meeting(db_session, meeting.id, [RegistrationStatus.HELD])
        if _wants(person, by=by, is_last=is_last)
    }
    missing = {key: person for key, person in people.items() if key not in queued}
    day_before = f"day-before:{_occasion(meeting)}"
    is_missing = is_last and day_before not in queued and telling.coordinators(db_session)
    return _Missing(missing, is_last, day_before if is_missing else None)


def _mails(db_session: Session, meeting: LockedMeeting, *, writer: Writer) -> list[Mail]:
    missing = _missing(db_session, meeting, writer=writer)
    compose = reminding.to_join if missing.is_last else reminding.to_prepare
    mails = [
        _reminder(writer, meeting, person, key, compose) for key, person in missing.people.items()
    ]
    if missing.day_before:
        mails += _to_coordinators(db_session, meeting, missing.day_before, writer=writer)
    return mails


def _occasion(meeting: LockedMeeting) -> str:
    """A meeting at its time: one that was moved is another occasion."""
    return f"{meeting.id}:{meeting.starts_at.isoformat()}"


def _wants(person: Registered, *, by: datetime, is_last: bool) -> bool:
    """Whether somebody gets it: who came to their place later was told everything just then."""
    to = person.recipient
    had_place = (person.promoted_at or person.registered_at) <= by
    can_be_told = to.is_reached and "reminders" not in to.opt_outs
    return had_place and can_be_told and (is_last or to.is_proven)


def _reminder(
    writer: Writer,
    meeting: LockedMeeting,
    person: Registered,
    key: str,
    compose: Callable[..., Letter],
) -> Mail:
    id_ = person.registration_id
    return Mail(
        compose(writer, person.recipient, meeting, registration_id=id_),
        person.recipient,
        Kind.REMINDER,
        key,
        registration_id=id_,
        meeting_id=meeting.id,
        expires_at=meeting.starts_at,
    )


def _to_coordinators(
    db_session: Session, meeting: LockedMeeting, key: str, *, writer: Writer
) -> list[Mail]:
    """A mail to each coordinator; the first one carries the key that tells that they went out."""
    found = roster.tally(roster.attendees(db_session, meeting.id))
    counts = DayBefore(found.held, found.waiting, found.first_time, found.access,
                       has_join_url=bool(meeting.join_url))  # fmt: skip
    letter = informing.day_before(writer, meeting, counts)
    return [
        Mail(
            letter,
            address,
            Kind.COORDINATORS,
            f"{key}:{number}" if number else key,
            meeting_id=meeting.id,
            expires_at=meeting.starts_at,
        )
        for number, address in enumerate(telling.coordinators(db_session))
    ]
