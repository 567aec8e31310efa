"""What would help those who come take part: who asked for what, to arrange it in time."""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.mail.recipients import LIVE_STATUSES
from cop.models.registration import Registration
from cop.questions import field, registry
from cop.registration.answers import HAS_ACCESS_NEEDS

BOOKING_LEAD_TIME = timedelta(days=14)  # so long before, a person who is to help has to be booked
_INTERPRETATION = "interpretation"


class AccessRequest(NamedTuple):
    """Somebody who asked for something."""

    id: int
    name: str
    status: str
    access: list[str]
    access_language: str
    access_other: str


class AccessNeed(NamedTuple):
    """One thing to arrange: what, and for whom, each with what they wrote about it."""

    label: str
    people: list[tuple[AccessRequest, str]]


def access_needs(db_session: Session, meeting_id: int) -> list[AccessNeed]:
    """What is to be arranged for those who hold a place or wait, in the order of the form."""
    columns = [getattr(Registration, name) for name in AccessRequest._fields]
    query = select(*columns).where(
        Registration.meeting_id == meeting_id,
        Registration.status.in_(LIVE_STATUSES),
        HAS_ACCESS_NEEDS,
    )
    people = [AccessRequest(*row) for row in db_session.execute(query.order_by(Registration.id))]
    needs = [_need(choice, people) for choice in registry.ACCESS.choices]
    own = AccessNeed(registry.ACCESS.own_words[-1].label,
               [(p, p.access_other) for p in people if p.access_other])  # fmt: skip
    return [need for need in (*needs, own) if need.people]


def _need(choice: field.Choice, people: list[AccessRequest]) -> AccessNeed:
    if choice.value != _INTERPRETATION:
        return AccessNeed(choice.label, [(p, "") for p in people if choice.value in p.access])
    asking = [p for p in people if _INTERPRETATION in p.access or p.access_language]
    return AccessNeed(choice.label, [(p, p.access_language) for p in asking])
