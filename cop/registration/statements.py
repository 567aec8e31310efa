"""The statements of a registration, compiled once.

They run while the meetings are locked, and all other registrations wait for that lock, so each
millisecond counts.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Executable, bindparam, func, select, text
from sqlalchemy.orm import Session

from cop import email_addresses
from cop.db.statements import Insert, Prepared, numbered
from cop.db.types import random_first_version
from cop.errors import Refused
from cop.i18n import N_
from cop.mail.recipients import MEMBER_COLUMNS, Recipient, recipient
from cop.meetings.locking import MeetingFacts
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import Member, Registration, RegistrationStatus, Submission
from cop.questions import registry
from cop.registration.answers import Answers


class PlaceCounts(NamedTuple):
    """How many people hold a place at a meeting, and how many wait."""

    held: int = 0
    waiting: int = 0


@lru_cache(30)
def _count_places_of(meeting_count: int) -> Prepared:
    status, meeting_id = Registration.status, Registration.meeting_id
    ids: list[Any] = [bindparam(str(number)) for number in range(meeting_count)]
    query = select(meeting_id, status, func.count().label("people")).group_by(meeting_id, status)
    return Prepared(query.where(meeting_id.in_(ids), status != RegistrationStatus.CANCELLED))


def count_places(db_session: Session, locked: Sequence[MeetingFacts]) -> dict[int, PlaceCounts]:
    """Count held and waiting registrations by meeting id."""
    counts = {meeting.id: PlaceCounts() for meeting in locked}
    if locked:
        values = {str(number): meeting.id for number, meeting in enumerate(locked)}
        for meeting_id, status, people in _count_places_of(len(locked)).rows(db_session, **values):
            # The fields of PlaceCounts are named like the statuses.
            counts[meeting_id] = counts[meeting_id]._replace(**{status: people})
    return counts


def open_ids(db_session: Session, *, now: datetime) -> list[int]:
    """Read the ids of the meetings that are open for registration."""
    is_open = (Meeting.status == MeetingStatus.PLANNED) & (Meeting.ends_at > now)
    return list(db_session.scalars(select(Meeting.id).where(is_open).order_by(Meeting.id)))


@lru_cache(30)
def _select_ids_of(slug_count: int) -> Prepared:
    slugs: list[Any] = [bindparam(str(number)) for number in range(slug_count)]
    return Prepared(select(Meeting.id).where(Meeting.slug.in_(slugs)))


def ids_of(db_session: Session, slugs: Sequence[str]) -> list[int]:
    """Read the ids of the meetings with these slugs; refuse if one does not exist."""
    wanted = set(slugs)
    # No slug contains a NUL, and PostgreSQL raises an error for one in a parameter: do not query.
    may_exist = wanted and not any("\0" in slug for slug in wanted)
    values = {str(number): slug for number, slug in enumerate(wanted)}
    rows = _select_ids_of(len(wanted)).rows(db_session, **values) if may_exist else []
    ids = [row.id for row in rows]
    if not ids or len(ids) < len(wanted):
        raise Refused(
            N_("One of these sessions isn't on the schedule. Choose from the sessions below."),
            field="sessions",
        )
    return ids


_SELECT_SUBMISSION = Prepared(select(Submission.key).where(Submission.key == bindparam("key")))
_INSERT_SUBMISSION = Prepared.insert(Submission, Submission.__table__.c.keys())


def find_submission(db_session: Session, key: str) -> bool:
    """Return whether the form with this key was sent before."""
    return bool(_SELECT_SUBMISSION.rows(db_session, key=key))


def save_submission(db_session: Session, values: Mapping[str, object]) -> None:
    """Store a form by the columns of `Submission`."""
    _INSERT_SUBMISSION.run(db_session, [values])


def _upsert_member(new: Insert) -> Executable:
    """Insert the member, or lock and return the row with this address.

    The row lock makes other registrations with this address, and its erasure, wait until this
    transaction has inserted its registrations.
    """
    return new.on_conflict_do_update(
        index_elements=[Member.email_key], set_={"email_key": new.excluded.email_key}
    ).returning(*MEMBER_COLUMNS)


_UPSERT_MEMBER = Prepared.insert(
    Member, ("email", "email_key", "opt_outs", "token_version", "calendar_version"), _upsert_member
)


def upsert_member(db_session: Session, answers: Answers) -> Recipient:
    """Lock the member with this address; insert them first if there is none."""
    [row] = _UPSERT_MEMBER.rows(
        db_session,
        email=answers.email,
        email_key=email_addresses.normalize(answers.email),
        opt_outs=[],
        token_version=random_first_version(),
        calendar_version=random_first_version(),
    )
    # Without the name, since a stranger may have typed it: no email to this address may contain it.
    return recipient(row, name="", language=answers.language)


# Stored instead of the answers to questions about another session.
_SESSION_BLANKS = {
    column: blank
    for question in registry.ANSWERS
    if question.is_about_session
    for column, blank in question.blanks.items()
}
_REGISTRATION_VALUES = {
    *registry.BLANKS,
    "language",
    "meeting_id",
    "member_id",
    "status",
    "registered_at",
    "announced",
}


@lru_cache(30)
def _insert_registrations(row_count: int) -> Prepared:
    """Insert this many registrations, except where the member has a live one."""
    return Prepared.insert(
        Registration,
        _REGISTRATION_VALUES,
        lambda new: new.on_conflict_do_nothing(
            index_elements=[Registration.member_id, Registration.meeting_id],
            index_where=text("status <> 'cancelled'"),
        ).returning(Registration.meeting_id, Registration.id),
        row_count=row_count,
    )


def insert_registrations(
    db_session: Session,
    locked: Sequence[MeetingFacts],
    answers: Answers,
    status_of: Mapping[int, RegistrationStatus],
    *,
    to: Recipient,
    now: datetime,
) -> dict[int, int]:
    """Register a member where they are not registered yet; return new ids by meeting.

    The preparation answer is stored only with the soonest meeting that asks a question.
    """
    meeting_with_question = next((meeting for meeting in locked if meeting.prep_question), None)
    values = {**registry.BLANKS, **answers.values, "name": answers.name}
    values |= {"language": answers.language, "member_id": to.member_id, "registered_at": now}
    rows = [
        values
        | ({} if meeting is meeting_with_question else _SESSION_BLANKS)
        | {
            "meeting_id": meeting.id,
            "status": status_of[meeting.id],
            "announced": str(meeting.snapshot),
        }
        for meeting in locked
    ]
    return dict(_insert_registrations(len(rows)).rows(db_session, **numbered(rows)))
