"""One person on a roster, as coordinators see them: what they said, and what was done."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from cop.domain.changes import RESTORABLE
from cop.domain.members import TURN, Place
from cop.domain.placing import IS_LIVE_AGAIN
from cop.domain.schedule import Listing
from cop.models import AuditEntry, Coordinator, Member, Registration


class Done(NamedTuple):
    """What a coordinator did for them; the name of one who left is gone."""

    action: str
    by: str | None
    done_at: datetime


@dataclass(frozen=True)
class Person:
    """Somebody on a roster."""

    place: Place
    email: str
    verified_at: datetime | None
    undeliverable_at: datetime | None
    is_live_again: bool
    done: tuple[Done, ...]

    @property
    def restorable_until(self) -> datetime | None:
        """How long it can be restored, if it was cancelled."""
        given_up_at = self.place.values["cancelled_at"]
        if self.place.is_live or self.is_live_again or not isinstance(given_up_at, datetime):
            return None
        return given_up_at + RESTORABLE


def find(db_session: Session, registration_id: int, meeting: Listing) -> Person | None:
    """Read one person on the roster of a meeting, with what was done for them."""
    query = (
        select(Registration, Member, TURN, IS_LIVE_AGAIN, AuditEntry, Coordinator.name)
        .join(Member, Member.id == Registration.member_id)
        .outerjoin(AuditEntry, AuditEntry.registration_id == Registration.id)
        .outerjoin(Coordinator, Coordinator.id == AuditEntry.coordinator_id)
        .where(Registration.id == registration_id, Registration.meeting_id == meeting.id)
    )
    rows = db_session.execute(query.order_by(AuditEntry.id)).all()
    if not rows:
        return None
    row, member, turn, is_live_again, _, _ = rows[0]
    values = {column.key: getattr(row, column.key) for column in inspect(Registration).columns}
    done = tuple(Done(act.action, by, act.done_at) for *_, act, by in rows if act)
    place = Place(row.id, meeting, row.status, turn, values)
    of_member = (member.email, member.verified_at, member.undeliverable_at)
    return Person(place, *of_member, is_live_again, done)
