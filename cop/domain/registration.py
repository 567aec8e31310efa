"""Registering: one form, one transaction, and for each meeting a place or a turn in its queue."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import case, delete, func, insert, select, text
from sqlalchemy.orm import Session

from cop.domain import addresses, meetings, telling
from cop.domain.details import Details
from cop.domain.errors import (
    MeetingCancelled,
    MeetingFull,
    MeetingOver,
    MeetingUnknown,
    NothingPlanned,
)
from cop.domain.meetings import LockedMeeting
from cop.domain.recipients import MEMBER_COLUMNS, Recipient, recipient
from cop.domain.schedule import Places, places
from cop.domain.statements import insert_with_conflict
from cop.mail.writer import Writer
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
ASKED_AGAIN = timedelta(days=1)


@dataclass(frozen=True)
class Outcome:
    """What the page says, by slug: the same for everybody who posts at that moment.

    It follows from the meetings alone, never from who posts: it must not tell a stranger that an
    address has registered before.
    """

    held: tuple[str, ...]
    waiting: tuple[str, ...]


class Taken(NamedTuple):
    """How many hold a place at a meeting, and how many wait."""

    held: int = 0
    waiting: int = 0


def register(
    db_session: Session,
    slugs: Sequence[str],
    details: Details,
    *,
    submission: str,
    writer: Writer,
    is_told_by_us: bool = True,
) -> Outcome:
    """Hold places for somebody, or put them on the waiting lists, and queue their confirmation.

    The caller's transaction commits, so the places and the mail are kept or lost together.
    `submission` names the form that was sent: the same one again is answered as before, and changes
    nothing. A place that the address holds already stays as it is. Somebody whom a coordinator
    tells in person gets no mail of ours about it.

    Raises:
        MeetingUnknown: there is no such meeting.
        MeetingOver: one of them has ended.
        MeetingCancelled: one of them will not take place.
        MeetingFull: one of them has begun, and has no place left.
        NothingPlanned: all upcoming ones were asked for, and there is none.
        AddressRefused: the address is none.
    """
    now = writer.now
    locked = meetings.lock(db_session, _ids(db_session, slugs, now=now))
    if saved := _saved(db_session, submission):
        return saved
    status_of = _decide(locked, taken(db_session, locked), now=now)
    if ALL in slugs:  # who asks for all asks for those that can be had
        locked = [meeting for meeting in locked if meeting.id in status_of]
    _refuse_missing(locked, status_of, zone=writer.community.zone_info, now=now)
    to = _recipient(db_session, details, now=now)
    new = _take_places(db_session, locked, details, status_of, to=to, now=now)
    placed = telling.Placed(tuple(locked), status_of, new, submission)
    telling.of_registering(db_session, writer, to, placed, details, is_told_by_us=is_told_by_us)
    outcome = _outcome(locked, status_of)
    _save(db_session, submission, outcome, now=now)
    return outcome


def forget_submissions(db_session: Session, *, now: datetime) -> None:
    """Forget the saved answers that are too old to be replayed."""
    db_session.execute(delete(Submission).where(Submission.created_at < now - REPLAYED_FOR))


def taken(db_session: Session, locked: list[LockedMeeting]) -> dict[int, Taken]:
    """What is taken of some meetings, by their ids; nothing of those where nobody registered."""
    query = (
        select(Registration.meeting_id, Registration.status, func.count())
        .where(
            Registration.meeting_id.in_([meeting.id for meeting in locked]),
            Registration.status != RegistrationStatus.CANCELLED,
        )
        .group_by(Registration.meeting_id, Registration.status)
    )
    counted: dict[int, Taken] = {}
    for meeting_id, status, count in db_session.execute(query):
        so_far = counted.get(meeting_id, Taken())
        counted[meeting_id] = so_far._replace(**{status: count})
    return counted


def next_status(
    db_session: Session, meeting: LockedMeeting, *, now: datetime
) -> RegistrationStatus | None:
    """What who comes next gets at a meeting; nothing where it is closed, or begun and full."""
    return _decide([meeting], taken(db_session, [meeting]), now=now).get(meeting.id)


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


def _saved(db_session: Session, submission: str) -> Outcome | None:
    query = select(Submission.held, Submission.waiting).where(Submission.key == submission)
    row = db_session.execute(query).one_or_none()
    return Outcome(tuple(row.held), tuple(row.waiting)) if row else None


def _refuse_missing(
    locked: list[LockedMeeting], status_of: Mapping[int, object], *, zone: ZoneInfo, now: datetime
) -> None:
    if not locked:
        raise NothingPlanned
    for meeting in locked:
        date = meeting.starts_at.astimezone(zone).date()
        if meeting.id in status_of:
            continue
        if meeting.ends_at <= now:
            raise MeetingOver(date=date)
        if meeting.status == MeetingStatus.CANCELLED:
            raise MeetingCancelled(date=date)
        raise MeetingFull(date=date)


def _decide(
    locked: list[LockedMeeting], taken: Mapping[int, Taken], *, now: datetime
) -> dict[int, RegistrationStatus]:
    """What who comes next gets at each meeting; nothing where it is closed, or begun and full."""
    decided = {}
    for meeting in locked:
        held, waiting = taken.get(meeting.id, Taken())
        has_begun = meeting.starts_at <= now
        left = places(meeting.capacity, held=held, waiting=waiting, has_begun=has_begun)
        is_open = meeting.status == MeetingStatus.PLANNED and meeting.ends_at > now
        if is_open and left is not Places.FULL:
            decided[meeting.id] = RegistrationStatus.HELD
        elif is_open and not has_begun:
            decided[meeting.id] = RegistrationStatus.WAITING
    return decided


def _recipient(db_session: Session, details: Details, *, now: datetime) -> Recipient:
    """The member with this address, made where there is none; holds their row."""
    asked_at = now if details.list_opt_in else None
    new = insert_with_conflict(db_session, Member).values(
        email=details.email, email_key=addresses.key(details.email), list_asked_at=asked_at
    )
    # Two first registrations of an address at once, or its erasure: this update waits for the
    # other one, and holds the row until the places are in.
    # Asked again a day later, it is worth another mail; a stranger's clicks are worth one a day.
    is_stale = (Member.list_asked_at < now - ASKED_AGAIN) & Member.list_confirmed_at.is_(None)
    kept = case((is_stale, None), else_=Member.list_asked_at)
    asked = func.coalesce(kept, new.excluded.list_asked_at, Member.list_asked_at)
    upsert = new.on_conflict_do_update(
        index_elements=[Member.email_key],
        set_={"email_key": new.excluded.email_key, "list_asked_at": asked},
    )
    row = db_session.execute(upsert.returning(*MEMBER_COLUMNS)).one()
    # Not the name in the form: a stranger may send it, and would write to a member through us.
    return recipient(row, name="", language=details.language)


def _take_places(
    db_session: Session,
    locked: list[LockedMeeting],
    details: Details,
    status_of: Mapping[int, RegistrationStatus],
    *,
    to: Recipient,
    now: datetime,
) -> dict[int, int]:
    """Register for what they do not hold or await yet; return the new ids by meeting."""
    asking = _asking(locked)
    rows = [
        _row(meeting, details, status_of, is_asking=meeting is asking)
        | {"member_id": to.member_id, "registered_at": now, "told": str(meeting.telling)}
        for meeting in locked
    ]
    new = insert_with_conflict(db_session, Registration)
    unless_there = new.on_conflict_do_nothing(
        index_elements=[Registration.member_id, Registration.meeting_id],
        index_where=text("status <> 'cancelled'"),
    )
    returned = unless_there.returning(Registration.meeting_id, Registration.id)
    return {row.meeting_id: row.id for row in db_session.execute(returned, rows)}


def _asking(locked: list[LockedMeeting]) -> LockedMeeting | None:
    """The soonest of the chosen locked that asks a question: the answer is to that one."""
    return next((meeting for meeting in locked if meeting.prep_question), None)


def _row(
    meeting: LockedMeeting,
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


def _outcome(locked: list[LockedMeeting], status_of: Mapping[int, RegistrationStatus]) -> Outcome:
    held, waiting = (
        tuple(meeting.slug for meeting in locked if status_of[meeting.id] is status)
        for status in (RegistrationStatus.HELD, RegistrationStatus.WAITING)
    )
    return Outcome(held, waiting)


def _save(db_session: Session, submission: str, outcome: Outcome, *, now: datetime) -> None:
    db_session.execute(
        insert(Submission).values(
            key=submission,
            held=list(outcome.held),
            waiting=list(outcome.waiting),
            created_at=now,
        )
    )
