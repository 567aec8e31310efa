"""What a member changes about what they said for one meeting."""

from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cop import fields
from cop.domain import outbox, telling, withdrawals
from cop.domain.kept import OPTIONAL_ANSWERS
from cop.domain.members import Place
from cop.domain.retention import blank
from cop.mail.writer import Writer
from cop.models import Meeting, Registration


def change(
    db_session: Session, place: Place, said: Mapping[str, object], *, writer: Writer
) -> None:
    """Keep other answers, by column; a new need for access is told to the coordinators."""
    emptied = [withdrawals.answer(name, place.meeting.slug) for name in _emptied(place, said)]
    withdrawals.remember(db_session, place.member_id, *emptied, writer=writer)
    registration = update(Registration).where(Registration.id == place.id).values(**said)
    db_session.execute(registration.execution_options(synchronize_session=False))
    if place.is_live and not place.meeting.is_over and _asks_anew(place, said):
        occasion = f"{place.id}:{writer.now.isoformat()}"
        mails = telling.access_needs(db_session, writer, place.meeting, occasion=occasion)
        outbox.queue(db_session, mails, now=writer.now)


def delete(db_session: Session, member_id: int, slug: str, name: str, *, writer: Writer) -> bool:
    """Delete one optional answer, also where the same place was given up before.

    Return whether there is such an answer to delete.
    """
    named = next((field for field in OPTIONAL_ANSWERS if field.name == name), None)
    if named is None:
        return False
    values = blank(named)
    if named is fields.PREP_ANSWER:
        values |= blank(fields.PREP_VISIBILITY)
    meeting_id = select(Meeting.id).where(Meeting.slug == slug).scalar_subquery()
    answers = update(Registration).where(
        Registration.member_id == member_id, Registration.meeting_id == meeting_id
    )
    db_session.execute(answers.values(**values).execution_options(synchronize_session=False))
    withdrawals.remember(db_session, member_id, withdrawals.answer(name, slug), writer=writer)
    return True


def _emptied(place: Place, said: Mapping[str, object]) -> list[str]:
    """Name the answers that were there, and are empty now: emptying one is deleting it."""
    blanks = [(field.name, blank(field)) for field in OPTIONAL_ANSWERS]
    return [
        name
        for name, values in blanks
        if any(place.values[column] != value for column, value in values.items())
        and all(said.get(column, place.values[column]) == value for column, value in values.items())
    ]


def _asks_anew(place: Place, said: Mapping[str, object]) -> bool:
    asked = {column: said[column] for column in fields.ACCESS.columns if column in said}
    is_new = any(place.values[column] != value for column, value in asked.items())
    return is_new and any(asked.values())
