"""The table of the email outbox."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cop.db.types import AUTOINCREMENT, Base


class MailState(StrEnum):
    """The delivery state of a composed email."""

    QUEUED = "queued"
    SENDING = "sending"
    RETRYING = "retrying"
    SENT = "sent"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class OutboxEmail(Base):
    """A composed email; its text is deleted a week after it was sent or has failed.

    The row stays as long as the same `dedup_key` could be queued again, without personal data.
    """

    __tablename__ = "outbox_email"
    __table_args__ = (
        CheckConstraint(
            "state in ('queued', 'sending', 'retrying', 'sent', 'failed', 'withdrawn')",
            name="state",
        ),
        Index("ix_outbox_email_state_due_at", "state", "due_at"),
        AUTOINCREMENT,
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
    # Attempts after which the email may have arrived: the server's reply to the content is missing.
    unknown_outcomes: Mapped[int] = mapped_column(default=0)
    server_reply: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    lease: Mapped[str | None] = mapped_column(String(32))  # random token of one attempt
    lease_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]  # when it was sent or has failed
