"""Read, verify and lock the members that emailed links belong to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Row, case, exists, or_, select, update
from sqlalchemy.orm import Session

from cop.errors import InvalidLink
from cop.links import Owner
from cop.mail.recipients import LIVE_STATUSES, MEMBER_COLUMNS, Recipient, recipient
from cop.meetings.schedule import Listing, Schedule
from cop.models.audit import Viewing
from cop.models.coordinator import Coordinator
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration
from cop.registration import waiting_list


@dataclass(frozen=True)
class MemberRegistration:
    """One registration of a member."""

    row: Registration
    meeting: Listing
    waiting_position: int  # 1 for the first on the waiting list

    @property
    def is_live(self) -> bool:
        return self.row.status in LIVE_STATUSES

    @property
    def can_be_cancelled(self) -> bool:
        return self.is_live and self.meeting.is_open


@dataclass(frozen=True)
class MemberData:
    """Everything that is stored about a member."""

    row: Member
    registrations: tuple[MemberRegistration, ...]
    # When a coordinator viewed a list that included them: viewing, coordinator's name, meeting.
    viewings: Sequence[Row[Viewing, str, Meeting]]
    # While an email's text is stored: subject, state, created_at.
    emails: Sequence[Row[str, str, datetime]]

    @cached_property
    def current(self) -> tuple[MemberRegistration, ...]:
        """One registration per meeting, by start: the live one, else the last canceled."""
        ordered = sorted(self.registrations, key=lambda each: (each.is_live, each.row.id))
        by_meeting = {each.meeting.id: each for each in ordered}
        return tuple(sorted(by_meeting.values(), key=lambda each: each.meeting.starts_at))

    @property
    def upcoming(self) -> tuple[MemberRegistration, ...]:
        return tuple(each for each in self.current if not each.meeting.is_over)

    @property
    def past(self) -> tuple[MemberRegistration, ...]:
        return tuple(each for each in reversed(self.current) if each.meeting.is_over)

    @property
    def latest(self) -> MemberRegistration | None:
        """The last registration, which has the member's current answers."""
        return max(self.registrations, key=lambda each: each.row.id, default=None)

    def registration_for(self, slug: str) -> MemberRegistration | None:
        """The registration for the meeting with this slug."""
        return next((each for each in self.current if each.meeting.slug == slug), None)


def find(db_session: Session, owner: Owner) -> Member:
    """Read the member that a link belongs to.

    Raises:
        InvalidLink: there is no such member, or they have renewed their links.
    """
    member = db_session.scalars(select(Member).where(*_matches(owner))).one_or_none()
    if member is None:
        raise InvalidLink
    return member


def read_member(db_session: Session, owner: Owner, schedule: Schedule) -> MemberData:
    """Read everything about the member that a link belongs to.

    Raises:
        InvalidLink: there is no such member, or they have renewed their links.
    """
    row = find(db_session, owner)
    meetings = {meeting.id: meeting for meeting in schedule.all}
    registrations = db_session.execute(
        select(Registration, waiting_list.POSITION)
        .where(Registration.member_id == row.id)
        .order_by(Registration.id)
    )
    emails = db_session.execute(
        select(OutboxEmail.subject, OutboxEmail.state, OutboxEmail.created_at)
        .where(OutboxEmail.member_id == row.id, OutboxEmail.text != "")
        .order_by(OutboxEmail.id.desc())
    )
    return MemberData(
        row=row,
        registrations=tuple(
            MemberRegistration(registration, meetings[registration.meeting_id], position)
            for registration, position in registrations
        ),
        viewings=_viewings(db_session, row.id),
        emails=emails.all(),
    )


def verify_and_lock(db_session: Session, owner: Owner, *, now: datetime) -> Recipient:
    """Lock a member who acts by an emailed link, which verifies their address.

    Raises:
        InvalidLink: there is no such member, or they have renewed their links.
    """
    update_member = update(Member).where(*_matches(owner)).values(verified_at=now)
    row = db_session.execute(update_member.returning(*MEMBER_COLUMNS)).one_or_none()
    if row is None:
        raise InvalidLink
    return recipient_of(db_session, row)


def recipient_of(db_session: Session, row: Sequence[Any]) -> Recipient:
    """Build a recipient from a row of `MEMBER_COLUMNS`, which begins with their id.

    Their latest name is used only if they have used an emailed link since it was typed: it may have
    been typed by a stranger, whose text must not get into an email to this address.
    """
    has_seen_name = Registration.registered_at <= Member.verified_at
    query = (
        select(case((has_seen_name, Registration.name), else_=""), Registration.language)
        .join(Member)
        .where(Registration.member_id == row[0])
        .order_by(Registration.id.desc())
        .limit(1)
    )
    name, language = db_session.execute(query).first() or ("", "en")
    return recipient(row, name=name, language=language)


def _matches(owner: Owner) -> tuple[ColumnElement[bool], ...]:
    return (Member.id == owner.member_id, Member.token_version == owner.token_version)


def _viewings(db_session: Session, member_id: int) -> Sequence[Row[Viewing, str, Meeting]]:
    """Read who has viewed a list with this member on it, latest first.

    These are lists of one of their meetings, or of all meetings, since they registered for it.
    """
    includes_member = (
        exists()
        .where(
            Registration.member_id == member_id,
            Registration.registered_at <= Viewing.viewed_at,
            or_(Viewing.meeting_id == Registration.meeting_id, Viewing.meeting_id.is_(None)),
        )
        .correlate(Viewing)
    )
    query = (
        select(Viewing, Coordinator.name, Meeting)
        .outerjoin(Coordinator, Coordinator.id == Viewing.coordinator_id)
        .outerjoin(Meeting, Meeting.id == Viewing.meeting_id)
        .where(includes_member)
        .order_by(Viewing.viewed_at.desc(), Viewing.id.desc())
    )
    return db_session.execute(query).all()
