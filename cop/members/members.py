"""Members by the links in their mail: everything that is known about them, and that they act."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypedDict, cast

from sqlalchemy import ColumnElement, exists, func, inspect, or_, select, update
from sqlalchemy.orm import Session, aliased

from cop.errors import InvalidLink
from cop.links import Owner
from cop.mail.recipients import LIVE_STATUSES, MEMBER_COLUMNS, Recipient, recipient
from cop.meetings.schedule import Listing, Schedule
from cop.models.audit import Viewing
from cop.models.coordinator import Coordinator
from cop.models.email import OutboxEmail
from cop.models.registration import Member, Registration, RegistrationStatus


class NameAndLanguage(TypedDict):
    """What a member gave as their name, and the language of the form."""

    name: str
    language: str


_UNNAMED: NameAndLanguage = {"name": "", "language": "en"}


@dataclass(frozen=True)
class MemberRegistration:
    """One registration of a member, with everything that is kept of it, by column."""

    id: int
    meeting: Listing
    status: str
    waiting_position: int  # how many wait up to and including this one
    values: Mapping[str, object]

    @property
    def member_id(self) -> int:
        return cast("int", self.values["member_id"])

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_STATUSES

    @property
    def is_held(self) -> bool:
        return self.status == RegistrationStatus.HELD

    @property
    def is_waiting(self) -> bool:
        return self.status == RegistrationStatus.WAITING


@dataclass(frozen=True)
class DataView:
    """A coordinator's look at a list that this member is on; the name of one who left is gone."""

    by: str | None
    resource: str
    meeting: Listing | None
    columns: tuple[str, ...]
    viewed_at: datetime


@dataclass(frozen=True)
class SentMail:
    """A mail to the member of which the text is still kept."""

    subject: str
    state: str
    created_at: datetime


@dataclass(frozen=True)
class MemberData:
    """Everything that is known about a member, as one moment saw it."""

    to: Recipient
    calendar_version: int
    values: Mapping[str, object]  # by column of the member
    places: tuple[MemberRegistration, ...]
    looks: tuple[DataView, ...]
    mails: tuple[SentMail, ...]

    @cached_property
    def current(self) -> tuple[MemberRegistration, ...]:
        """One place for each meeting, soonest first: the live one, or the one given up last."""
        by_meeting: dict[int, MemberRegistration] = {}
        for place in sorted(self.places, key=lambda place: (place.is_live, place.id)):
            by_meeting[place.meeting.id] = place
        return tuple(sorted(by_meeting.values(), key=lambda place: place.meeting.starts_at))

    @property
    def upcoming(self) -> tuple[MemberRegistration, ...]:
        return tuple(place for place in self.current if not place.meeting.is_over)

    @property
    def past(self) -> tuple[MemberRegistration, ...]:
        return tuple(place for place in reversed(self.current) if place.meeting.is_over)

    @property
    def latest(self) -> MemberRegistration | None:
        """The registration that they made last: what they say about themselves now."""
        return max(self.places, key=lambda place: place.id, default=None)

    def at(self, slug: str) -> MemberRegistration | None:
        """Their place at the meeting with this slug."""
        return next((place for place in self.current if place.meeting.slug == slug), None)


def read_member(db_session: Session, owner: Owner, schedule: Schedule) -> MemberData:
    """Read everything about a member, by a link of theirs.

    Raises:
        InvalidLink: there is no such member, or they have made the link useless.
    """
    query = select(*inspect(Member).columns).where(*_is(owner))
    row = db_session.execute(query).one_or_none()
    if row is None:
        raise InvalidLink
    meetings = {meeting.id: meeting for meeting in (*schedule.upcoming, *schedule.past)}
    places = _places(db_session, owner.member_id, meetings)
    said = places[-1].values if places else _UNNAMED
    return MemberData(
        to=recipient(row, name=str(said["name"]), language=str(said["language"])),
        calendar_version=row.calendar_version,
        values=dict(row._mapping),
        places=places,
        looks=_looks(db_session, owner.member_id, meetings),
        mails=_mails(db_session, owner.member_id),
    )


def recipient_of_link(db_session: Session, owner: Owner) -> Recipient:
    """Who a link belongs to.

    Raises:
        InvalidLink: there is no such member, or they have made the link useless.
    """
    row = db_session.execute(select(*MEMBER_COLUMNS).where(*_is(owner))).one_or_none()
    if row is None:
        raise InvalidLink
    return recipient(row, **verified_name(db_session, row.id))


def verify_and_lock(db_session: Session, owner: Owner, *, now: datetime) -> Recipient:
    """Let a member act by a link from their mail, which proves that the address is theirs.

    It holds their row until the end of the transaction, so that their acts come one by one.

    Raises:
        InvalidLink: there is no such member, or they have made the link useless.
    """
    acts = update(Member).where(*_is(owner)).values(verified_at=now).returning(*MEMBER_COLUMNS)
    row = db_session.execute(acts).one_or_none()
    if row is None:
        raise InvalidLink
    return recipient(row, **verified_name(db_session, row.id))


def verified_name(db_session: Session, member_id: int) -> NameAndLanguage:
    """The name that a member had when they last acted, and the language of the form."""
    is_seen = func.coalesce(Registration.registered_at <= Member.verified_at, False)
    query = select(Registration.name, Registration.language, is_seen.label("is_seen")).join(Member)
    query = query.where(Registration.member_id == member_id).order_by(Registration.id.desc())
    row = db_session.execute(query.limit(1)).first()
    return {"name": row.name * row.is_seen, "language": row.language} if row else _UNNAMED


def _is(owner: Owner) -> tuple[ColumnElement[bool], ...]:
    return (Member.id == owner.member_id, Member.token_version == owner.token_version)


_OTHER = aliased(Registration)
WAITING_POSITION = (
    select(func.count())
    .where(
        _OTHER.meeting_id == Registration.meeting_id,
        _OTHER.status == RegistrationStatus.WAITING,
        _OTHER.id <= Registration.id,
    )
    .correlate(Registration)
    .scalar_subquery()
    .label("waiting_position")
)


def _places(
    db_session: Session, member_id: int, meetings: Mapping[int, Listing]
) -> tuple[MemberRegistration, ...]:
    query = select(*inspect(Registration).columns, WAITING_POSITION).order_by(Registration.id)
    rows = db_session.execute(query.where(Registration.member_id == member_id))
    return tuple(
        MemberRegistration(
            row.id, meetings[row.meeting_id], row.status, row.waiting_position, dict(row._mapping)
        )
        for row in rows
    )


def _looks(
    db_session: Session, member_id: int, meetings: Mapping[int, Listing]
) -> tuple[DataView, ...]:
    """The looks at a meeting of theirs, or at all meetings, since they registered for it."""
    is_of_theirs = (
        exists()
        .where(
            Registration.member_id == member_id,
            Registration.registered_at <= Viewing.viewed_at,
            or_(Viewing.meeting_id == Registration.meeting_id, Viewing.meeting_id.is_(None)),
        )
        .correlate(Viewing)
    )
    query = (
        select(Coordinator.name, Viewing)
        .outerjoin(Coordinator, Coordinator.id == Viewing.coordinator_id)
        .where(is_of_theirs)
        .order_by(Viewing.viewed_at.desc(), Viewing.id.desc())
    )
    return tuple(
        DataView(
            name, it.resource, meetings.get(it.meeting_id or 0), tuple(it.columns), it.viewed_at
        )
        for name, it in db_session.execute(query)
    )


def _mails(db_session: Session, member_id: int) -> tuple[SentMail, ...]:
    query = select(OutboxEmail.subject, OutboxEmail.state, OutboxEmail.created_at).where(
        OutboxEmail.member_id == member_id, OutboxEmail.text != ""
    )
    rows = db_session.execute(query.order_by(OutboxEmail.id.desc()))
    return tuple(SentMail(**row._mapping) for row in rows)
