"""Access needs for a session: what to arrange, and for whom."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from cop.models.registration import Registration
from cop.questions import registry
from cop.questions.field import Choice
from cop.registration.answers import HAS_ACCESS_NEEDS
from cop.registration.people import select_live_registrations

BOOKING_LEAD_TIME = timedelta(days=14)  # how early to book interpreters and captioners
_INTERPRETATION = "interpretation"


class AccessNeed(NamedTuple):
    """One thing to arrange, and who needs it, with a detail in their own words."""

    label: str
    people: list[tuple[Registration, str]]


def access_needs(db_session: Session, meeting_id: int) -> tuple[list[AccessNeed], int]:
    """Read the access needs of live registrations, in the order of the form.

    Also count those whom the data describes; which of them these are stands nowhere.
    """
    condition = HAS_ACCESS_NEEDS | Registration.lived_experience
    query = select_live_registrations(meeting_id).where(condition).order_by(Registration.id)
    people = db_session.scalars(query).all()
    needs = [_need(choice, people) for choice in registry.ACCESS.choices]
    other = [(person, person.access_other) for person in people if person.access_other]
    needs.append(AccessNeed(registry.ACCESS.other_texts[-1].label, other))
    lived_experience = sum(person.lived_experience for person in people)
    return [need for need in needs if need.people], lived_experience


def _need(choice: Choice, people: Sequence[Registration]) -> AccessNeed:
    if choice.value != _INTERPRETATION:
        return AccessNeed(choice.label, [(p, "") for p in people if choice.value in p.access])
    asking = [p for p in people if _INTERPRETATION in p.access or p.access_language]
    return AccessNeed(choice.label, [(p, p.access_language) for p in asking])
