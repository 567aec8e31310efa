"""What is kept: the tables, their constraints, and the rules that concern one object alone."""

from datetime import UTC, date, datetime, time
from enum import StrEnum

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored in UTC; a datetime without a zone is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"A time without a zone cannot be stored: {value}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The models' common ground: one metadata, and names for constraints."""

    # A registry of our own, since Flask-SQLAlchemy makes a subclass of this class.
    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(column_0_label)s",
                "uq": "uq_%(table_name)s_%(column_0_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={datetime: UtcDateTime, list[str]: JSON, str: Text},
    )


class Community(Base):
    """The one group that this installation serves."""

    __tablename__ = "community"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    short_name: Mapped[str]
    host_name: Mapped[str]
    host_url: Mapped[str | None]
    contact_name: Mapped[str]
    contact_role: Mapped[str]
    contact_email: Mapped[str | None]
    place: Mapped[str]
    zone: Mapped[str]
    rule: Mapped[str]
    starts: Mapped[time]
    minutes: Mapped[int]
    planned_ahead: Mapped[int] = mapped_column(default=6)
    about: Mapped[str | None]
    questions_off: Mapped[list[str]] = mapped_column(default=list)
    revision: Mapped[int] = mapped_column(default=0)
    round_at: Mapped[datetime | None]


class MeetingStatus(StrEnum):
    """What has become of a meeting."""

    PLANNED = "planned"
    CANCELLED = "cancelled"


class Meeting(Base):
    """One dated gathering that people can register for."""

    __tablename__ = "meeting"
    __table_args__ = (
        CheckConstraint("status in ('planned', 'cancelled')", name="status"),
        CheckConstraint("starts_at < ends_at", name="ends_after_start"),
        CheckConstraint("capacity > 0", name="capacity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(20), unique=True)
    uid: Mapped[str] = mapped_column(unique=True)
    sequence: Mapped[int] = mapped_column(default=0)
    occurrence_on: Mapped[date | None] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(String(10), default=MeetingStatus.PLANNED)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    moved_from: Mapped[date | None]
    reason: Mapped[str | None]
    topic: Mapped[str | None]
    summary: Mapped[str | None]
    guests: Mapped[str | None]
    reading_title: Mapped[str | None]
    reading_url: Mapped[str | None]
    reading_minutes: Mapped[int | None]
    prep_question: Mapped[str | None]
    capacity: Mapped[int | None]
    # Rises with every change to the meeting or to its places; taking it is taking the lock.
    lock_version: Mapped[int] = mapped_column(default=0)
    # What is left of the roster once the names are gone.
    registered_count: Mapped[int | None]
    came_count: Mapped[int | None]


class Member(Base):
    """A person known by an email address; nothing else is kept but what mail they want."""

    __tablename__ = "member"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    list_asked_at: Mapped[datetime | None]
    list_confirmed_at: Mapped[datetime | None]


class RegistrationStatus(StrEnum):
    """What somebody has at a meeting."""

    HELD = "held"
    WAITING = "waiting"
    CANCELLED = "cancelled"


class Registration(Base):
    """A member's place at one meeting, with what they said for that meeting."""

    __tablename__ = "registration"
    __table_args__ = (
        CheckConstraint("status in ('held', 'waiting', 'cancelled')", name="status"),
        Index(
            "uq_registration_live",
            "member_id",
            "meeting_id",
            unique=True,
            sqlite_where=text("status <> 'cancelled'"),
            postgresql_where=text("status <> 'cancelled'"),
        ),
        Index("ix_registration_meeting_status", "meeting_id", "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id"))
    status: Mapped[str] = mapped_column(String(10))
    registered_at: Mapped[datetime]
    language: Mapped[str] = mapped_column(String(10))
    name: Mapped[str]
    organization: Mapped[str] = mapped_column(default="")
    pronouns: Mapped[str] = mapped_column(default="")
    hats: Mapped[list[str]] = mapped_column(default=list)
    hats_other: Mapped[str] = mapped_column(default="")
    access: Mapped[list[str]] = mapped_column(default=list)
    access_language: Mapped[str] = mapped_column(default="")
    access_other: Mapped[str] = mapped_column(default="")
    taking_part: Mapped[list[str]] = mapped_column(default=list)
    first_time: Mapped[bool] = mapped_column(default=False)
    prep_answer: Mapped[str] = mapped_column(default="")
    prep_visibility: Mapped[str] = mapped_column(String(10), default="hosts")
    attended: Mapped[bool | None]


class Submission(Base):
    """The saved answer to one sent form, so that sending it again replays the answer. No names."""

    __tablename__ = "submission"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    held: Mapped[list[str]]
    waiting: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(index=True)


class Coordinator(Base):
    """Someone who may use the console."""

    __tablename__ = "coordinator"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]


class CoordinatorSession(Base):
    """A signed-in device of a coordinator; only the hash of its token is kept."""

    __tablename__ = "coordinator_session"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    coordinator_id: Mapped[int] = mapped_column(ForeignKey("coordinator.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class SetUpLink(Base):
    """The way to the first coordinator's account; works once, for 24 hours. One row at most."""

    __tablename__ = "set_up_link"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class SignInDelay(Base):
    """How often signing in has failed for a key, a hash of account and network, and when last."""

    __tablename__ = "sign_in_delay"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[datetime]


class Viewing(Base):
    """A coordinator's look at personal data: which coordinator, what, of which meeting, when."""

    __tablename__ = "viewing"

    id: Mapped[int] = mapped_column(primary_key=True)
    coordinator_id: Mapped[int | None] = mapped_column(
        ForeignKey("coordinator.id", ondelete="SET NULL")
    )
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("meeting.id", ondelete="CASCADE"))
    what: Mapped[str] = mapped_column(String(20))
    columns: Mapped[list[str]] = mapped_column(default=list)
    seen_at: Mapped[datetime] = mapped_column(index=True)
