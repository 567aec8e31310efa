"""The tables of members, registrations, submitted forms and withdrawals."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cop.db.types import AUTOINCREMENT, Base, random_first_version


class Member(Base):
    """A person known by an email address, with their email preferences."""

    __tablename__ = "member"
    __table_args__ = (AUTOINCREMENT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    list_requested_at: Mapped[datetime | None]
    list_confirmed_at: Mapped[datetime | None]
    # Last use of an emailed link; until then the address is unverified.
    verified_at: Mapped[datetime | None]
    undeliverable_at: Mapped[datetime | None]
    first_attended_on: Mapped[date | None]
    opt_outs: Mapped[list[str]] = mapped_column(default=list)
    # Raising them revokes emailed links: to the member's page, and to their calendar.
    token_version: Mapped[int] = mapped_column(default=random_first_version)
    calendar_version: Mapped[int] = mapped_column(default=random_first_version)


class RegistrationStatus(StrEnum):
    """The state of a registration."""

    HELD = "held"
    WAITING = "waiting"
    CANCELLED = "cancelled"


class Registration(Base):
    """A member's spot at one meeting, with the answers given for that meeting."""

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
        AUTOINCREMENT,
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
    lived_experience: Mapped[bool] = mapped_column(default=False, server_default=false())
    access: Mapped[list[str]] = mapped_column(default=list)
    access_language: Mapped[str] = mapped_column(default="")
    access_other: Mapped[str] = mapped_column(default="")
    taking_part: Mapped[list[str]] = mapped_column(default=list)
    first_time: Mapped[bool] = mapped_column(default=False)
    prep_answer: Mapped[str] = mapped_column(default="")
    prep_visibility: Mapped[str] = mapped_column(String(10), default="hosts")
    attended: Mapped[bool | None]
    minutes_present: Mapped[int | None]
    room: Mapped[int | None]  # the number of their small group; NULL: the main room
    cancelled_at: Mapped[datetime | None]
    promoted_at: Mapped[datetime | None]
    joined_at: Mapped[datetime | None]
    announced: Mapped[str] = mapped_column(default="")  # what they were last notified of

    # Loaded only by the queries that ask for it (registration/people.py); elsewhere it raises.
    member: Mapped[Member] = relationship(viewonly=True, lazy="raise")

    @property
    def is_held(self) -> bool:
        return self.status == RegistrationStatus.HELD

    @property
    def is_waiting(self) -> bool:
        return self.status == RegistrationStatus.WAITING

    @property
    def is_expected(self) -> bool:
        """Whether they attended, or hold a spot and their attendance is not marked yet."""
        return self.attended or (self.is_held and self.attended is None)

    @property
    def is_marked_by_hand(self) -> bool:
        """Whether a coordinator marked attendance; a report also stores minutes."""
        return self.attended is not None and self.minutes_present is None

    @property
    def suggested_attendance(self) -> bool | None:
        """The attendance to preselect: if unmarked, True after using the join link."""
        return True if self.attended is None and self.joined_at else self.attended

    @property
    def stays_in_main_room(self) -> bool:
        return "main-room" in self.access


class Submission(Base):
    """The result of a submitted form, shown again if the same form is sent twice.

    `held` and `waiting` are the slugs of meetings. For half an hour it also stores what correcting
    the email and adding answers need (registration/confirmation.py); then it names nobody.
    """

    __tablename__ = "submission"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    held: Mapped[list[str]]
    waiting: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(index=True)
    email: Mapped[str] = mapped_column(default="", server_default=text("''"))
    # Empty once the email was corrected, which is possible only once.
    name: Mapped[str] = mapped_column(default="", server_default=text("''"))
    member_id: Mapped[int | None]  # no foreign key, since it is only for half an hour
    # The registrations that the form created; none if the member had them all.
    registration_ids: Mapped[list[int] | None]


class Withdrawal(Base):
    """What a person opted out of or deleted, to repeat in restored backups."""

    __tablename__ = "withdrawal"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)  # a keyed hash of the address
    scope: Mapped[str] = mapped_column(primary_key=True)
    withdrawn_at: Mapped[datetime] = mapped_column(index=True)
