"""Delete what is past the retention period that the question registry promises.

First the answers with the short period, then whole registrations, then members. Each batch can have
a transaction of its own: a registration waits for one batch at most, and a crash between two
batches leaves the data consistent.
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
    """Delete what is past its retention period, in one transaction.

    Only for a database that is not in use, since the transaction may be long.
    """
    deleted = Counter[str]()
    for expiry in expiries(load_community(db_session), now=now):
        deleted[expiry.counter] += expiry.erase_all(db_session)
    return summary(deleted)


def summary(deleted: Counter[str]) -> DeletionResult:
    """Return the totals by `Expiry.counter`, without those that have no counter."""
    return DeletionResult(**{name: deleted[name] for name in DeletionResult.__dataclass_fields__})


def count_due(db_session: Session, *, now: datetime) -> DeletionResult:
    """Count the answers and registrations that are past their retention period."""
    community = load_community(db_session)
    query = select(func.count(Registration.id))
    has_answers = _has_short_lived_answers(now - community.short_retention)
    is_expired = _meeting_ended_by(now - community.retention)
    return DeletionResult(
        answers=db_session.scalar(query.where(has_answers)) or 0,
        registrations=db_session.scalar(query.where(is_expired)) or 0,
    )


def expiries(community: CommunityFacts, *, now: datetime) -> Iterator[Expiry]:
    """The rows past their retention period, in the order in which they are deleted."""
    yield attendance.expired_reports(now=now)
    has_answers = _has_short_lived_answers(now - community.short_retention)
    yield Expiry(Registration.id, has_answers, _SHORT_LIVED, counter="answers")
    ended_by = now - community.retention
    has_registrations = exists().where(Registration.meeting_id == Meeting.id).correlate(Meeting)
    is_counted = Meeting.registered_count.is_not(None)
    needs_counts = (Meeting.ends_at <= ended_by) & ~is_counted & has_registrations
    yield _FinalCounts(Meeting.id, needs_counts, zone=community.zone_info)
    is_deletable = _meeting_ended_by(ended_by) & Registration.meeting_id.in_(
        select(Meeting.id).where(is_counted)
    )
    yield _Registrations(Registration.id, is_deletable, counter="registrations")
    is_registered = exists().where(Registration.member_id == Member.id).correlate(Member)
    # A member without registrations is stored only for the mailing list: clear the attendance date.
    has_unneeded_date = ~is_registered & Member.first_attended_on.is_not(None)
    yield Expiry(Member.id, has_unneeded_date, {"first_attended_on": None})
    is_unused = ~is_registered & Member.list_confirmed_at.is_(None)
    yield Expiry(Member.id, is_unused, counter="members")
    yield from outbox.expiries(now=now)
    yield from audit_log.expiries(announced_before=ended_by, now=now)


@dataclass(frozen=True, kw_only=True)
class _FinalCounts(Expiry):
    """Meetings whose final counts are stored before their registrations are deleted.

    Each meeting is counted once: if the process dies when half of its registrations are deleted,
    the next run must not count only the rest. Counting can take seconds, so `find` counts without a
    lock, and `erase` counts again under the lock only if the meeting has changed since.
    """

    zone: ZoneInfo

    def find(self, db_session: Session) -> list[Sequence[Any]]:
        """Return one batch per meeting, with one key: its id, lock version and counts."""
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
        if current_version != version + 1:  # the lock above adds 1; more means that it has changed
            counts = statistics.final_counts(db_session, [id_], zone=self.zone)[id_]
        db_session.execute(update(Meeting).where(Meeting.id == id_).values(**counts))
        return 0  # rows erased


class _Registrations(Expiry):
    """Registrations to delete under their meetings' locks, like every cancellation."""

    def erase(self, db_session: Session, keys: Sequence[Any]) -> int:
        query = select(Registration.meeting_id).where(Registration.id.in_(keys)).distinct()
        locking.lock(db_session, db_session.scalars(query).all())
        return super().erase(db_session, keys)


# Columns with the short retention period, which are set to these blanks before rows are deleted.
_SHORT_LIVED: dict[str, object] = {
    column: blank
    for field in registry.FIELDS
    if field.retention is not None and field.retention < RETENTION
    for column, blank in field.blanks.items()
}


def _has_short_lived_answers(ended_by: datetime) -> ColumnElement[bool]:
    is_set = [_differs(getattr(Registration, name), blank) for name, blank in _SHORT_LIVED.items()]
    return _meeting_ended_by(ended_by) & or_(*is_set)


def _differs(column: Any, value: object) -> ColumnElement[bool]:
    """Whether a column differs from a value."""
    # Compare JSON as text, since PostgreSQL cannot compare it; an empty list is stored as `[]`.
    return cast(column, Text) != str(value) if isinstance(column.type, JSON) else column != value


def _meeting_ended_by(moment: datetime) -> ColumnElement[bool]:
    return Registration.meeting_id.in_(select(Meeting.id).where(Meeting.ends_at <= moment))
