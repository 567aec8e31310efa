"""Retention: when the time that the registry promises is over, answers go, and then the rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from cop import fields
from cop.domain import attendance, community, numbers, old_mails, record
from cop.domain.community import Facts
from cop.models import Meeting, Member, Registration


@dataclass(frozen=True)
class Erased:
    """How much went, by number; never what."""

    answers: int
    registrations: int
    members: int
    mails: int = 0
    notes: int = 0


def run(db_session: Session, *, now: datetime) -> Erased:
    """Erase what is past its date; a second run finds nothing, and nothing goes before its date.

    Of a meeting whose registrations go, its numbers stay.
    """
    attendance.forget_reports(db_session, now=now)
    facts = community.facts(db_session)
    return Erased(
        answers=_blank_answers(db_session, facts, now=now),
        registrations=_delete_registrations(db_session, facts, now=now),
        members=_delete_members(db_session),
        mails=old_mails.forget(db_session, now=now),
        notes=record.forget(db_session, announced_before=now - facts.long, now=now),
    )


def _blank_answers(db_session: Session, facts: Facts, *, now: datetime) -> int:
    """Blank the answers that go before the row they stand in does."""
    blanks: dict[str, object] = {}
    for field in (*fields.QUESTIONS, *fields.NOTED):
        if field.kept is not None and field.kept < fields.LONG:
            blanks |= blank(field)
    return _blank_after(db_session, facts.short, blanks, now=now)


def blank(field: fields.Field) -> dict[str, object]:
    """What the columns of a field hold once its answer is gone."""
    own = {words.name: words.blank for words in field.own_words}
    return {column: own.get(column, field.blank) for column in field.columns}


def _blank_after(
    db_session: Session, kept: timedelta, blank: Mapping[str, object], *, now: datetime
) -> int:
    over = select(Meeting.id).where(Meeting.ends_at <= now - kept)
    query = select(Registration).where(Registration.meeting_id.in_(over))
    stale = [
        registration
        for registration in db_session.scalars(query)
        if any(getattr(registration, column) != value for column, value in blank.items())
    ]
    for registration in stale:
        for column, value in blank.items():
            setattr(registration, column, value)
    db_session.flush()
    return len(stale)


def _delete_registrations(db_session: Session, facts: Facts, *, now: datetime) -> int:
    over = select(Meeting.id).where(Meeting.ends_at <= now - facts.long)
    has_any = exists().where(Registration.meeting_id == Meeting.id).correlate(Meeting)
    # The lock first: who deletes their data meanwhile is counted whole, or not at all.
    locked = (
        update(Meeting)
        .where(Meeting.id.in_(over), has_any)
        .values(lock_version=Meeting.lock_version + 1)
        .returning(Meeting.id)
        .execution_options(synchronize_session=False)
    )
    ids = db_session.scalars(locked).all()
    if not ids:
        return 0
    numbers.leave(db_session, ids, zone=facts.zone_info)
    gone = db_session.execute(
        delete(Registration)
        .where(Registration.meeting_id.in_(ids))
        .execution_options(synchronize_session=False)
    )
    return gone.rowcount  # type: ignore[attr-defined,no-any-return]


def _delete_members(db_session: Session) -> int:
    """Delete who is in no list any more; of who is on the mailing list only that is left."""
    has_registered = exists().where(Registration.member_id == Member.id).correlate(Member)
    came = update(Member).where(~has_registered, Member.first_came_on.is_not(None))
    unsaid = came.values(first_came_on=None).execution_options(synchronize_session=False)
    db_session.execute(unsaid)
    is_in_no_list = ~has_registered & Member.list_confirmed_at.is_(None)
    # Somebody may be registering with such an address right now. Once its row is locked they wait;
    # those who came before the lock are seen by the second look, and stay.
    ids = list(db_session.scalars(select(Member.id).where(is_in_no_list).with_for_update()))
    gone = db_session.execute(
        delete(Member)
        .where(Member.id.in_(ids), is_in_no_list)
        .execution_options(synchronize_session=False)
    )
    return gone.rowcount  # type: ignore[attr-defined,no-any-return]
