"""What would help those who come take part: who asked for what, to arrange it in time."""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from cop import fields
from cop.domain.recipients import LIVE
from cop.domain.roster import ASKS_FOR_ACCESS
from cop.models import Registration

BOOKED_BEFORE = timedelta(days=14)  # so long before, a person who is to help has to be booked
_INTERPRETATION = "interpretation"


class Asking(NamedTuple):
    """Somebody who asked for something."""

    id: int
    name: str
    status: str
    access: list[str]
    access_language: str
    access_other: str


class Need(NamedTuple):
    """One thing to arrange: what, and for whom, each with what they wrote about it."""

    label: str
    people: list[tuple[Asking, str]]


def of_meeting(db_session: Session, meeting_id: int) -> list[Need]:
    """What is to be arranged for those who hold a place or wait, in the order of the form."""
    columns = [getattr(Registration, name) for name in Asking._fields]
    query = select(*columns).where(
        Registration.meeting_id == meeting_id, Registration.status.in_(LIVE), ASKS_FOR_ACCESS
    )
    people = [Asking(*row) for row in db_session.execute(query.order_by(Registration.id))]
    needs = [_need(choice, people) for choice in fields.ACCESS.choices]
    own = Need(fields.ACCESS.own_words[-1].label,
               [(p, p.access_other) for p in people if p.access_other])  # fmt: skip
    return [need for need in (*needs, own) if need.people]


def _need(choice: fields.Choice, people: list[Asking]) -> Need:
    if choice.value != _INTERPRETATION:
        return Need(choice.label, [(p, "") for p in people if choice.value in p.access])
    asking = [p for p in people if _INTERPRETATION in p.access or p.access_language]
    return Need(choice.label, [(p, p.access_language) for p in asking])
