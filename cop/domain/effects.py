"""What a change to a meeting would do, before it is made: who hears of it, and who gets a place."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from cop.domain import notices, recipients
from cop.domain.meetings import LockedMeeting
from cop.domain.recipients import Registered
from cop.models import RegistrationStatus


@dataclass(frozen=True)
class Effects:
    """How many of those who hold a place or wait get a mail, and what becomes of the places."""

    held: int
    waiting: int
    promoted: int
    taken: int  # places, before anybody comes off the waiting list


def of(db_session: Session, meeting: LockedMeeting, *, now: datetime) -> Effects:
    """What it would do to make a meeting what is given here."""
    people = recipients.of_meeting(db_session, meeting.id)
    promoted = _promoted(people, meeting, now=now)
    others = [person for person in people if person not in promoted]
    told = [
        person.status
        for person in notices.to_be_told(others, meeting, now=now)
        if person.recipient.is_reached
    ]
    return Effects(
        held=told.count(RegistrationStatus.HELD),
        waiting=told.count(RegistrationStatus.WAITING),
        promoted=len(promoted),
        taken=len(_with(people, RegistrationStatus.HELD)),
    )


def _promoted(
    people: Iterable[Registered], meeting: LockedMeeting, *, now: datetime
) -> list[Registered]:
    """Who would come off the waiting list; they are told of that, and of nothing else."""
    if meeting.is_cancelled or meeting.starts_at <= now:
        return []
    in_line = _with(people, RegistrationStatus.WAITING)
    if meeting.capacity is None:
        return in_line
    return in_line[: max(0, meeting.capacity - len(_with(people, RegistrationStatus.HELD)))]


def _with(people: Iterable[Registered], status: RegistrationStatus) -> list[Registered]:
    return [person for person in people if person.status == status]
