"""The join link: it opens a meeting from shortly before its start until its end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.errors import InvalidLink
from cop.links import Owner
from cop.meetings import locking
from cop.members import members
from cop.models.registration import Registration, RegistrationStatus
from cop.registration import waiting_list

OPENS_BEFORE_START = timedelta(minutes=15)


class JoinState(Enum):
    """Whether a join link opens the meeting, or why it does not."""

    EARLY = "early"
    OPEN = "open"
    OVER = "over"
    WAITING = "waiting"
    GIVEN_UP = "given up"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class JoinLink:
    """A member's join link to one meeting, with its current state."""

    registration: Registration
    waiting_position: int  # 1 for the first on the waiting list
    meeting: locking.MeetingFacts
    now: datetime

    @property
    def opens_at(self) -> datetime:
        return self.meeting.starts_at - OPENS_BEFORE_START

    @property
    def state(self) -> JoinState:
        if self.meeting.is_cancelled:
            return JoinState.CANCELLED
        if self.meeting.ends_at <= self.now:
            return JoinState.OVER
        if self.registration.is_waiting:
            return JoinState.WAITING
        if not self.registration.is_held:
            return JoinState.GIVEN_UP
        return JoinState.OPEN if self.opens_at <= self.now else JoinState.EARLY

    @property
    def can_be_cancelled(self) -> bool:
        return self.state in {JoinState.EARLY, JoinState.OPEN, JoinState.WAITING}

    @property
    def url(self) -> str | None:
        """The meeting's join URL, while the link opens the meeting."""
        return self.meeting.join_url if self.state is JoinState.OPEN else None


def read_join_link(
    db_session: Session, owner: Owner, registration_id: int, *, now: datetime
) -> JoinLink:
    """Read the state of a join link.

    A link of a canceled registration works again once the member has registered again.

    Raises:
        InvalidLink: there is no such registration, or the member has renewed their links.
    """
    members.find(db_session, owner)
    select_meeting_id = select(Registration.meeting_id).where(
        Registration.id == registration_id, Registration.member_id == owner.member_id
    )
    # The live registration comes first, else the last canceled one.
    query = (
        select(Registration, waiting_list.POSITION)
        .where(
            Registration.member_id == owner.member_id,
            Registration.meeting_id == select_meeting_id.scalar_subquery(),
        )
        .order_by(Registration.status == RegistrationStatus.CANCELLED, Registration.id.desc())
    )
    row = db_session.execute(query.limit(1)).first()
    if row is None:
        raise InvalidLink
    registration, position = row
    [meeting] = locking.read(db_session, [registration.meeting_id])
    return JoinLink(registration, position, meeting, now)


def record_join(
    db_session: Session, owner: Owner, registration_id: int, *, now: datetime
) -> JoinLink:
    """Record when a member first joined a meeting, if their link opens it.

    Raises:
        InvalidLink: there is no such registration, or the member has renewed their links.
    """
    members.verify_and_lock(db_session, owner, now=now)
    link = read_join_link(db_session, owner, registration_id, now=now)
    if link.url and link.registration.joined_at is None:
        link.registration.joined_at = now
    return link
