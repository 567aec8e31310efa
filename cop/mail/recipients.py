"""Recipients of emails: members, with what composing an email to them needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from cop.links import Owner
from cop.models.registration import Member, Registration, RegistrationStatus

LIVE_STATUSES = (RegistrationStatus.HELD, RegistrationStatus.WAITING)


@dataclass(frozen=True)
class Recipient:
    """A member as the recipient of an email."""

    name: str
    language: str
    member_id: int
    email: str
    token_version: int
    verified_at: datetime | None
    undeliverable_at: datetime | None
    opt_outs: list[str]
    list_requested_at: datetime | None
    list_confirmed_at: datetime | None

    @property
    def owner(self) -> Owner:
        return Owner(self.member_id, self.token_version)

    @property
    def is_verified(self) -> bool:
        """Whether they used a link: else a stranger may have typed the address."""
        return self.verified_at is not None

    @property
    def is_deliverable(self) -> bool:
        """Whether emails are sent to them: not if one has bounced."""
        return self.undeliverable_at is None

    @property
    def display_name(self) -> str:
        """The name; empty if unverified, since a stranger may have typed it."""
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


# In the order of the fields of `Recipient` after `name` and `language`.
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

_SELECT_REGISTERED: Select[*tuple[Any, ...]] = (
    select(
        *MEMBER_COLUMNS,
        Registration.id.label("registration_id"),
        Registration.meeting_id,
        Registration.status,
        Registration.announced,
        Registration.registered_at,
        Registration.promoted_at,
        Registration.name,
        Registration.language,
    )
    .join(Member, Member.id == Registration.member_id)
    .order_by(Registration.id)
)


def recipient(row: Sequence[Any], *, name: str, language: str) -> Recipient:
    """Build a recipient from a row that begins with `MEMBER_COLUMNS`."""
    return Recipient(name, language, *row[: len(MEMBER_COLUMNS)])


def of_meeting(
    db_session: Session, meeting_id: int, statuses: Iterable[str] = LIVE_STATUSES
) -> list[Registered]:
    """List the registrations of a meeting in the order they were made."""
    is_selected = (Registration.meeting_id == meeting_id) & Registration.status.in_(list(statuses))
    return [_registered(row) for row in db_session.execute(_SELECT_REGISTERED.where(is_selected))]


def of_registrations(db_session: Session, ids: Iterable[int]) -> list[Registered]:
    """List the registrations with these ids in the order they were made."""
    query = _SELECT_REGISTERED.where(Registration.id.in_(list(ids)))
    return [_registered(row) for row in db_session.execute(query)]


def _registered(row: Row[*tuple[Any, ...]]) -> Registered:
    # Anybody can type this address and any name into the form. The name is only used if the owner
    # of the address used an emailed link after that, and so has seen the name.
    is_name_seen = row.verified_at and row.registered_at <= row.verified_at
    return Registered(
        registration_id=row.registration_id,
        meeting_id=row.meeting_id,
        status=row.status,
        announced=row.announced,
        registered_at=row.registered_at,
        promoted_at=row.promoted_at,
        recipient=recipient(row, name=row.name if is_name_seen else "", language=row.language),
    )
