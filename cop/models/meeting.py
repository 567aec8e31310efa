"""The table of meetings."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from cop.db.types import Base


class MeetingStatus(StrEnum):
    """Whether a meeting takes place."""

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
    uid: Mapped[str] = mapped_column(unique=True)  # UID and SEQUENCE of its calendar entry
    sequence: Mapped[int] = mapped_column(default=0)
    # The date of the recurrence rule that it was planned for; NULL: an extra meeting.
    occurrence_on: Mapped[date | None] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(String(10), default=MeetingStatus.PLANNED)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    moved_from: Mapped[date | None]
    reason: Mapped[str | None]  # why it was moved or canceled
    topic: Mapped[str | None]
    summary: Mapped[str | None]
    guests: Mapped[str | None]
    reading_title: Mapped[str | None]
    reading_url: Mapped[str | None]
    reading_minutes: Mapped[int | None]
    prep_question: Mapped[str | None]
    capacity: Mapped[int | None]
    join_url: Mapped[str | None]  # never shown on a public page
    takeaways: Mapped[str | None]
    recording_url: Mapped[str | None]
    published_at: Mapped[datetime | None]
    revised_at: Mapped[datetime]  # when its calendar entry last changed
    # When it was last edited; NULL once attendees have been notified.
    edited_at: Mapped[datetime | None] = mapped_column(index=True)
    # Raised with every change to the meeting or its registrations, which also locks the row.
    lock_version: Mapped[int] = mapped_column(default=0)
    cancelled_at: Mapped[datetime | None]
    # How its small groups were made: people per room, and the seed of the random mixing.
    room_size: Mapped[int | None]
    room_seed: Mapped[int | None]
    # Statistics that stay when the registrations are deleted.
    registered_count: Mapped[int | None]
    attended_count: Mapped[int | None]
    promoted_count: Mapped[int | None]
    new_count: Mapped[int | None]
    returning_count: Mapped[int | None]
    # The count of each hat, with small numbers suppressed.
    hat_counts: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
