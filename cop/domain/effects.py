"""Effects of a change to a meeting: who is emailed about it, and who gets a spot."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from cop.domain import notices, recipients
from cop.domain.meetings import LockedMeeting
from cop.models import RegistrationStatus


@dataclass(frozen=True)
class Effects:
    """How many people with a spot or waiting are emailed, and how many spots are taken."""

    held: int
    waiting: int
    promoted: int
    taken: int


def of(
    db_session: Session, meeting: LockedMeeting, *, promoted: Collection[int] = (), now: datetime
) -> Effects:
    """Count the effects of the change that made the meeting what it is now.

    Previews make the change in a transaction that is rolled back.
    """
    people = recipients.of_meeting(db_session, meeting.id)
    emailed = Counter(
        person.status
        for person in notices.to_be_told(people, meeting, now=now)
        if person.recipient.is_reached
    )
    return Effects(
        held=emailed[RegistrationStatus.HELD],
        waiting=emailed[RegistrationStatus.WAITING],
        promoted=len(promoted),
        taken=sum(person.status == RegistrationStatus.HELD for person in people),
    )
