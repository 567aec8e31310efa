"""What is kept for the console: its accounts, and what coordinators did and looked at."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from cop.db.types import Base


class Viewing(Base):
    """A coordinator's look at personal data: which coordinator, what, of which meeting, when."""

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
    """What a coordinator did: to which meeting, or to which registration's number; never to whom.

    A registration's number is no key: the act stays when the registration is erased.
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
    """What a coordinator wrote to those of a meeting; to whom each copy went is the outbox's."""

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
    """A participants report that a coordinator is looking at; goes once it is stored, or in a day.

    One for each meeting: another report takes its place.
    """

    __tablename__ = "attendance_import"

    meeting_id: Mapped[int] = mapped_column(
        ForeignKey("meeting.id", ondelete="CASCADE"), primary_key=True
    )
    # Of each: a name, an address where there is one, minutes.
    participants: Mapped[list[dict[str, str | int]]] = mapped_column(JSON)
    created_at: Mapped[datetime]

    @property
    def version(self) -> str:
        """Tells this report from the one that replaces it."""
        return self.created_at.isoformat()
