"""A meeting as the rest of the domain handles it: its facts, and its lock."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from cop.db.statements import Prepared
from cop.i18n import N_
from cop.models.meeting import Meeting, MeetingStatus

TOPIC_TO_BE_ANNOUNCED = N_("Topic to be announced")
OVER = N_("The session on %(date)s is over. Choose another one below.")
ENDS_BEFORE_START = N_("The end is before the start. Choose a later end, or an earlier start.")


@dataclass(frozen=True)
class MeetingFacts:
    """What anybody may know of a meeting, as it stood when it was read."""

    id: int
    slug: str
    uid: str
    sequence: int
    revised_at: datetime
    status: str
    starts_at: datetime
    ends_at: datetime
    moved_from: date | None
    reason: str | None
    topic: str | None
    summary: str | None
    guests: str | None
    reading_title: str | None
    reading_url: str | None
    reading_minutes: int | None
    prep_question: str | None
    capacity: int | None

    @property
    def is_cancelled(self) -> bool:
        return self.status == MeetingStatus.CANCELLED


@dataclass(frozen=True)
class Announced:
    """Snapshot of what attendees were last notified of; a difference triggers an email."""

    starts_at: str
    ends_at: str
    status: str
    way_in: str  # a digest of the join address, or nothing

    @classmethod
    def read(cls, stored: str) -> "Announced":
        """Parse a stored snapshot; an empty one differs from every meeting's."""
        return cls(*stored.split("|")) if stored else cls("", "", "", "")

    def __str__(self) -> str:
        return f"{self.starts_at}|{self.ends_at}|{self.status}|{self.way_in}"


@dataclass(frozen=True)
class LockedMeeting(MeetingFacts):
    """A meeting whose lock this transaction holds, with what is not for everybody."""

    join_url: str | None
    takeaways: str | None
    recording_url: str | None
    published_at: datetime | None
    edited_at: datetime | None
    cancelled_at: datetime | None

    @property
    def snapshot(self) -> Announced:
        """What attendees are to know of it now."""
        way_in = hashlib.sha256((self.join_url or "").encode()).hexdigest()[:16]
        return Announced(
            starts_at=self.starts_at.isoformat(),
            ends_at=self.ends_at.isoformat(),
            status=self.status,
            way_in=way_in if self.join_url else "",
        )


_COLUMNS = [getattr(Meeting, name) for name in LockedMeeting.__dataclass_fields__]

# The lock comes before the look: only so can two people in the last place not both see it free.
# Always in the order of the ids, so that two who want the same meetings cannot block each other.
_TAKE_LOCK = Prepared(
    update(Meeting)
    .values(lock_version=Meeting.lock_version + 1)
    .where(Meeting.id == bindparam("meeting_id"))
    .returning(*_COLUMNS)
)
_LOOK = select(*_COLUMNS)


def lock(db_session: Session, ids: Iterable[int]) -> list[LockedMeeting]:
    """Take the locks of meetings, and return them as they are from now on; soonest first."""
    taken = [_TAKE_LOCK.rows(db_session, meeting_id=id_) for id_ in sorted(set(ids))]
    found = [LockedMeeting(*row) for [row] in taken]
    return sorted(found, key=lambda meeting: (meeting.starts_at, meeting.id))


def lock_one(db_session: Session, id_: int) -> LockedMeeting:
    """Take the lock of one meeting, and return it as it is from now on."""
    [meeting] = lock(db_session, [id_])
    return meeting


def read(db_session: Session, ids: Iterable[int]) -> list[LockedMeeting]:
    """Read meetings without their locks; soonest first."""
    rows = db_session.execute(_LOOK.where(Meeting.id.in_(list(ids))))
    found = [LockedMeeting(*row) for row in rows]
    return sorted(found, key=lambda meeting: (meeting.starts_at, meeting.id))
