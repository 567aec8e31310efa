"""The audit log of coordinators' actions and viewings; it names no members."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, Text, false, literal, null, select, true, union_all
from sqlalchemy.orm import Session

from cop.db.expiry import Expiry
from cop.i18n import N_
from cop.models.audit import Announcement, AuditEntry, Viewing
from cop.models.coordinator import Coordinator
from cop.models.meeting import Meeting


class Action(StrEnum):
    """What coordinators do that is recorded."""

    SIGNED_IN = "signed in"
    # On a meeting
    ADDED_MEETING = "added a session"
    EDITED_MEETING = "edited a session"
    MOVED_MEETING = "moved a session"
    CANCELLED_MEETING = "cancelled a session"
    RESTORED_MEETING = "restored a session"
    PUBLISHED = "published takeaways"
    MADE_ROOMS = "made small groups"
    WROTE = "wrote to people"
    # On a registration
    ADDED_PERSON = "added a person"
    CORRECTED_ADDRESS = "corrected an address"
    MOVED_PERSON = "moved a person"
    CANCELLED_PLACE = "cancelled a place"
    RESTORED_PLACE = "restored a place"
    MARKED_MAIL = "marked an address"
    MARKED_ATTENDANCE = "marked attendance"
    IMPORTED_ATTENDANCE = "imported attendance"
    # On the community and its coordinators
    CHANGED_SETTINGS = "changed settings"
    CHANGED_HOSTS = "changed embed hosts"
    INVITED = "invited a coordinator"
    REMOVED = "removed a coordinator"
    CHANGED_RIGHTS = "changed rights"
    CHANGED_SECOND_FACTOR = "changed second factor"
    TRIED_MAIL_AGAIN = "tried mail again"
    CONFIRMED_CLOCK = "confirmed the clock"


# The sentence of each action, in the groups that the log can be filtered by.
ACTION_SENTENCES: dict[str, dict[str, str]] = {
    "sessions": {
        Action.ADDED_MEETING: N_("%(who)s added the %(date)s session"),
        Action.EDITED_MEETING: N_("%(who)s edited the %(date)s session"),
        Action.MOVED_MEETING: N_("%(who)s moved the %(date)s session"),
        Action.CANCELLED_MEETING: N_("%(who)s canceled the %(date)s session"),
        Action.RESTORED_MEETING: N_("%(who)s restored the %(date)s session"),
        Action.PUBLISHED: N_("%(who)s published takeaways for %(date)s"),
        Action.MADE_ROOMS: N_("%(who)s made small groups for %(date)s"),
        Action.WROTE: N_("%(who)s emailed people about the %(date)s session"),
    },
    "people": {
        Action.ADDED_PERSON: N_("%(who)s registered someone for %(date)s"),
        Action.CORRECTED_ADDRESS: N_("%(who)s corrected an email for %(date)s"),
        Action.MOVED_PERSON: N_("%(who)s moved someone on or off the waiting list for %(date)s"),
        Action.CANCELLED_PLACE: N_("%(who)s canceled a registration for %(date)s"),
        Action.RESTORED_PLACE: N_("%(who)s restored a registration for %(date)s"),
        Action.MARKED_MAIL: N_("%(who)s marked an email as working or not for %(date)s"),
        Action.MARKED_ATTENDANCE: N_("%(who)s marked attendance for %(date)s"),
        Action.IMPORTED_ATTENDANCE: N_("%(who)s imported attendance for %(date)s"),
    },
    "settings": {
        Action.CHANGED_SETTINGS: N_("%(who)s changed the settings"),
        Action.CHANGED_HOSTS: N_("%(who)s changed which sites can show the registration form"),
        Action.TRIED_MAIL_AGAIN: N_("%(who)s retried failed emails"),
        Action.CONFIRMED_CLOCK: N_("%(who)s confirmed that the server's clock is right"),
    },
    "accounts": {
        Action.SIGNED_IN: N_("%(who)s signed in"),
        Action.INVITED: N_("%(who)s invited a coordinator"),
        Action.REMOVED: N_("%(who)s removed a coordinator"),
        Action.CHANGED_RIGHTS: N_("%(who)s changed a coordinator's permissions or invitation"),
        Action.CHANGED_SECOND_FACTOR: N_("%(who)s changed their two-factor sign-in"),
    },
}
VIEWINGS, EXPORTS = "looks", "lists"  # two more groups: viewings and exports of personal data
# Changes of texts and settings, which two coordinators may be editing at the same time.
EDITS = (
    Action.ADDED_MEETING,
    Action.EDITED_MEETING,
    Action.MOVED_MEETING,
    Action.CANCELLED_MEETING,
    Action.RESTORED_MEETING,
    Action.PUBLISHED,
    Action.CHANGED_SETTINGS,
)
RETENTION = timedelta(days=365)
PAGE_SIZE = 100
# Viewing the mailing list records no columns, exporting it does.
_IS_EXPORT = Viewing.resource.in_(["export", "emails", "rooms"]) | (
    (Viewing.resource == "list") & (Viewing.columns.cast(Text) != "[]")
)


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
    """Record an action, in the transaction that performs it."""
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


def last_editor(db_session: Session, *, meeting_id: int | None) -> tuple[int, str] | None:
    """Return id and name of who last edited a meeting, or the settings.

    Without a meeting's id, it is the settings.
    """
    row = db_session.execute(
        select(Coordinator.id, Coordinator.name)
        .join(AuditEntry, AuditEntry.coordinator_id == Coordinator.id)
        .where(AuditEntry.meeting_id == meeting_id, AuditEntry.action.in_(EDITS))
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).one_or_none()
    return (row.id, row.name) if row else None


def read_log(
    db_session: Session, *, kind: str = "", coordinator_id: int | None = None, page: int = 1
) -> tuple[Sequence[Row[*tuple[Any, ...]]], bool]:
    """Read a page of the log, newest first, and whether older entries exist.

    `kind` is a group of actions, `VIEWINGS` or `EXPORTS`; if empty, all. Each row has the columns
    of `_select_actions`, `by` (the coordinator's name, None for a deleted account), and `slug` and
    `starts_at` of the meeting.
    """
    entry = union_all(_select_viewings(kind), _select_actions(kind)).subquery().columns
    query = (
        select(*entry, Coordinator.name.label("by"), Meeting.slug, Meeting.starts_at)
        .outerjoin(Coordinator, Coordinator.id == entry.coordinator_id)
        .outerjoin(Meeting, Meeting.id == entry.meeting_id)
        .order_by(entry.at.desc(), entry.is_viewing, entry.id.desc())
        .limit(PAGE_SIZE + 1)
        .offset((page - 1) * PAGE_SIZE)
    )
    if coordinator_id is not None:
        query = query.where(entry.coordinator_id == coordinator_id)
    rows = db_session.execute(query).all()
    return rows[:PAGE_SIZE], len(rows) > PAGE_SIZE


def _select_viewings(kind: str) -> Select[*tuple[Any, ...]]:
    condition_by_kind = {"": true(), VIEWINGS: ~_IS_EXPORT, EXPORTS: _IS_EXPORT}
    return select(
        Viewing.id,
        Viewing.coordinator_id,
        Viewing.meeting_id,
        Viewing.columns,
        Viewing.resource.label("action"),
        Viewing.viewed_at.label("at"),
        null().label("registration_id"),
        null().label("item_count"),
        literal(True).label("is_viewing"),
    ).where(condition_by_kind.get(kind, false()))


def _select_actions(kind: str) -> Select[*tuple[Any, ...]]:
    return select(
        AuditEntry.id,
        AuditEntry.coordinator_id,
        AuditEntry.meeting_id,
        null().label("columns"),
        AuditEntry.action,
        AuditEntry.done_at.label("at"),
        AuditEntry.registration_id,
        AuditEntry.item_count,
        literal(False).label("is_viewing"),
    ).where(AuditEntry.action.in_(ACTION_SENTENCES.get(kind, ())) if kind else true())


def coordinator_names(db_session: Session) -> dict[int, str]:
    """Return the names of all coordinators by id."""
    query = select(Coordinator.id, Coordinator.name).order_by(Coordinator.name, Coordinator.id)
    return {row.id: row.name for row in db_session.execute(query)}


def expiries(*, announced_before: datetime, now: datetime) -> Iterator[Expiry]:
    """Yield what to delete: old entries, and announcements of old meetings.

    Entries are deleted after a year.

    Announcements are deleted if their meeting ended at `announced_before` or earlier.
    """
    old_meetings_query = select(Meeting.id).where(Meeting.ends_at <= announced_before)
    yield Expiry(AuditEntry.id, AuditEntry.done_at <= now - RETENTION, counter="audit_entries")
    yield Expiry(Viewing.id, Viewing.viewed_at <= now - RETENTION, counter="audit_entries")
    is_old = Announcement.meeting_id.in_(old_meetings_query)
    yield Expiry(Announcement.id, is_old, counter="audit_entries")
