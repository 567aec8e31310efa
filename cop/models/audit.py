"""Tables of what coordinators did, viewed and wrote."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from cop.db.types import Base


class Viewing(Base):
    """A coordinator viewed or exported personal data of one or all meetings.

    NULL for the meeting means all.
    """

    __tablename__ = "viewing"

    id: Mapped[int] = mapped_column(primary_key=True)
    coordinator_id: Mapped[int | None] = mapped_column(
        ForeignKey("coordinator.id", ondelete="SET NULL")
    )
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("meeting.id", ondelete="CASCADE"))
    resource: Mapped[str] = mapped_column(String(20))
    columns: Mapped[list[str]] = mapped_column(default=list)
    viewed_at: Mapped[datetime] = mapped_column(index=True)


class AuditEntry(Base):
    """An action of a coordinator on a meeting or a registration; names no member.

    `registration_id` is not a foreign key, so that the entry stays if the registration is erased.
    """

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    coordinator_id: Mapped[int | None] = mapped_column(
        ForeignKey("coordinator.id", ondelete="SET NULL")
    )
    meeting_id: Mapped[int | None] = mapped_column(ForeignKey("meeting.id", ondelete="CASCADE"))
    registration_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(30))
    item_count: Mapped[int | None]
    done_at: Mapped[datetime] = mapped_column(index=True)


class Announcement(Base):
    """A message from a coordinator to people of a meeting; the outbox has the emails."""

    __tablename__ = "announcement"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meeting.id", ondelete="CASCADE"))
    coordinator_id: Mapped[int | None] = mapped_column(
        ForeignKey("coordinator.id", ondelete="SET NULL")
    )
    audience: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str]
    text: Mapped[str]
    recipient_count: Mapped[int]
    sent_at: Mapped[datetime]


class AttendanceImport(Base):
    """An uploaded participants report, until it is imported; at most a day.

    At most one per meeting: a new report replaces it.
    """

    __tablename__ = "attendance_import"

    meeting_id: Mapped[int] = mapped_column(
        ForeignKey("meeting.id", ondelete="CASCADE"), primary_key=True
    )
    # Dicts of the fields of `Participant` in attendance/zoom_report.py.
    participants: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime]

    @property
    def version(self) -> str:
        """The version, which distinguishes this report from one that replaces it.

        Pages submit it, so that nobody imports a newer report than the one shown.
        """
        return self.created_at.isoformat()
