"""What is kept: the tables, their constraints, and the rules that concern one object alone."""

from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from cop.base import NEVER_AGAIN, Base, first_version
from cop.console_models import (
    Announcement,
    AttendanceImport,
    AuditEntry,
    Coordinator,
    CoordinatorSession,
    Invitation,
    SetUpLink,
    SignInDelay,
    Viewing,
)

__all__ = [
    "Announcement",
    "AttendanceImport",
    "AuditEntry",
    "Community",
    "Coordinator",
    "CoordinatorSession",
    "Invitation",
    "MailState",
    "Meeting",
    "MeetingStatus",
    "Member",
    "OutboxEmail",
    "Registration",
    "RegistrationStatus",
    "SetUpLink",
    "SignInDelay",
    "Submission",
    "Viewing",
    "Withdrawal",
]


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
    location: Mapped[str]
    time_zone: Mapped[str]
    recurrence_rule: Mapped[str]
    recurrence_from: Mapped[date | None]  # the day that "every second week" is counted from
    start_time: Mapped[time]
    duration_minutes: Mapped[int]
    planned_ahead: Mapped[int] = mapped_column(default=6)
    about: Mapped[str | None]
    disabled_questions: Mapped[list[str]] = mapped_column(default=list)
    embed_hosts: Mapped[list[str]] = mapped_column(default=list)  # whose pages may show ours
    # Reminders go out so many days before; a change is told so many minutes after the last edit.
    reminder_days: Mapped[list[int]] = mapped_column(JSON, default=lambda: [7, 1])
    notice_minutes: Mapped[int] = mapped_column(default=2)
    retention_days: Mapped[int] = mapped_column(default=60)  # of answers, at most
    short_retention_days: Mapped[int] = mapped_column(default=7)
    observances: Mapped[list[str]] = mapped_column(default=list)  # like "2027-03-10 Eid al-Fitr"
    two_factor_required: Mapped[bool] = mapped_column(default=False)
    backup_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=0)
    daily_tasks_at: Mapped[datetime | None]
    write_probe_at: Mapped[datetime | None]  # when a write to this database last worked
    clock_confirmed_at: Mapped[datetime | None]  # this and the next two: see domain/clock_check.py
    clock_seen_at: Mapped[datetime | None]
    clock_steady_seconds: Mapped[int | None]
    key_fingerprint: Mapped[str | None] = mapped_column(String(16))  # of the secret key
    key_changed_at: Mapped[datetime | None]  # when another one was accepted


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
    join_url: Mapped[str | None]  # where the meeting is held; no public page ever shows it
    takeaways: Mapped[str | None]
    recording_url: Mapped[str | None]
    published_at: Mapped[datetime | None]
    # When what calendars show was last revised; and, until those registered are told, last edited.
    revised_at: Mapped[datetime]
    edited_at: Mapped[datetime | None] = mapped_column(index=True)
    # Rises with every change to the meeting or to its places; taking it is taking the lock.
    lock_version: Mapped[int] = mapped_column(default=0)
    # Rises with what a coordinator changes: who edits an older one learns that it was changed.
    edit_version: Mapped[int] = mapped_column(default=0)
    cancelled_at: Mapped[datetime | None]
    # How its small groups were made: people to a room, and the number that the mixing began with.
    room_size: Mapped[int | None]
    room_seed: Mapped[int | None]
    # What is left of the roster once the names are gone.
    registered_count: Mapped[int | None]
    attended_count: Mapped[int | None]
    promoted_count: Mapped[int | None]
    new_count: Mapped[int | None]
    returning_count: Mapped[int | None]
    # What may be said of each hat that somebody wore, in bands.
    hat_counts: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))


class Member(Base):
    """A person known by an email address; nothing else is kept but what mail they want."""

    __tablename__ = "member"
    __table_args__ = (NEVER_AGAIN,)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    list_requested_at: Mapped[datetime | None]
    list_confirmed_at: Mapped[datetime | None]
    # When its owner last acted on a mail of ours: until they have, anybody may have typed it.
    verified_at: Mapped[datetime | None]
    undeliverable_at: Mapped[datetime | None]
    first_attended_on: Mapped[date | None]
    opt_outs: Mapped[list[str]] = mapped_column(default=list)
    # Raised to end the links that are out there: to the member's page, and to their calendar.
    token_version: Mapped[int] = mapped_column(default=first_version)
    calendar_version: Mapped[int] = mapped_column(default=first_version)


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
        # For deleting members: the unique index above leaves cancelled registrations out.
        Index("ix_registration_member_id", "member_id"),
        NEVER_AGAIN,
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
    minutes_present: Mapped[int | None]
    room: Mapped[int | None]  # the number of their small group; nothing: the main room
    cancelled_at: Mapped[datetime | None]
    promoted_at: Mapped[datetime | None]
    joined_at: Mapped[datetime | None]
    announced: Mapped[str] = mapped_column(default="")  # what they were last notified of


class MailState(StrEnum):
    """Where a composed email stands."""

    QUEUED = "queued"
    SENDING = "sending"
    RETRYING = "retrying"
    SENT = "sent"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class OutboxEmail(Base):
    """A composed email, kept until a mail server has taken it, and its text a week longer.

    The row then stays as long as its `dedup_key` can come up again, without anything personal.
    """

    __tablename__ = "outbox_email"
    __table_args__ = (
        CheckConstraint(
            "state in ('queued', 'sending', 'retrying', 'sent', 'failed', 'withdrawn')",
            name="state",
        ),
        Index("ix_outbox_email_state_due_at", "state", "due_at"),
        NEVER_AGAIN,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dedup_key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    member_id: Mapped[int | None] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), index=True
    )
    registration_id: Mapped[int | None] = mapped_column(
        ForeignKey("registration.id", ondelete="CASCADE"), index=True
    )
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("meeting.id", ondelete="CASCADE"))
    to_address: Mapped[str]
    to_name: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(String(10))
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str]
    calendar: Mapped[str | None]
    unsubscribe_url: Mapped[str | None]
    message_id: Mapped[str]
    state: Mapped[str] = mapped_column(String(10), default=MailState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    # Times that the connection ended after our last byte and before the server's answer.
    unknown_outcomes: Mapped[int] = mapped_column(default=0)
    server_reply: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    lease: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]


class Submission(Base):
    """The saved answer to one sent form, so that sending it again replays the answer. No names."""

    __tablename__ = "submission"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    held: Mapped[list[str]]
    waiting: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(index=True)


class Withdrawal(Base):
    """Something that a person ended or deleted, to apply again to a restored backup. No address."""

    __tablename__ = "withdrawal"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)  # a keyed hash of the address
    scope: Mapped[str] = mapped_column(primary_key=True)
    withdrawn_at: Mapped[datetime] = mapped_column(index=True)
