"""Who gets a mail: members, with what may be said to them, and how they want it."""

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
    """A member as a mail knows them."""

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
        """Whether the address's owner has acted: before that, a stranger may have typed it."""
        return self.verified_at is not None

    @property
    def is_deliverable(self) -> bool:
        """Whether mail to them goes out: it did not come back."""
        return self.undeliverable_at is None

    @property
    def display_name(self) -> str:
        """Their name, or nothing: an address not yet proven gets no text that somebody typed."""
        return self.name if self.is_verified else ""


@dataclass(frozen=True)
class Registered:
    """A registration with whom it belongs to: somebody to be told something."""

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
    """Make a recipient of a row with `MEMBER_COLUMNS`."""
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
    """Who is registered for a meeting, in the order of joining."""
    query = _REGISTERED.where(
        Registration.meeting_id == meeting_id, Registration.status.in_(list(statuses))
    )
    return [_registered(row) for row in db_session.execute(query.order_by(Registration.id))]


def of_registrations(db_session: Session, ids: Iterable[int]) -> list[Registered]:
    """The registrations with these ids, in the order of joining."""
    query = _REGISTERED.where(Registration.id.in_(list(ids))).order_by(Registration.id)
    return [_registered(row) for row in db_session.execute(query)]


def _verified_name(row: Row[*tuple[object, ...]]) -> str:
    """The name of a registration that its owner has seen: the form can be sent by anybody."""
    return row.name if row.verified_at and row.registered_at <= row.verified_at else ""


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
