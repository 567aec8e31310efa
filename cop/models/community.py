"""The table of the community and its settings."""

from datetime import date, datetime, time

from sqlalchemy import JSON, CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from cop.db.types import Base


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
    recurrence_from: Mapped[date | None]  # the date that "every second week" is counted from
    start_time: Mapped[time]
    duration_minutes: Mapped[int]
    planned_ahead: Mapped[int] = mapped_column(default=6)  # the number of coming dates to plan
    about: Mapped[str | None]
    disabled_questions: Mapped[list[str]] = mapped_column(default=list)
    embed_hosts: Mapped[list[str]] = mapped_column(default=list)  # origins that may embed the site
    # Reminders are sent this many days before a meeting.
    reminder_days: Mapped[list[int]] = mapped_column(JSON, default=lambda: [7, 1])
    # Attendees are notified this many minutes after the last edit, so of several edits once.
    notice_minutes: Mapped[int] = mapped_column(default=2)
    # Never longer than the periods that the question registry promises.
    retention_days: Mapped[int]
    short_retention_days: Mapped[int]
    observances: Mapped[list[str]] = mapped_column(default=list)  # like "2027-03-10 Eid al-Fitr"
    two_factor_required: Mapped[bool] = mapped_column(default=False)
    backup_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=0)  # validates cached pages
    daily_tasks_at: Mapped[datetime | None]
    write_probe_at: Mapped[datetime | None]  # when a test write last succeeded
    # After a jump of the clock it is watched, since a wrong one would delete everything as expired:
    # when a coordinator confirmed it, when it was last observed, how long it has been steady.
    clock_confirmed_at: Mapped[datetime | None]
    clock_seen_at: Mapped[datetime | None]
    clock_steady_seconds: Mapped[int | None]
    key_fingerprint: Mapped[str | None] = mapped_column(String(16))  # of the secret key
    key_changed_at: Mapped[datetime | None]  # when a different secret key was accepted
