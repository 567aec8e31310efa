"""The schedule: planning meetings ahead, and reading them as people see them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.orm import Session

from cop.community.community import load_community
from cop.community.rhythm import Occurrence
from cop.db.statements import Prepared
from cop.meetings.locking import MeetingFacts
from cop.models.community import Community
from cop.models.meeting import Meeting
from cop.models.registration import Registration, RegistrationStatus

FEW = 5
SLUG_PATTERN = timedelta(days=30)  # that a meeting stays in the feeds after its end


class PlaceCounts(Enum):
    """What the public learns about free places; an exact count would tell who has registered."""

    PLENTY = "plenty"
    FEW = "few"
    FULL = "full"


def places(capacity: int | None, *, held: int, waiting: int, has_begun: bool) -> PlaceCounts | None:
    """What can be said about a meeting's places; None where there is no limit.

    While somebody waits, a free place is theirs and not for the next to come; the waiting list ends
    when the meeting begins.
    """
    if capacity is None:
        return None
    free = capacity - held
    if free <= 0 or (waiting and not has_begun):
        return PlaceCounts.FULL
    return PlaceCounts.FEW if free <= FEW else PlaceCounts.PLENTY


@dataclass(frozen=True)
class Listing(MeetingFacts):
    """A meeting as it stood when it was read, with the number of places taken."""

    takeaways: str | None
    recording_url: str | None
    published_at: datetime | None
    registered_count: int | None
    attended_count: int | None
    held: int
    waiting: int
    has_join_url: bool
    has_begun: bool
    is_over: bool

    @property
    def is_open(self) -> bool:
        """Whether people can register: until the end, so that who comes late finds the way in."""
        return not (self.is_cancelled or self.is_over)

    @property
    def places(self) -> PlaceCounts | None:
        return places(self.capacity, held=self.held, waiting=self.waiting, has_begun=self.has_begun)

    @property
    def left(self) -> int | None:
        """Places that are free, exactly: for coordinators only."""
        return None if self.capacity is None else max(0, self.capacity - self.held)

    @property
    def is_full(self) -> bool:
        return self.places is PlaceCounts.FULL

    @property
    def can_be_chosen(self) -> bool:
        """Whether a registration would be accepted, for a place or for the waiting list."""
        return self.is_open and not (self.has_begun and self.is_full)


@dataclass(frozen=True)
class Schedule:
    """All meetings, as one moment saw them."""

    upcoming: tuple[Listing, ...]
    past: tuple[Listing, ...]

    @property
    def next(self) -> Listing | None:
        """The soonest meeting that people can register for."""
        return next((meeting for meeting in self.upcoming if meeting.is_open), None)

    @property
    def after_next(self) -> tuple[Listing, ...]:
        return tuple(meeting for meeting in self.upcoming if meeting is not self.next)

    @property
    def open(self) -> tuple[Listing, ...]:
        return tuple(meeting for meeting in self.upcoming if meeting.can_be_chosen)

    @property
    def asking(self) -> tuple[Listing, ...]:
        """The meetings that ask a question before they take place."""
        return tuple(meeting for meeting in self.open if meeting.prep_question)

    def find(self, slug: str) -> Listing | None:
        """The meeting with this slug."""
        return next((m for m in (*self.upcoming, *self.past) if m.slug == slug), None)

    def changes_at(self, now: datetime, zone: ZoneInfo) -> datetime:
        """When the schedule next reads differently, though nobody has touched it.

        A meeting begins, ends or leaves the feeds; and at midnight other dates need their year.
        """
        tomorrow = now.astimezone(zone).date() + timedelta(days=1)
        moments = [datetime.combine(tomorrow, time(), tzinfo=zone)]
        for meeting in (*self.upcoming, *self.past):
            moments += [meeting.starts_at, meeting.ends_at, meeting.ends_at + SLUG_PATTERN]
        return min(moment for moment in moments if moment > now)

    def among(self, slugs: Iterable[str]) -> tuple[Listing, ...]:
        """The meetings with these slugs, soonest first; unknown ones are left out."""
        wanted = set(slugs)
        in_time = sorted((*self.upcoming, *self.past), key=lambda meeting: meeting.starts_at)
        return tuple(meeting for meeting in in_time if meeting.slug in wanted)


_READ = [name for name in Listing.__dataclass_fields__ if name in Meeting.__mapper__.columns]


def _count_of(status: RegistrationStatus) -> Select[int]:
    return (
        select(func.count())
        .where(Registration.meeting_id == Meeting.id, Registration.status == status)
        .correlate(Meeting)
    )


_ALL = select(
    *(getattr(Meeting, name) for name in _READ),
    _count_of(RegistrationStatus.HELD).scalar_subquery().label("held"),
    _count_of(RegistrationStatus.WAITING).scalar_subquery().label("waiting"),
    Meeting.join_url.is_not(None).label("has_join_url"),
).order_by(Meeting.starts_at, Meeting.id)
_READ_ALL, _FIND = Prepared(_ALL), Prepared(_ALL.where(Meeting.slug == bindparam("slug")))


def read(db_session: Session, *, now: datetime) -> Schedule:
    """Read the schedule: upcoming meetings soonest first, past ones latest first."""
    listings = [_listing(row, now=now) for row in _READ_ALL.rows(db_session)]
    past = [meeting for meeting in reversed(listings) if meeting.is_over]
    return Schedule(tuple(meeting for meeting in listings if not meeting.is_over), tuple(past))


def find(db_session: Session, slug: str, *, now: datetime) -> Listing | None:
    """Read one meeting, however many there are beside it."""
    if "\0" in slug:  # PostgreSQL does not even look for such a text
        return None
    row = next(iter(_FIND.rows(db_session, slug=slug)), None)
    return _listing(row, now=now) if row else None


def _listing(row: Any, *, now: datetime) -> Listing:
    has_begun, is_over = row.starts_at <= now, row.ends_at <= now
    return Listing(*row, has_begun, is_over)  # type: ignore[call-arg]  # mypy counts * as one


def plan_ahead(db_session: Session, *, now: datetime) -> list[str]:
    """Make the community's next dates exist as meetings; return the slugs of those that are new.

    A date that was planned once is never planned again, whatever has become of it since.
    """
    # Two processes that plan at once would both see a date missing: the second waits here.
    db_session.execute(select(Community.id).with_for_update())
    community = load_community(db_session)
    dates = community.rhythm.next_dates(community.planned_ahead, now=now)
    known = set(
        db_session.scalars(
            select(Meeting.occurrence_on).where(
                Meeting.occurrence_on.in_([occurrence.on for occurrence in dates])
            )
        )
    )
    missing = [occurrence for occurrence in dates if occurrence.on not in known]
    return [add(db_session, occurrence, now=now).slug for occurrence in missing]


def add(
    db_session: Session, occurrence: Occurrence, *, now: datetime, by_rhythm: bool = True
) -> Meeting:
    """Add a meeting on a date, by the rhythm or as an extra one."""
    meeting = Meeting(
        slug=_free_slug(db_session, occurrence.on),
        uid=f"{uuid4()}@cop",
        occurrence_on=occurrence.on if by_rhythm else None,
        starts_at=occurrence.starts_at,
        ends_at=occurrence.ends_at,
        revised_at=now,
    )
    db_session.add(meeting)
    db_session.execute(update(Community).values(revision=Community.revision + 1))
    db_session.flush()
    return meeting


def _free_slug(db_session: Session, day: date) -> str:
    taken: Sequence[str] = db_session.scalars(
        select(Meeting.slug).where(Meeting.slug.startswith(day.isoformat()))
    ).all()
    suffix = len(taken) + 1
    return day.isoformat() if not taken else f"{day.isoformat()}-{suffix}"
