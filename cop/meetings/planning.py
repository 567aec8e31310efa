"""Plan sessions ahead, change the recurrence rule, add extra sessions."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from uuid import uuid4
from zoneinfo import available_timezones

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from cop.community import rhythm
from cop.community.community import CommunityFacts, change_community, lock_community
from cop.community.rhythm import Occurrence, Recurrence
from cop.errors import Refused
from cop.i18n import N_
from cop.meetings import locking
from cop.models.meeting import Meeting, MeetingStatus

RECURRENCE_COLUMNS = (
    "recurrence_rule",
    "recurrence_from",
    "start_time",
    "duration_minutes",
    "time_zone",
    "planned_ahead",
    "observances",
)
MAX_PLANNED_AHEAD = 24
EARLIEST = datetime(2001, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PlanPreview:
    """What planning ahead by a recurrence rule would do."""

    dates: tuple[Occurrence, ...]
    added: frozenset[date]  # those of the dates that have no session yet
    unchanged_count: int  # planned sessions that stay as they are


def plan_ahead(db_session: Session, *, now: datetime) -> list[str]:
    """Add meetings for the next dates of the recurrence rule; return their slugs.

    A date is planned only once, even if its meeting is canceled or moved.
    """
    # Without this lock, two processes planning at once could both add the same date.
    preview = plan(db_session, lock_community(db_session), now=now)
    missing = [occurrence for occurrence in preview.dates if occurrence.on in preview.added]
    return [add_meeting(db_session, occurrence, now=now).slug for occurrence in missing]


def add_meeting(
    db_session: Session, occurrence: Occurrence, *, now: datetime, by_rule: bool = True
) -> Meeting:
    """Add a meeting on a date, by the recurrence rule or as an extra one."""
    meeting = Meeting(
        slug=_free_slug(db_session, occurrence.on),
        uid=f"{uuid4()}@cop",
        occurrence_on=occurrence.on if by_rule else None,
        starts_at=occurrence.starts_at,
        ends_at=occurrence.ends_at,
        revised_at=now,
    )
    db_session.add(meeting)
    change_community(db_session)
    db_session.flush()
    return meeting


def _free_slug(db_session: Session, day: date) -> str:
    count_query = select(func.count()).where(Meeting.slug.startswith(day.isoformat()))
    count = db_session.scalar(count_query)
    return f"{day.isoformat()}-{count + 1}" if count else day.isoformat()


@cache
def time_zones() -> tuple[str, ...]:
    """Return the time zones that can be chosen: those named after a place."""
    return tuple(sorted(name for name in available_timezones() if _is_place(name)))


def check(wanted: CommunityFacts, *, now: datetime) -> None:
    """Validate the settings that sessions are planned by."""
    if wanted.time_zone not in time_zones():
        raise Refused(N_("Choose a time zone from the list, like America/New_York."), field="zone")
    if wanted.duration_minutes <= 0:
        raise Refused(locking.ENDS_BEFORE_START, field="ends")
    if not 1 <= wanted.planned_ahead <= MAX_PLANNED_AHEAD:
        raise Refused(N_("Plan 1 to 24 sessions ahead."), field="planned_ahead")
    if not _has_valid_start(wanted):
        raise Refused(
            N_("Enter a date on the weekday above. We count the weeks from there."),
            field="recurrence_from",
        )
    if not _has_dates(wanted.rhythm, now):
        raise Refused(
            N_("That leaves no sessions. Uncheck at least one month."), field="months_off"
        )


def plan(db_session: Session, wanted: CommunityFacts, *, now: datetime) -> PlanPreview:
    """Preview what planning ahead would do in a community with these settings."""
    dates = tuple(wanted.rhythm.next_dates(wanted.planned_ahead, now=now))
    days = [occurrence.on for occurrence in dates]
    query = select(Meeting.occurrence_on, Meeting.ends_at, Meeting.status).where(
        (Meeting.ends_at > now) | Meeting.occurrence_on.in_(days)
    )
    rows = db_session.execute(query).all()
    added = frozenset(days) - {row.occurrence_on for row in rows}
    planned = [row for row in rows if row.ends_at > now and row.status == MeetingStatus.PLANNED]
    return PlanPreview(dates, added, unchanged_count=len(planned))


def change_recurrence(db_session: Session, wanted: CommunityFacts, *, now: datetime) -> list[str]:
    """Change to `wanted`'s recurrence rule, plan ahead, return the new slugs.

    Sessions that are planned already stay as they are.
    """
    check(wanted, now=now)
    change_community(db_session, **{name: getattr(wanted, name) for name in RECURRENCE_COLUMNS})
    return plan_ahead(db_session, now=now)


def add_session(
    db_session: Session, *, starts_at: datetime, ends_at: datetime, topic: str, now: datetime
) -> Meeting:
    """Add a session beside the planned ones; it may be in the past."""
    if ends_at <= starts_at:
        raise Refused(locking.ENDS_BEFORE_START, field="ends")
    if starts_at < EARLIEST:
        raise Refused(N_("Enter a date from 2001 or later."), field="date")
    # Locked, since planning ahead at the same time could add the same date.
    recurrence = lock_community(db_session).rhythm
    is_same = (Meeting.starts_at == starts_at) & (Meeting.topic == (topic or None))
    if db_session.scalar(select(exists().where(is_same))):
        raise Refused(
            N_(
                "There's already a session at this time with this topic. Change the time or the "
                "topic."
            ),
            field="topic",
        )
    day = starts_at.astimezone(recurrence.zone).date()
    # On a date of the rule that has no session yet, this one counts as planned by the rule:
    # otherwise planning ahead would add a second one.
    is_planned = db_session.scalar(select(exists().where(Meeting.occurrence_on == day)))
    by_rule = recurrence.includes(day) and not is_planned
    occurrence = Occurrence(day, starts_at, ends_at)
    meeting = add_meeting(db_session, occurrence, now=now, by_rule=by_rule)
    meeting.topic = topic or None
    return meeting


def _is_place(name: str) -> bool:
    return "/" in name and not name.startswith(("Etc/", "SystemV/", "posix/", "right/"))


def _has_valid_start(wanted: CommunityFacts) -> bool:
    """Whether a rule such as "every second week" counts from one of its own dates."""
    choice, since = rhythm.parse(wanted.recurrence_rule), wanted.recurrence_from
    if not (choice and choice.counts_weeks):
        return True
    if since is None or since < EARLIEST.date():
        return False
    return rhythm.WEEKDAYS[since.weekday()] == choice.weekday


def _has_dates(recurrence: Recurrence, now: datetime) -> bool:
    try:
        return bool(recurrence.next_dates(1, now=now))
    except ValueError:  # a rule without months is invalid
        return False
