"""Read meetings, and lock them while their registrations change."""

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
ENDS_BEFORE_START = N_("The end must be after the start. Choose a later end or an earlier start.")


@dataclass(frozen=True)
class Announced:
    """Snapshot of what attendees were told; a difference triggers an email."""

    starts_at: str
    ends_at: str
    status: str
    join_url_hash: str  # empty if there is no join URL

    @classmethod
    def read(cls, stored: str) -> "Announced":
        """Parse a stored snapshot; an empty one differs from all others."""
        return cls(*stored.split("|")) if stored else cls("", "", "", "")

    def __str__(self) -> str:
        return f"{self.starts_at}|{self.ends_at}|{self.status}|{self.join_url_hash}"


@dataclass(frozen=True)
class MeetingFacts:
    """A meeting's columns as they were read, detached from the database."""

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
    join_url: str | None  # no public page shows it
    takeaways: str | None
    recording_url: str | None
    published_at: datetime | None
    edited_at: datetime | None
    cancelled_at: datetime | None

    @property
    def is_cancelled(self) -> bool:
        return self.status == MeetingStatus.CANCELLED

    @property
    def snapshot(self) -> Announced:
        """Snapshot of what attendees should have been notified of by now."""
        digest = hashlib.sha256((self.join_url or "").encode()).hexdigest()[:16]
        return Announced(
            starts_at=self.starts_at.isoformat(),
            ends_at=self.ends_at.isoformat(),
            status=self.status,
            join_url_hash=digest if self.join_url else "",
        )


_COLUMNS = [getattr(Meeting, name) for name in MeetingFacts.__dataclass_fields__]

# One statement locks and reads: if a meeting were read before it is locked, two people could both
# see the last spot free. `lock` runs it in the order of the ids, so that transactions cannot
# deadlock.
_TAKE_LOCK = Prepared(
    update(Meeting)
    .values(lock_version=Meeting.lock_version + 1)
    .where(Meeting.id == bindparam("meeting_id"))
    .returning(*_COLUMNS)
)
_READ = select(*_COLUMNS)


def lock(db_session: Session, ids: Iterable[int]) -> list[MeetingFacts]:
    """Lock meetings until the transaction ends; return them in chronological order."""
    taken = [_TAKE_LOCK.rows(db_session, meeting_id=id_) for id_ in sorted(set(ids))]
    found = [MeetingFacts(*row) for [row] in taken]
    return sorted(found, key=lambda meeting: (meeting.starts_at, meeting.id))


def lock_one(db_session: Session, id_: int) -> MeetingFacts:
    """Lock one meeting until the transaction ends; return it as it is now."""
    [meeting] = lock(db_session, [id_])
    return meeting


def read(db_session: Session, ids: Iterable[int]) -> list[MeetingFacts]:
    """Read meetings in chronological order, without locking them."""
    query = _READ.where(Meeting.id.in_(list(ids))).order_by(Meeting.starts_at, Meeting.id)
    return [MeetingFacts(*row) for row in db_session.execute(query)]
