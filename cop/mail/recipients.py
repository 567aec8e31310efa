"""Recipients of emails: members, with what composing an email to them needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from cop.links import Owner
from cop.models.registration import Member, Registration, RegistrationStatus

LIVE_STATUSES = (RegistrationStatus.HELD, RegistrationStatus.WAITING)


@dataclass(frozen=True)
class Recipient:
    """A member as the recipient of an email."""

    member_id: int
    email: str
    token_version: int
    verified_at: datetime | None
    undeliverable_at: datetime | None
    opt_outs: tuple[str, ...]
    list_requested_at: datetime | None
    list_confirmed_at: datetime | None
    name: str
    language: str

    @property
    def owner(self) -> Owner:
        return Owner(self.member_id, self.token_version)

    @property
    def is_verified(self) -> bool:
        """Whether an emailed link was used: until then a stranger may have typed the address."""
        return self.verified_at is not None

    @property
    def is_deliverable(self) -> bool:
        """Whether email goes out to them: none has bounced."""
        return self.undeliverable_at is None

    @property
    def display_name(self) -> str:
        """The name; empty for an unverified address, which gets no text a stranger typed."""
        return self.name if self.is_verified else ""


@dataclass(frozen=True)
class Registered:
    """A registration with its recipient."""

    registration_id: int
    meeting_id: int
    status: str
    announced: str
    registered_at: datetime
    promoted_at: datetime | None
    recipient: Recipient


MEMBER_COLUMNS = (
    Member.id,
    Member.email,
    Member.token_version,
    Member.verified_at,
    Member.undeliverable_at,
    Member.opt_outs,
    Member.list_requested_at,
    Member.list_confirmed_at,
)

_REGISTERED: Select[*tuple[object, ...]] = select(
    *MEMBER_COLUMNS,
    Registration.id.label("registration_id"),
    Registration.meeting_id,
    Registration.status,
    Registration.announced,
    Registration.registered_at,
    Registration.promoted_at,
    Registration.name,
    Registration.language,
).join(Member, Member.id == Registration.member_id)


def recipient(row: Row[*tuple[object, ...]], *, name: str, language: str) -> Recipient:
    """Build a recipient from a row with `MEMBER_COLUMNS`."""
    return Recipient(
        member_id=row.id,
        email=row.email,
        token_version=row.token_version,
        verified_at=row.verified_at,
        undeliverable_at=row.undeliverable_at,
        opt_outs=tuple(row.opt_outs),
        list_requested_at=row.list_requested_at,
        list_confirmed_at=row.list_confirmed_at,
        name=name,
        language=language,
    )


def of_meeting(
    db_session: Session, meeting_id: int, statuses: Iterable[str] = LIVE_STATUSES
) -> list[Registered]:
    """List the registrations of a meeting in the order they were made."""
    query = _REGISTERED.where(
        Registration.meeting_id == meeting_id, Registration.status.in_(list(statuses))
    )
    return [_registered(row) for row in db_session.execute(query.order_by(Registration.id))]


def of_registrations(db_session: Session, ids: Iterable[int]) -> list[Registered]:
    """List the registrations with these ids in the order they were made."""
    query = _REGISTERED.where(Registration.id.in_(list(ids))).order_by(Registration.id)
    return [_registered(row) for row in db_session.execute(query)]


def _registered(row: Row[*tuple[object, ...]]) -> Registered:
    return Registered(
        registration_id=row.registration_id,
        meeting_id=row.meeting_id,
        status=row.status,
        announced=row.announced,
        registered_at=row.registered_at,
        promoted_at=row.promoted_at,
        recipient=recipient(row, name=_verified_name(row), language=row.language),
    )


def _verified_name(row: Row[*tuple[object, ...]]) -> str:
    """The name of a registration if its owner has seen it: anybody can submit the form."""
    return row.name if row.verified_at and row.registered_at <= row.verified_at else ""
