"""Retention: when the time that the registry promises is over, answers go, and then the rows.

It goes in small steps, each of which can be a transaction of its own: whoever registers meanwhile
waits for one of them, and a process that dies between two leaves nothing wrong.
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
from cop.statistics import statistics


@dataclass(frozen=True)
class RetentionResult:
    """How much went, by number; never what."""

    answers: int = 0
    registrations: int = 0
    members: int = 0
    mails: int = 0
    notes: int = 0


def run(db_session: Session, *, now: datetime) -> RetentionResult:
    """Erase all that is past its date in one transaction, where nobody else waits for the database.

    A second run finds nothing, and nothing goes before its date. Of a meeting whose registrations
    go, its numbers stay.
    """
    community = load_community(db_session)
    erased = Counter[str]()
    for expiry in expiries(community, now=now):
        erased[expiry.counter] += expiry.erase_all(db_session)
    return summary(erased)


def summary(erased: Counter[str]) -> RetentionResult:
    """Sums by `counter`, of which those without a name are left out."""
    return RetentionResult(**{name: erased[name] for name in RetentionResult.__dataclass_fields__})


def count_due(db_session: Session, *, now: datetime) -> RetentionResult:
    """Count the answers and registrations that are past their date; reads only."""
    community = load_community(db_session)
    query = select(func.count(Registration.id))
    return RetentionResult(
        answers=db_session.scalar(query.where(_has_answers(community, now=now))) or 0,
        registrations=db_session.scalar(query.where(_is_over(community, now=now))) or 0,
    )


def expiries(community: CommunityFacts, *, now: datetime) -> Iterator[Expiry]:
    """What is past its date, in the order in which it has to go."""
    yield attendance.expired_reports(now=now)
    yield Expiry(
        Registration.id, _has_answers(community, now=now), _BLANK_ANSWERS, counter="answers"
    )
    yield _FinalCounts(Meeting.id, _is_uncounted(community, now=now), zone=community.zone_info)
    is_counted = Registration.meeting_id.in_(
        select(Meeting.id).where(Meeting.registered_count.is_not(None))
    )
    is_over = _is_over(community, now=now) & is_counted
    yield _Registrations(Registration.id, is_over, counter="registrations")
    yield from _members()
    yield from outbox.expiries(now=now)
    yield from audit_log.expiries(announced_before=now - community.long, now=now)


@dataclass(frozen=True, kw_only=True)
class _FinalCounts(Expiry):
    """Meetings whose numbers are to be taken before their registrations go.

    Once: if the process dies when half of the registrations are gone, the next run must not count
    those that are left. They are counted without the lock, which takes seconds where there are many
    of them, and again behind it where the meeting has changed since.
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
        version_now = db_session.scalar(query)
        if version_now is None:  # another worker has done it
            return 0
        if version_now != version + 1:
            counts = statistics.final_counts(db_session, [id_], zone=self.zone)[id_]
        left = update(Meeting).where(Meeting.id == id_).values(**counts)
        db_session.execute(left)
        return 0


class _Registrations(Expiry):
    """Registrations that go, each under its meeting's lock, as wherever one ends."""

    def erase(self, db_session: Session, keys: Sequence[Any]) -> int:
        of = select(Registration.meeting_id).where(Registration.id.in_(keys)).distinct()
        locking.lock(db_session, db_session.scalars(of).all())
        return super().erase(db_session, keys)


# The answers that go before the row they stand in does.
_BLANK_ANSWERS: dict[str, object] = {
    column: value
    for field in (*registry.QUESTIONS, *registry.RECORDED)
    if field.kept is not None and field.kept < registry.LONG
    for column, value in field.blanks.items()
}


def _has_answers(community: CommunityFacts, *, now: datetime) -> ColumnElement[bool]:
    """Whether a registration has an answer that is past its date."""
    over = select(Meeting.id).where(Meeting.ends_at <= now - community.short)
    is_left = [
        _differs(getattr(Registration, name), value) for name, value in _BLANK_ANSWERS.items()
    ]
    return Registration.meeting_id.in_(over) & or_(*is_left)


def _differs(column: Any, value: object) -> ColumnElement[bool]:
    """PostgreSQL does not compare JSON; as text it does. An empty list is stored as `[]`."""
    return cast(column, Text) != str(value) if isinstance(column.type, JSON) else column != value


def _is_over(community: CommunityFacts, *, now: datetime) -> ColumnElement[bool]:
    over = select(Meeting.id).where(Meeting.ends_at <= now - community.long)
    return Registration.meeting_id.in_(over)


def _is_uncounted(community: CommunityFacts, *, now: datetime) -> ColumnElement[bool]:
    has_any = exists().where(Registration.meeting_id == Meeting.id).correlate(Meeting)
    return (Meeting.ends_at <= now - community.long) & Meeting.registered_count.is_(None) & has_any


def _members() -> Iterator[Expiry]:
    """Who is in no list any more; of who is on the mailing list only that is left."""
    has_registered = exists().where(Registration.member_id == Member.id).correlate(Member)
    came = ~has_registered & Member.first_attended_on.is_not(None)
    yield Expiry(Member.id, came, {"first_attended_on": None})
    is_in_no_list = ~has_registered & Member.list_confirmed_at.is_(None)
    yield Expiry(Member.id, is_in_no_list, counter="members")
