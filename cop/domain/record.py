"""The record: what coordinators did and when, by the numbers of meetings and registrations."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.models import Act, Coordinator

if TYPE_CHECKING:
    from cop.domain.coordinators import SignedIn


class Deed(StrEnum):
    """What a coordinator can have done."""

    SIGNED_IN = "signed in"
    # To a session.
    ADDED_MEETING = "added a session"
    EDITED_MEETING = "edited a session"
    MOVED_MEETING = "moved a session"
    CANCELLED_MEETING = "cancelled a session"
    RESTORED_MEETING = "restored a session"
    PUBLISHED = "published takeaways"
    MADE_ROOMS = "made small groups"
    WROTE = "wrote to people"
    # To a registration.
    ADDED_PERSON = "added a person"
    CORRECTED_ADDRESS = "corrected an address"
    MOVED_PERSON = "moved a person"
    CANCELLED_PLACE = "cancelled a place"
    RESTORED_PLACE = "restored a place"
    MARKED_MAIL = "marked an address"
    MARKED_ATTENDANCE = "marked attendance"
    IMPORTED_ATTENDANCE = "imported attendance"
    # To the community and its coordinators.
    CHANGED_SETTINGS = "changed settings"
    CHANGED_HOSTS = "changed embed hosts"
    INVITED = "invited a coordinator"
    REMOVED = "removed a coordinator"
    CHANGED_RIGHTS = "changed rights"
    CHANGED_SECOND_FACTOR = "changed second factor"
    TRIED_MAIL_AGAIN = "tried mail again"


# What changes the texts and settings that two coordinators can have before their eyes at once.
EDITS = (
    *(Deed.ADDED_MEETING, Deed.EDITED_MEETING, Deed.MOVED_MEETING, Deed.CANCELLED_MEETING),
    *(Deed.RESTORED_MEETING, Deed.PUBLISHED, Deed.CHANGED_SETTINGS),
)


def note(
    db_session: Session,
    by: "SignedIn",
    what: Deed,
    *,
    now: datetime,
    meeting_id: int | None = None,
    registration_id: int | None = None,
    how_many: int | None = None,
) -> None:
    """Write down what a coordinator did, in the transaction that does it."""
    db_session.add(
        Act(
            coordinator_id=by.id,
            what=what,
            meeting_id=meeting_id,
            registration_id=registration_id,
            how_many=how_many,
            done_at=now,
        )
    )


def last_by(db_session: Session, *, meeting_id: int | None) -> tuple[int, str] | None:
    """Who did something last to a meeting, or to the community: their number and name, if known."""
    row = db_session.execute(
        select(Coordinator.id, Coordinator.name)
        .join(Act, Act.coordinator_id == Coordinator.id)
        .where(Act.meeting_id == meeting_id, Act.what.in_(EDITS))
        .order_by(Act.id.desc())
        .limit(1)
    ).one_or_none()
    return (row.id, row.name) if row else None
