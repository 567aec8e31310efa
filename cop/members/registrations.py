"""What a member changes about what they said for one meeting."""

from collections.abc import Iterable, Mapping
from secrets import token_hex

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cop.audit import withdrawals
from cop.mail.recipients import LIVE_STATUSES, Recipient
from cop.mail.writer import LetterWriter
from cop.members.held_data import OPTIONAL_ANSWERS
from cop.members.members import MemberRegistration
from cop.models.meeting import Meeting
from cop.models.registration import Registration
from cop.outbox import outbox
from cop.privacy.retention import blank_values
from cop.questions import registry
from cop.registration import notifications, register
from cop.registration.answers import Answers


def add_sessions(
    db_session: Session,
    to: Recipient,
    slugs: Iterable[str],
    *,
    latest: MemberRegistration,
    writer: LetterWriter,
) -> None:
    """Register a member for more meetings; where they hold a place or wait, nothing changes.

    The caller holds the member's row: of two clicks, the second finds nothing left to add.
    """
    new = sorted(set(slugs) - _selected_slugs(db_session, to.member_id))
    if new:
        answers = _details(to, latest, disabled_questions=writer.community.disabled_questions)
        register.register(db_session, new, answers, submission=token_hex(32), writer=writer)


def _selected_slugs(db_session: Session, member_id: int) -> set[str]:
    query = select(Meeting.slug).join(Registration, Registration.meeting_id == Meeting.id)
    is_theirs = (Registration.member_id == member_id, Registration.status.in_(LIVE_STATUSES))
    return set(db_session.scalars(query.where(*is_theirs)))


def _details(
    to: Recipient, latest: MemberRegistration, *, disabled_questions: Iterable[str]
) -> Answers:
    """What they said last, without the answer to a meeting's own question."""
    asked = {
        column
        for field in registry.enabled_questions(disabled_questions)
        for column in field.columns
    }
    left_out = {"email", *registry.PREP_ANSWER.columns, *registry.PREP_VISIBILITY.columns}
    names = Answers.__dataclass_fields__.keys() & asked - left_out
    said = {name: latest.values[name] for name in names}
    return Answers(**said, email=to.email, language=to.language)  # type: ignore[arg-type]


def change(
    db_session: Session,
    place: MemberRegistration,
    said: Mapping[str, object],
    *,
    writer: LetterWriter,
) -> None:
    """Keep other answers, by column; a new need for access is told to the coordinators."""
    emptied = [
        withdrawals.answer(name, place.meeting.slug) for name in _cleared_answers(place, said)
    ]
    withdrawals.remember(db_session, place.member_id, *emptied, writer=writer)
    registration = update(Registration).where(Registration.id == place.id).values(**said)
    db_session.execute(registration)
    if place.is_live and not place.meeting.is_over and _has_new_access_needs(place, said):
        occasion = f"{place.id}:{writer.now.isoformat()}"
        mails = notifications.access_needs(db_session, writer, place.meeting, occasion=occasion)
        outbox.queue(db_session, mails, now=writer.now)


def delete_answer(
    db_session: Session, member_id: int, slug: str, name: str, *, writer: LetterWriter
) -> bool:
    """Delete one optional answer, also where the same place was given up before.

    Return whether there is such an answer to delete.
    """
    named = next((field for field in OPTIONAL_ANSWERS if field.name == name), None)
    if named is None:
        return False
    values = blank_values(named)
    if named is registry.PREP_ANSWER:
        values |= blank_values(registry.PREP_VISIBILITY)
    meeting_id = select(Meeting.id).where(Meeting.slug == slug).scalar_subquery()
    answers = update(Registration).where(
        Registration.member_id == member_id, Registration.meeting_id == meeting_id
    )
    db_session.execute(answers.values(**values))
    withdrawals.remember(db_session, member_id, withdrawals.answer(name, slug), writer=writer)
    return True


def _cleared_answers(place: MemberRegistration, said: Mapping[str, object]) -> list[str]:
    """Name the answers that were there, and are empty now: emptying one is deleting it."""
    blanks = [(field.name, blank_values(field)) for field in OPTIONAL_ANSWERS]
    return [
        name
        for name, values in blanks
        if any(place.values[column] != value for column, value in values.items())
        and all(said.get(column, place.values[column]) == value for column, value in values.items())
    ]


def _has_new_access_needs(place: MemberRegistration, said: Mapping[str, object]) -> bool:
    asked = {column: said[column] for column in registry.ACCESS.columns if column in said}
    is_new = any(place.values[column] != value for column, value in asked.items())
    return is_new and any(asked.values())
