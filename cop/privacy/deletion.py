"""Delete what is past the retention period that the question registry promises.

First the answers with the short period, then whole registrations, then members. Each small batch
can be a transaction of its own: a person who registers waits for one batch at most, and a crash
between two batches leaves the data consistent.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Text, cast, exists, func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.types import JSON

from cop.attendance import attendance
from cop.audit import audit_log
from cop.community.community import CommunityFacts, load_community
from cop.db.expiry import Expiry
from cop.meetings import locking
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration
from cop.outbox import outbox
from cop.questions import registry
from cop.questions.retention import RETENTION
from cop.statistics import statistics


@dataclass(frozen=True)
class DeletionResult:
    """How many of each kind were deleted."""

    answers: int = 0
    registrations: int = 0
    members: int = 0
    emails: int = 0
    audit_entries: int = 0


def run(db_session: Session, *, now: datetime) -> DeletionResult:
    """Delete everything past its retention period in one transaction, for an idle database."""
    deleted = Counter[str]()
    for expiry in expiries(load_community(db_session), now=now):
        deleted[expiry.counter] += expiry.erase_all(db_session)
    return summary(deleted)


def summary(deleted: Counter[str]) -> DeletionResult:
    """The totals by `Expiry.counter`; expiries without a counter are not reported."""
    return DeletionResult(**{name: deleted[name] for name in DeletionResult.__dataclass_fields__})


def count_due(db_session: Session, *, now: datetime) -> DeletionResult:
    """Count the answers and registrations that are past their retention period."""
    community = load_community(db_session)
    query = select(func.count(Registration.id))
    has_answers = _has_short_lived_answers(now - community.short_retention)
    is_over = _meeting_ended_by(now - community.retention)
    return DeletionResult(
        answers=db_session.scalar(query.where(has_answers)) or 0,
        registrations=db_session.scalar(query.where(is_over)) or 0,
    )


def expiries(community: CommunityFacts, *, now: datetime) -> Iterator[Expiry]:
    """The rows past their retention period, in the order in which they are deleted."""
    yield attendance.expired_reports(now=now)
    has_answers = _has_short_lived_answers(now - community.short_retention)
    yield Expiry(Registration.id, has_answers, _SHORT_LIVED, counter="answers")
    ended_by = now - community.retention
    has_registrations = exists().where(Registration.meeting_id == Meeting.id).correlate(Meeting)
    is_counted = Meeting.registered_count.is_not(None)
    is_uncounted = (Meeting.ends_at <= ended_by) & ~is_counted & has_registrations
    yield _FinalCounts(Meeting.id, is_uncounted, zone=community.zone_info)
    is_over = _meeting_ended_by(ended_by) & Registration.meeting_id.in_(
        select(Meeting.id).where(is_counted)
    )
    yield _Registrations(Registration.id, is_over, counter="registrations")
    is_registered = exists().where(Registration.member_id == Member.id).correlate(Member)
    # A member without registrations stays for the mailing list alone: clear the attendance date.
    has_stale_date = ~is_registered & Member.first_attended_on.is_not(None)
    yield Expiry(Member.id, has_stale_date, {"first_attended_on": None})
    is_unused = ~is_registered & Member.list_confirmed_at.is_(None)
    yield Expiry(Member.id, is_unused, counter="members")
    yield from outbox.expiries(now=now)
    yield from audit_log.expiries(announced_before=ended_by, now=now)


@dataclass(frozen=True, kw_only=True)
class _FinalCounts(Expiry):
    """Meetings whose final counts are stored before their registrations are deleted.

    Each meeting is counted once: if the process dies when half of its registrations are deleted,
    the next run must not count the rest. Counting can take seconds, so it happens before the lock
    is taken, and again under the lock only where the meeting has changed since.
    """

    zone: ZoneInfo

    def find(self, db_session: Session) -> list[Sequence[Any]]:
        query = select(Meeting.id, Meeting.lock_version).where(self.is_due)
        versions = {row.id: row.lock_version for row in db_session.execute(query)}
        counts = statistics.final_counts(db_session, list(versions), zone=self.zone)
        return [[(id_, version, counts.get(id_))] for id_, version in versions.items()]

    def erase(self, db_session: Session, keys: Sequence[Any]) -> int:
        [(id_, version, counts)] = keys
        locking.lock(db_session, [id_])
        query = select(Meeting.lock_version).where(Meeting.id == id_, self.is_due)
        current_version = db_session.scalar(query)
        if current_version is None:  # another worker has done it
            return 0
        if current_version != version + 1:  # more than our own lock changed it
            counts = statistics.final_counts(db_session, [id_], zone=self.zone)[id_]
        db_session.execute(update(Meeting).where(Meeting.id == id_).values(**counts))
        return 0


class _Registrations(Expiry):
    """Registrations to delete under their meetings' locks, as wherever a registration ends."""

    def erase(self, db_session: Session, keys: Sequence[Any]) -> int:
        query = select(Registration.meeting_id).where(Registration.id.in_(keys)).distinct()
        locking.lock(db_session, db_session.scalars(query).all())
        return super().erase(db_session, keys)


# The columns that are cleared before their row is deleted, each with its blank value.
_SHORT_LIVED: dict[str, object] = {
    column: blank
    for field in registry.FIELDS
    if field.retention is not None and field.retention < RETENTION
    for column, blank in field.blanks.items()
}


def _has_short_lived_answers(ended_by: datetime) -> ColumnElement[bool]:
    has_answer = [_differs(getattr(Registration, name), it) for name, it in _SHORT_LIVED.items()]
    return _meeting_ended_by(ended_by) & or_(*has_answer)


def _differs(column: Any, value: object) -> ColumnElement[bool]:
    """Compare JSON as text, since PostgreSQL cannot compare it; an empty list is stored as `[]`."""
    return cast(column, Text) != str(value) if isinstance(column.type, JSON) else column != value


def _meeting_ended_by(moment: datetime) -> ColumnElement[bool]:
    return Registration.meeting_id.in_(select(Meeting.id).where(Meeting.ends_at <= moment))
