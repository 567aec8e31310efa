"""The record: what coordinators did and when, by the numbers of meetings and registrations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, false, literal, null, select, true, union_all
from sqlalchemy.orm import Session

from cop.db.expiry import Expiry
from cop.models.audit import Announcement, AuditEntry, Viewing
from cop.models.coordinator import Coordinator
from cop.models.meeting import Meeting


class Action(StrEnum):
    """What a coordinator can have done."""

    SIGNED_IN = "signed in"
    # To a session.
    ADDED_MEETING = "added a session"
    EDITED_MEETING = "edited a session"
    MOVED_MEETING = "moved a session"
    CANCELLED_MEETING = "cancelled a session"
    RESTORED_MEETING = "restored a session"
    PUBLISHED = "published takeaways"
    MADE_ROOMS = "made small groups"
    WROTE = "wrote to people"
    # To a registration.
    ADDED_PERSON = "added a person"
    CORRECTED_ADDRESS = "corrected an address"
    MOVED_PERSON = "moved a person"
    CANCELLED_PLACE = "cancelled a place"
    RESTORED_PLACE = "restored a place"
    MARKED_MAIL = "marked an address"
    MARKED_ATTENDANCE = "marked attendance"
    IMPORTED_ATTENDANCE = "imported attendance"
    # To the community and its coordinators.
    CHANGED_SETTINGS = "changed settings"
    CHANGED_HOSTS = "changed embed hosts"
    INVITED = "invited a coordinator"
    REMOVED = "removed a coordinator"
    CHANGED_RIGHTS = "changed rights"
    CHANGED_SECOND_FACTOR = "changed second factor"
    TRIED_MAIL_AGAIN = "tried mail again"
    CONFIRMED_CLOCK = "confirmed the clock"


MEETING_EDITS = (
    *(Action.ADDED_MEETING, Action.EDITED_MEETING, Action.MOVED_MEETING, Action.CANCELLED_MEETING),
    *(Action.RESTORED_MEETING, Action.PUBLISHED),
)
# What changes the texts and settings that two coordinators can have before their eyes at once.
EDITS = (*MEETING_EDITS, Action.CHANGED_SETTINGS)


def record_action(
    db_session: Session,
    coordinator_id: int,
    action: Action,
    *,
    now: datetime,
    meeting_id: int | None = None,
    registration_id: int | None = None,
    item_count: int | None = None,
) -> None:
    """Write down what a coordinator did, in the transaction that does it."""
    db_session.add(
        AuditEntry(
            coordinator_id=coordinator_id,
            action=action,
            meeting_id=meeting_id,
            registration_id=registration_id,
            item_count=item_count,
            done_at=now,
        )
    )


def record_viewing(
    db_session: Session,
    coordinator_id: int,
    resource: str,
    *,
    now: datetime,
    meeting_id: int | None = None,
    columns: Sequence[str] = (),
) -> None:
    """Write down that a coordinator looked at personal data: members are shown who did."""
    db_session.add(
        Viewing(
            coordinator_id=coordinator_id,
            meeting_id=meeting_id,
            resource=resource,
            columns=list(columns),
            viewed_at=now,
        )
    )


def last_editor(db_session: Session, *, meeting_id: int | None) -> tuple[int, str] | None:
    """Who did something last to a meeting, or to the community: their number and name, if known."""
    row = db_session.execute(
        select(Coordinator.id, Coordinator.name)
        .join(AuditEntry, AuditEntry.coordinator_id == Coordinator.id)
        .where(AuditEntry.meeting_id == meeting_id, AuditEntry.action.in_(EDITS))
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).one_or_none()
    return (row.id, row.name) if row else None


RETENTION = timedelta(days=365)
PAGE_SIZE = 100
VIEWINGS, EXPORTS = "looks", "lists"
# What the record can be narrowed to: some actions, looks at personal data, or lists taken away.
FILTERS: dict[str, tuple[Action, ...]] = {
    "sessions": (*MEETING_EDITS, Action.MADE_ROOMS, Action.WROTE),
    "people": (
        *(Action.ADDED_PERSON, Action.CORRECTED_ADDRESS, Action.MOVED_PERSON, Action.MARKED_MAIL),
        *(Action.CANCELLED_PLACE, Action.RESTORED_PLACE),
        *(Action.MARKED_ATTENDANCE, Action.IMPORTED_ATTENDANCE),
    ),
    VIEWINGS: (),
    EXPORTS: (),
    "settings": (
        *(Action.CHANGED_SETTINGS, Action.CHANGED_HOSTS, Action.TRIED_MAIL_AGAIN),
        Action.CONFIRMED_CLOCK,
    ),
    "accounts": (
        *(Action.SIGNED_IN, Action.INVITED, Action.REMOVED, Action.CHANGED_RIGHTS),
        Action.CHANGED_SECOND_FACTOR,
    ),
}
_IS_LIST = Viewing.resource.in_(["export", "emails", "rooms"]) | (
    (Viewing.resource == "list") & (Viewing.columns.cast(Text) != "[]")
)


@dataclass(frozen=True)
class LogEntry:
    """Who did what, or looked at what, and when; the name of a coordinator who left is gone."""

    at: datetime
    by: str | None
    action: str
    is_look: bool
    is_list: bool
    columns: tuple[str, ...]
    slug: str | None
    starts_at: datetime | None
    registration_id: int | None
    item_count: int | None


def read_log(
    db_session: Session, *, kind: str = "", coordinator_id: int | None = None, page: int = 1
) -> tuple[list[LogEntry], bool]:
    """Read the record, the newest first: all of it, one of its `KINDS`, or one coordinator's.

    Return a page of it, and whether there is more behind that.
    """
    found = union_all(_looks(kind), _acts(kind)).subquery()
    query = (
        select(found, Coordinator.name.label("by"), Meeting.slug, Meeting.starts_at)
        .outerjoin(Coordinator, Coordinator.id == found.c.coordinator_id)
        .outerjoin(Meeting, Meeting.id == found.c.meeting_id)
        .order_by(found.c.at.desc(), found.c.is_look, found.c.id.desc())
        .limit(PAGE_SIZE + 1)
        .offset((page - 1) * PAGE_SIZE)
    )
    if coordinator_id is not None:
        query = query.where(found.c.coordinator_id == coordinator_id)
    rows = db_session.execute(query).all()
    return [_entry(row) for row in rows[:PAGE_SIZE]], len(rows) > PAGE_SIZE


def _entry(row: Any) -> LogEntry:
    values = {name: getattr(row, name) for name in LogEntry.__dataclass_fields__}
    return LogEntry(**values | {"columns": tuple(row.columns or ())})


def _looks(kind: str) -> Select[*tuple[Any, ...]]:
    wanted = {"": true(), VIEWINGS: ~_IS_LIST, EXPORTS: _IS_LIST}
    return select(
        Viewing.id, Viewing.coordinator_id, Viewing.meeting_id, Viewing.columns,
        Viewing.resource.label("action"), Viewing.viewed_at.label("at"),
        null().label("registration_id"), null().label("item_count"),
        literal(True).label("is_look"), _IS_LIST.label("is_list"),
    ).where(wanted.get(kind, false()))  # fmt: skip


def _acts(kind: str) -> Select[*tuple[Any, ...]]:
    entry = AuditEntry
    is_wanted: ColumnElement[bool] = entry.action.in_(FILTERS[kind]) if kind else true()
    return select(
        entry.id, entry.coordinator_id, entry.meeting_id, null().label("columns"),
        entry.action, entry.done_at.label("at"), entry.registration_id, entry.item_count,
        literal(False).label("is_look"), literal(False).label("is_list"),
    ).where(is_wanted)  # fmt: skip


def coordinator_names(db_session: Session) -> dict[int, str]:
    """The names of all coordinators, by the number of their account."""
    query = select(Coordinator.id, Coordinator.name).order_by(Coordinator.name, Coordinator.id)
    return {row.id: row.name for row in db_session.execute(query)}


def expiries(*, announced_before: datetime, now: datetime) -> Iterator[Expiry]:
    """What was written down over a year ago, and old announcements."""
    over = select(Meeting.id).where(Meeting.ends_at <= announced_before)
    yield Expiry(AuditEntry.id, AuditEntry.done_at <= now - RETENTION, counter="notes")
    yield Expiry(Viewing.id, Viewing.viewed_at <= now - RETENTION, counter="notes")
    yield Expiry(Announcement.id, Announcement.meeting_id.in_(over), counter="notes")
