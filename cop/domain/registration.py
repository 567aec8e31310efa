"""Registering: one form, one transaction, and for each meeting a place or a turn in its queue."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from cop.domain import addresses
from cop.domain.errors import (
    MeetingCancelled,
    MeetingFull,
    MeetingOver,
    MeetingUnknown,
    NothingPlanned,
)
from cop.domain.schedule import Places, places
from cop.domain.statements import insert_with_conflict
from cop.models import (
    Meeting,
    MeetingStatus,
    Member,
    Registration,
    RegistrationStatus,
    Submission,
)

ALL = "all"
REPLAYED_FOR = timedelta(hours=24)


@dataclass(frozen=True)
class Details:
    """What somebody said about themselves for the meetings they chose."""

    name: str
    email: str
    organization: str = ""
    pronouns: str = ""
    hats: Sequence[str] = ()
    hats_other: str = ""
    access: Sequence[str] = ()
    access_language: str = ""
    access_other: str = ""
    taking_part: Sequence[str] = ()
    first_time: bool = False
    prep_answer: str = ""
    prep_visibility: str = "hosts"
    list_opt_in: bool = False
    language: str = "en"


@dataclass(frozen=True)
class Outcome:
    """What the page says, by slug: the same for everybody who posts at that moment.

    It follows from the meetings alone, never from who posts: it must not tell a stranger that an
    address has registered before.
    """

    held: tuple[str, ...]
    waiting: tuple[str, ...]


class _Taken(NamedTuple):
    held: int = 0
    waiting: int = 0


def register(
    db_session: Session,
    slugs: Sequence[str],
    details: Details,
    *,
    submission: str,
    zone: ZoneInfo,
    now: datetime,
) -> Outcome:
    """Hold places for somebody, or put them on the waiting lists.

    The caller's transaction commits, so that all of it is kept or none. `submission` names the form
    that was sent: the same one again is answered as before, and changes nothing. A place that the
    address holds already stays as it is.

    Raises:
        MeetingUnknown: there is no such meeting.
        MeetingOver: one of them has ended.
        MeetingCancelled: one of them will not take place.
        MeetingFull: one of them has begun, and has no place left.
        NothingPlanned: all upcoming ones were asked for, and there is none.
        AddressRefused: the address is none.
    """
    meetings = _lock(db_session, _ids(db_session, slugs, now=now))
    if saved := _saved(db_session, submission):
        return saved
    status_of = _decide(meetings, _taken(db_session, meetings), now=now)
    if ALL in slugs:  # who asks for all asks for those that can be had
        meetings = [meeting for meeting in meetings if meeting.id in status_of]
    _refuse_missing(meetings, status_of, zone=zone, now=now)
    _take_places(db_session, meetings, details, status_of, now=now)
    outcome = Outcome(
        held=_slugs(meetings, status_of, RegistrationStatus.HELD),
        waiting=_slugs(meetings, status_of, RegistrationStatus.WAITING),
    )
    _save(db_session, submission, outcome, now=now)
    return outcome


def forget_submissions(db_session: Session, *, now: datetime) -> None:
    """Forget the saved answers that are too old to be replayed."""
    db_session.execute(delete(Submission).where(Submission.created_at < now - REPLAYED_FOR))


def _ids(db_session: Session, slugs: Sequence[str], *, now: datetime) -> list[int]:
    query = select(Meeting.id).order_by(Meeting.id)
    if ALL in slugs:
        is_open = (Meeting.status == MeetingStatus.PLANNED) & (Meeting.ends_at > now)
        return list(db_session.scalars(query.where(is_open)))
    # PostgreSQL does not even look for a text with a NUL in it, and no slug has one.
    possible = [slug for slug in set(slugs) if "\0" not in slug]
    ids = list(db_session.scalars(query.where(Meeting.slug.in_(possible))))
    if len(ids) < len(set(slugs)):
        raise MeetingUnknown
    return ids


# The lock comes before the look: only so can two people in the last place not both see it free.
# Always in the order of the ids, so that two who want the same meetings cannot block each other.
_TAKE_LOCK = (
    update(Meeting)
    .values(lock_version=Meeting.lock_version + 1)
    .returning(
        Meeting.id,
        Meeting.slug,
        Meeting.capacity,
        Meeting.status,
        Meeting.starts_at,
        Meeting.ends_at,
        Meeting.prep_question,
    )
)

_Meeting = Row[int, str, int | None, str, datetime, datetime, str | None]


def _lock(db_session: Session, ids: Iterable[int]) -> list[_Meeting]:
    rows = [db_session.execute(_TAKE_LOCK.where(Meeting.id == id_)).one() for id_ in ids]
    return sorted(rows, key=lambda meeting: meeting.starts_at)


def _saved(db_session: Session, submission: str) -> Outcome | None:
    query = select(Submission.held, Submission.waiting).where(Submission.key == submission)
    row = db_session.execute(query).one_or_none()
    return Outcome(tuple(row.held), tuple(row.waiting)) if row else None


def _refuse_missing(
    meetings: list[_Meeting], status_of: Mapping[int, object], *, zone: ZoneInfo, now: datetime
) -> None:
    if not meetings:
        raise NothingPlanned
    for meeting in meetings:
        date = meeting.starts_at.astimezone(zone).date()
        if meeting.id in status_of:
            continue
        if meeting.ends_at <= now:
            raise MeetingOver(date=date)
        if meeting.status == MeetingStatus.CANCELLED:
            raise MeetingCancelled(date=date)
        raise MeetingFull(date=date)


def _taken(db_session: Session, meetings: list[_Meeting]) -> dict[int, _Taken]:
    query = (
        select(Registration.meeting_id, Registration.status, func.count())
        .where(
            Registration.meeting_id.in_([meeting.id for meeting in meetings]),
            Registration.status != RegistrationStatus.CANCELLED,
        )
        .group_by(Registration.meeting_id, Registration.status)
    )
    taken: dict[int, _Taken] = {}
    for meeting_id, status, count in db_session.execute(query):
        so_far = taken.get(meeting_id, _Taken())
        taken[meeting_id] = so_far._replace(**{status: count})
    return taken


def _decide(
    meetings: list[_Meeting], taken: Mapping[int, _Taken], *, now: datetime
) -> dict[int, RegistrationStatus]:
    """What who comes next gets at each meeting; nothing where it is closed, or begun and full."""
    decided = {}
    for meeting in meetings:
        held, waiting = taken.get(meeting.id, _Taken())
        has_begun = meeting.starts_at <= now
        left = places(meeting.capacity, held=held, waiting=waiting, has_begun=has_begun)
        is_open = meeting.status == MeetingStatus.PLANNED and meeting.ends_at > now
        if is_open and left is not Places.FULL:
            decided[meeting.id] = RegistrationStatus.HELD
        elif is_open and not has_begun:
            decided[meeting.id] = RegistrationStatus.WAITING
    return decided


def _take_places(
    db_session: Session,
    meetings: list[_Meeting],
    details: Details,
    status_of: Mapping[int, RegistrationStatus],
    *,
    now: datetime,
) -> None:
    member_id = _member_id(db_session, details, now=now)
    live = _live(db_session, member_id, meetings)
    asking = _asking(meetings)
    rows = [
        _row(meeting, details, status_of, is_asking=meeting is asking)
        | {"member_id": member_id, "registered_at": now}
        for meeting in meetings
        if meeting.id not in live
    ]
    if rows:
        db_session.execute(insert(Registration), rows)


def _member_id(db_session: Session, details: Details, *, now: datetime) -> int:
    new = insert_with_conflict(db_session, Member).values(
        email=details.email, email_key=addresses.key(details.email)
    )
    # Two first registrations of an address at once, or its erasure: this update of nothing
    # waits for the other one, and holds the row until the places are in.
    upsert = new.on_conflict_do_update(
        index_elements=[Member.email_key], set_={"email_key": new.excluded.email_key}
    )
    member_id = db_session.scalars(upsert.returning(Member.id)).one()
    if details.list_opt_in:
        asks = update(Member).where(Member.id == member_id, Member.list_asked_at.is_(None))
        db_session.execute(asks.values(list_asked_at=now))
    return member_id


def _live(db_session: Session, member_id: int, meetings: list[_Meeting]) -> set[int]:
    """The meetings at which the member holds or awaits a place already."""
    query = select(Registration.meeting_id).where(
        Registration.member_id == member_id,
        Registration.meeting_id.in_([meeting.id for meeting in meetings]),
        Registration.status != RegistrationStatus.CANCELLED,
    )
    return set(db_session.scalars(query))


def _asking(meetings: list[_Meeting]) -> _Meeting | None:
    """The soonest of the chosen meetings that asks a question: the answer is to that one."""
    return next((meeting for meeting in meetings if meeting.prep_question), None)


def _row(
    meeting: _Meeting,
    details: Details,
    status_of: Mapping[int, RegistrationStatus],
    *,
    is_asking: bool,
) -> dict[str, object]:
    said = asdict(details)
    del said["email"], said["list_opt_in"]
    lists = {name: list(said[name]) for name in ("hats", "access", "taking_part")}
    unasked = {} if is_asking else {"prep_answer": "", "prep_visibility": "hosts"}
    return said | lists | unasked | {"meeting_id": meeting.id, "status": status_of[meeting.id]}


def _slugs(
    meetings: list[_Meeting],
    status_of: Mapping[int, RegistrationStatus],
    status: RegistrationStatus,
) -> tuple[str, ...]:
    return tuple(meeting.slug for meeting in meetings if status_of[meeting.id] is status)


def _save(db_session: Session, submission: str, outcome: Outcome, *, now: datetime) -> None:
    db_session.execute(
        insert(Submission).values(
            key=submission,
            held=list(outcome.held),
            waiting=list(outcome.waiting),
            created_at=now,
        )
    )
