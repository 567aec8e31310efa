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
    join_url: Mapped[str | None]  # never shown on a public page
    takeaways: Mapped[str | None]
    recording_url: Mapped[str | None]
    published_at: Mapped[datetime | None]
    # When calendars' data last changed; and when it was last edited, until notices have gone out.
    revised_at: Mapped[datetime]
    edited_at: Mapped[datetime | None] = mapped_column(index=True)
    # Rises with every change to the meeting or its registrations; updating it takes the lock.
    lock_version: Mapped[int] = mapped_column(default=0)
    cancelled_at: Mapped[datetime | None]
    # How its small groups were made: people per room, and the seed of the mixing.
    room_size: Mapped[int | None]
    room_seed: Mapped[int | None]
    # The counts that stay once the registrations are deleted.
    registered_count: Mapped[int | None]
    attended_count: Mapped[int | None]
    promoted_count: Mapped[int | None]
    new_count: Mapped[int | None]
    returning_count: Mapped[int | None]
    # The count of each hat, with small numbers suppressed.
    hat_counts: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
