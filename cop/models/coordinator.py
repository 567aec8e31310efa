"""Tables of coordinators: accounts, sessions, invitations, sign-in delays."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from cop.db.types import AUTOINCREMENT, Base


class Coordinator(Base):
    """Someone who may use the console."""

    __tablename__ = "coordinator"
    __table_args__ = (AUTOINCREMENT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    may_export: Mapped[bool] = mapped_column(default=True)
    # Two-factor sign-in (RFC 6238) is on if there is a secret.
    totp_secret: Mapped[str | None]
    totp_step: Mapped[int | None]  # time step of the last code used, so that no code works twice
    recovery_hashes: Mapped[list[str]] = mapped_column(default=list)

    @property
    def has_second_factor(self) -> bool:
        return self.totp_secret is not None


class CoordinatorSession(Base):
    """A signed-in device of a coordinator; only the hash of its token is stored."""

    __tablename__ = "coordinator_session"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    coordinator_id: Mapped[int] = mapped_column(ForeignKey("coordinator.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    device: Mapped[str] = mapped_column(default="")  # "Firefox on Windows"
    # The password was right, but the two-factor code has not been entered yet.
    awaits_code: Mapped[bool] = mapped_column(default=False)


class SetUpLink(Base):
    """The one link to create the first account; works once, for 24 hours."""

    __tablename__ = "set_up_link"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class SignInDelay(Base):
    """Failed sign-ins, counted by key: a hash of an account, a network or both."""

    __tablename__ = "sign_in_delay"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[datetime]


class Invitation(Base):
    """An emailed link to create an account; works once, for a week."""

    __tablename__ = "invitation"
    __table_args__ = (AUTOINCREMENT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    may_export: Mapped[bool] = mapped_column(default=True)
    # Deleted with the account of the coordinator who invited.
    coordinator_id: Mapped[int] = mapped_column(ForeignKey("coordinator.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
