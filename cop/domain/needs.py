"""What would help those who come take part: who asked for what, to arrange it in time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from cop import fields
from cop.domain.recipients import LIVE
from cop.domain.roster import ASKS_FOR_ACCESS
from cop.models import Registration

BOOKED_BEFORE = timedelta(days=14)  # so long before, a person who is to help has to be booked


@dataclass(frozen=True)
class Asking:
    """Somebody who asked for something."""

    id: int
    name: str
    status: str
    access: tuple[str, ...]
    access_language: str
    access_other: str


@dataclass(frozen=True)
class Need:
    """One thing to arrange: what, and for whom; `words` says what of it each of them wrote."""

    label: str
    people: tuple[Asking, ...]
    words: str = ""

    def said_by(self, person: Asking) -> str:
        """What they wrote about it."""
        return str(getattr(person, self.words)) if self.words else ""


def of_meeting(db_session: Session, meeting_id: int) -> list[Need]:
    """What is to be arranged for those who hold a place or wait, in the order of the form."""
    columns = [getattr(Registration, name) for name in Asking.__dataclass_fields__]
    query = select(*columns).where(
        Registration.meeting_id == meeting_id, Registration.status.in_(LIVE), ASKS_FOR_ACCESS
    )
    people = [Asking(*row) for row in db_session.execute(query.order_by(Registration.id))]
    return [need for need in _by_need(people) if need.people]


def _by_need(people: list[Asking]) -> Iterator[Need]:
    for choice in fields.ACCESS.choices:
        is_language = choice.value == "interpretation"
        asking = [
            p for p in people if choice.value in p.access or (is_language and p.access_language)
        ]
        yield Need(choice.label, tuple(asking), "access_language" if is_language else "")
    own = fields.ACCESS.own_words[-1]
    yield Need(own.label, tuple(person for person in people if person.access_other), own.name)
