"""Joining: the way into a meeting, from shortly before its start until its end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from cop.errors import InvalidLink
from cop.links import Owner
from cop.meetings import locking
from cop.meetings.locking import MeetingFacts
from cop.members import members
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.registration import waiting_list

OPENS_BEFORE_START = timedelta(minutes=15)  # before the start


class JoinState(Enum):
    """Why somebody may or may not go in."""

    EARLY = "early"
    OPEN = "open"
    OVER = "over"
    WAITING = "waiting"
    GIVEN_UP = "given up"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class JoinLink:
    """A member's way into one meeting, as it stands at a moment."""

    registration_id: int
    status: str
    waiting_position: int  # 0 where they do not wait
    meeting: MeetingFacts
    now: datetime

    @property
    def has_join_url(self) -> bool:
        """Whether the hosts have said where the meeting is held."""
        return bool(self.meeting.join_url)

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
    """Read a member's way in; who gave up a place and registered again has one of old links, too.

    Raises:
        InvalidLink: it is nobody's link any more.
    """
    row = db_session.execute(_place(owner, registration_id)).first()
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
    """Note that a member goes in, the first time, if the door is open to them.

    Raises:
        InvalidLink: it is nobody's link any more.
    """
    members.verify_and_lock(db_session, owner, now=now)
    way_in = read_join_link(db_session, owner, registration_id, now=now)
    if way_in.state is JoinState.OPEN and way_in.meeting.join_url:
        joins = update(Registration).where(
            Registration.id == way_in.registration_id, Registration.joined_at.is_(None)
        )
        joins = joins.values(joined_at=now)
        db_session.execute(joins)
    return way_in


def _place(owner: Owner, registration_id: int) -> Select[int, int, str]:
    """The registration of the link, or another of theirs for the same meeting that is live."""
    meeting = select(Registration.meeting_id).where(
        Registration.id == registration_id, Registration.member_id == owner.member_id
    )
    is_given_up = Registration.status == RegistrationStatus.CANCELLED
    return (
        select(Registration.id, Registration.meeting_id, Registration.status)
        .join(Member, Member.id == Registration.member_id)
        .where(
            Member.id == owner.member_id,
            Member.token_version == owner.token_version,
            Registration.meeting_id == meeting.scalar_subquery(),
        )
        .order_by(is_given_up, Registration.id.desc())
        .limit(1)
    )
