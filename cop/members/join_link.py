"""The join link: whether it opens a meeting, from shortly before its start until its end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cop.errors import InvalidLink
from cop.links import Owner
from cop.meetings import locking
from cop.meetings.locking import MeetingFacts
from cop.members import members
from cop.models.registration import Member, Registration, RegistrationStatus
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

    registration_id: int
    status: str
    waiting_position: int  # 0 where they do not wait
    meeting: MeetingFacts
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
        if self.status == RegistrationStatus.CANCELLED:
            return JoinState.GIVEN_UP
        if self.status == RegistrationStatus.WAITING:
            return JoinState.WAITING
        return JoinState.OPEN if self.opens_at <= self.now else JoinState.EARLY


def read_join_link(
    db_session: Session, owner: Owner, registration_id: int, *, now: datetime
) -> JoinLink:
    """Read the state of a join link; links from before registering again still work.

    Raises:
        InvalidLink: there is no such registration, or the member has renewed their links.
    """
    meeting_of_link = select(Registration.meeting_id).where(
        Registration.id == registration_id, Registration.member_id == owner.member_id
    )
    query = (
        select(Registration.id, Registration.meeting_id, Registration.status)
        .join(Member, Member.id == Registration.member_id)
        .where(
            Member.id == owner.member_id,
            Member.token_version == owner.token_version,
            Registration.meeting_id == meeting_of_link.scalar_subquery(),
        )
        .order_by(Registration.status == RegistrationStatus.CANCELLED, Registration.id.desc())
    )
    row = db_session.execute(query.limit(1)).first()
    if row is None:
        raise InvalidLink
    [meeting] = locking.read(db_session, [row.meeting_id])
    position = 0
    if row.status == RegistrationStatus.WAITING:
        position = waiting_list.waiting_position(db_session, row.id, meeting_id=meeting.id)
    return JoinLink(row.id, row.status, position, meeting, now)


def record_join(
    db_session: Session, owner: Owner, registration_id: int, *, now: datetime
) -> JoinLink:
    """Record when a member first joined a meeting, if their link opens it.

    Raises:
        InvalidLink: there is no such registration, or the member has renewed their links.
    """
    members.verify_and_lock(db_session, owner, now=now)
    link = read_join_link(db_session, owner, registration_id, now=now)
    if link.state is JoinState.OPEN and link.meeting.join_url:
        first_join = update(Registration).where(
            Registration.id == link.registration_id, Registration.joined_at.is_(None)
        )
        db_session.execute(first_join.values(joined_at=now))
    return link
