"""The record: what coordinators did and when, by the numbers of meetings and registrations."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from cop.models import Act

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
