"""What registering reads and writes, by statements that are prepared once.

All of it happens behind the meetings' locks, and the next in line waits for as long.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Executable, bindparam, case, func, select, text
from sqlalchemy.orm import Session

from cop import email_addresses
from cop.db.statements import Insert, Prepared, numbered
from cop.db.types import UtcDateTime, random_first_version
from cop.errors import Refused
from cop.i18n import N_
from cop.mail.recipients import MEMBER_COLUMNS, Recipient, recipient
from cop.meetings.locking import LockedMeeting
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import Member, Registration, RegistrationStatus, Submission
from cop.registration.answers import Answers

_UNKNOWN = N_(
    "One of the sessions you chose is not on the schedule. Choose among those listed below."
)

LIST_REQUEST_INTERVAL = timedelta(days=1)


class PlaceCounts(NamedTuple):
    """How many hold a place at a meeting, and how many wait."""

    held: int = 0
    waiting: int = 0


@lru_cache(30)
def _count(meetings: int) -> Prepared:
    """How many hold a place or wait, at as many meetings."""
    status, meeting_id = Registration.status, Registration.meeting_id
    ids: list[Any] = [bindparam(str(number)) for number in range(meetings)]
    counted = select(meeting_id, status, func.count().label("people")).group_by(meeting_id, status)
    return Prepared(counted.where(meeting_id.in_(ids), status != RegistrationStatus.CANCELLED))


def count_places(db_session: Session, locked: Sequence[LockedMeeting]) -> dict[int, PlaceCounts]:
    """What is taken of some meetings, by their ids."""
    if not locked:
        return {}
    counted = {meeting.id: PlaceCounts() for meeting in locked}
    values = {str(number): meeting.id for number, meeting in enumerate(locked)}
    for meeting_id, status, people in _count(len(locked)).rows(db_session, **values):
        counted[meeting_id] = counted[meeting_id]._replace(**{status: people})
    return counted


_OPEN = select(Meeting.id).order_by(Meeting.id).where(Meeting.status == MeetingStatus.PLANNED)
_SAVED = Prepared(
    select(Submission.held, Submission.waiting).where(Submission.key == bindparam("key"))
)


@lru_cache(30)
def _find(meetings: int) -> Prepared:
    """The ids of as many meetings."""
    slugs: list[Any] = [bindparam(str(number)) for number in range(meetings)]
    return Prepared(select(Meeting.id).where(Meeting.slug.in_(slugs)))


def open_ids(db_session: Session, *, now: datetime) -> list[int]:
    """The meetings that people can register for."""
    return list(db_session.scalars(_OPEN.where(Meeting.ends_at > now)))


def ids_of(db_session: Session, slugs: Sequence[str]) -> list[int]:
    """The meetings with these slugs."""
    wanted = set(slugs)
    # PostgreSQL does not even look for a text with a NUL in it, and no slug has one.
    if not wanted or any("\0" in slug for slug in wanted):
        raise Refused(_UNKNOWN, field="sessions")
    values = {str(number): slug for number, slug in enumerate(wanted)}
    ids = [row.id for row in _find(len(wanted)).rows(db_session, **values)]
    if len(ids) < len(wanted):
        raise Refused(_UNKNOWN, field="sessions")
    return ids


def find_submission(db_session: Session, submission: str) -> tuple[list[str], list[str]] | None:
    """What was held and awaited by a form that was sent before, if it was."""
    row = next(iter(_SAVED.rows(db_session, key=submission)), None)
    return (row.held, row.waiting) if row else None


def _kept_or_asked(new: Insert) -> Executable:
    """Make the member, or find and hold the one there is, with what the form asks of the list.

    Two first registrations of an address at once, or its erasure: this waits for the other one, and
    holds the row until the places are in.
    """
    # Asked again a day later, it is worth another mail; a stranger's clicks are worth one a day.
    is_stale = Member.list_requested_at < bindparam("stale_since", type_=UtcDateTime())
    is_unanswered = is_stale & Member.list_confirmed_at.is_(None)
    kept = case((is_unanswered, None), else_=Member.list_requested_at)
    asked = func.coalesce(kept, new.excluded.list_requested_at, Member.list_requested_at)
    return new.on_conflict_do_update(
        index_elements=[Member.email_key],
        set_={"email_key": new.excluded.email_key, "list_requested_at": asked},
    ).returning(*MEMBER_COLUMNS)


_NEW_MEMBER = ("email", "email_key", "list_requested_at", "opt_outs", "token_version",
               "calendar_version")  # fmt: skip
_MEMBER = Prepared.insert(Member, _NEW_MEMBER, _kept_or_asked)


def upsert_member(db_session: Session, answers: Answers, *, now: datetime) -> Recipient:
    """The member with this address, made where there is none; holds their row."""
    [row] = _MEMBER.rows(
        db_session,
        email=answers.email,
        email_key=email_addresses.normalize(answers.email),
        list_requested_at=now if answers.list_opt_in else None,
        opt_outs=[],
        token_version=random_first_version(),
        calendar_version=random_first_version(),
        stale_since=now - LIST_REQUEST_INTERVAL,
    )
    # Not the name in the form: a stranger may send it, and would write to a member through us.
    return recipient(row, name="", language=answers.language)


_ANSWER_COLUMNS = set(Answers.__dataclass_fields__) - {"email", "list_opt_in"}
_OF_PLACE = {*_ANSWER_COLUMNS, "meeting_id", "member_id", "status", "registered_at", "announced"}


@lru_cache(30)
def _place(meetings: int) -> Prepared:
    """Registrations for as many meetings, but where there is one that lives."""
    return Prepared.insert(
        Registration,
        _OF_PLACE,
        lambda new: new.on_conflict_do_nothing(
            index_elements=[Registration.member_id, Registration.meeting_id],
            index_where=text("status <> 'cancelled'"),
        ).returning(Registration.meeting_id, Registration.id),
        rows=meetings,
    )


def insert_registrations(
    db_session: Session,
    locked: list[LockedMeeting],
    answers: Answers,
    status_of: Mapping[int, RegistrationStatus],
    *,
    to: Recipient,
    now: datetime,
) -> dict[int, int]:
    """Register for what they do not hold or await yet; return the new ids by meeting."""
    asking = _asking(locked)
    rows = [
        _row(meeting, answers, status_of, is_asking=meeting is asking)
        | {"member_id": to.member_id, "registered_at": now, "announced": str(meeting.snapshot)}
        for meeting in locked
    ]
    return dict(_place(len(rows)).rows(db_session, **numbered(rows)))


def _asking(locked: list[LockedMeeting]) -> LockedMeeting | None:
    """The soonest of the chosen locked that asks a question: the answer is to that one."""
    return next((meeting for meeting in locked if meeting.prep_question), None)


def _row(
    meeting: LockedMeeting,
    answers: Answers,
    status_of: Mapping[int, RegistrationStatus],
    *,
    is_asking: bool,
) -> dict[str, object]:
    said = {name: getattr(answers, name) for name in _ANSWER_COLUMNS}
    lists = {name: list(said[name]) for name in ("hats", "access", "taking_part")}
    unasked = {} if is_asking else {"prep_answer": "", "prep_visibility": "hosts"}
    return said | lists | unasked | {"meeting_id": meeting.id, "status": status_of[meeting.id]}


_SAVE = Prepared.insert(Submission, ("key", "held", "waiting", "created_at"))


def save_submission(
    db_session: Session, submission: str, held: Sequence[str], waiting: Sequence[str], *,
    now: datetime,
) -> None:  # fmt: skip
    """Keep what a form came to, so that the same form sent again is answered as before."""
    row = {"key": submission, "held": list(held), "waiting": list(waiting), "created_at": now}
    _SAVE.run(db_session, [row])
