"""The schedule: meetings with the number of spots taken."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from cop.db.statements import Prepared
from cop.meetings.locking import MeetingFacts
from cop.models.meeting import Meeting
from cop.models.registration import Registration, RegistrationStatus
from cop.person_names import fold, fold_letters

FEW = 5  # so many free spots, or fewer
IN_FEEDS_FOR = timedelta(days=30)  # after a meeting's end


class Availability(Enum):
    """How many spots are free, roughly.

    An exact count would reveal when people register.
    """

    PLENTY = "plenty"
    FEW = "few"
    FULL = "full"


def availability(
    capacity: int | None, *, held: int, waiting: int, has_begun: bool
) -> Availability | None:
    """Return how many spots are free, roughly; None if there is no limit.

    While somebody is on the waiting list, free spots are theirs, so the meeting counts as full.
    The waiting list ends when the meeting begins.
    """
    if capacity is None:
        return None
    free = capacity - held
    if free <= 0 or (waiting and not has_begun):
        return Availability.FULL
    return Availability.FEW if free <= FEW else Availability.PLENTY


@dataclass(frozen=True)
class Listing(MeetingFacts):
    """A meeting as it was read, with the number of spots taken."""

    registered_count: int | None
    attended_count: int | None
    held: int
    waiting: int
    has_begun: bool
    is_over: bool

    @property
    def is_open(self) -> bool:
        """Whether people can register: until the end, for latecomers."""
        return not (self.is_cancelled or self.is_over)

    @property
    def availability(self) -> Availability | None:
        return availability(
            self.capacity, held=self.held, waiting=self.waiting, has_begun=self.has_begun
        )

    @property
    def places_left(self) -> int | None:
        """The exact number of free spots, for coordinators; None without a limit."""
        return None if self.capacity is None else max(0, self.capacity - self.held)

    @property
    def is_full(self) -> bool:
        return self.availability is Availability.FULL

    @property
    def can_be_chosen(self) -> bool:
        """Whether a registration would be accepted, for a spot or for the waiting list."""
        return self.is_open and not (self.has_begun and self.is_full)

    def mentions(self, words: Iterable[str]) -> bool:
        """Return whether each of these folded words begins a word of the session's page."""
        texts = [self.topic, self.guests, self.summary, self.reading_title, self.prep_question]
        if self.published_at:
            texts.append(self.takeaways)
        text = fold_letters("\n".join(filter(None, texts)))
        return all(re.search(rf"\b{word}", text) for word in words)


@dataclass(frozen=True)
class Schedule:
    """All meetings as of one moment."""

    upcoming: tuple[Listing, ...]  # soonest first
    past: tuple[Listing, ...]  # latest first

    @property
    def all(self) -> tuple[Listing, ...]:
        return *self.upcoming, *self.past

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
    def with_prep_question(self) -> tuple[Listing, ...]:
        """The meetings whose registration form asks a question to prepare."""
        return tuple(meeting for meeting in self.open if meeting.prep_question)

    def search_past(self, query: str) -> tuple[Listing, ...]:
        """Return the past meetings that mention all words of a query, latest first."""
        words = fold(query).split()
        return tuple(meeting for meeting in self.past if words and meeting.mentions(words))

    def find(self, slug: str) -> Listing | None:
        """Return the meeting with this slug."""
        return next((meeting for meeting in self.all if meeting.slug == slug), None)

    def next_change_at(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Return when pages change next, even if nobody edits anything.

        That is when a meeting begins, ends or leaves the feeds, and at midnight, when a date may
        become too distant or near enough to be written with or without its year.
        """
        tomorrow = now.astimezone(zone).date() + timedelta(days=1)
        moments = [datetime.combine(tomorrow, time(), tzinfo=zone)]
        for meeting in self.all:
            moments += [meeting.starts_at, meeting.ends_at, meeting.ends_at + IN_FEEDS_FOR]
        return min(moment for moment in moments if moment > now)

    def with_slugs(self, slugs: Iterable[str]) -> tuple[Listing, ...]:
        """Return the meetings with these slugs, earliest first; skip unknown ones."""
        wanted = set(slugs)
        chronological = sorted(self.all, key=lambda meeting: meeting.starts_at)
        return tuple(meeting for meeting in chronological if meeting.slug in wanted)


_COLUMNS = [name for name in Listing.__dataclass_fields__ if name in Meeting.__mapper__.columns]


def _select_count(status: RegistrationStatus) -> Select[int]:
    return (
        select(func.count())
        .where(Registration.meeting_id == Meeting.id, Registration.status == status)
        .correlate(Meeting)
    )


# In the order of the fields of `Listing`, without its last two.
_QUERY = select(
    *(getattr(Meeting, name) for name in _COLUMNS),
    _select_count(RegistrationStatus.HELD).scalar_subquery().label("held"),
    _select_count(RegistrationStatus.WAITING).scalar_subquery().label("waiting"),
).order_by(Meeting.starts_at, Meeting.id)
_SELECT_ALL = Prepared(_QUERY)
_SELECT_ONE = Prepared(_QUERY.where(Meeting.slug == bindparam("slug")))


def read(db_session: Session, *, now: datetime) -> Schedule:
    """Read all meetings."""
    listings = [_listing(row, now=now) for row in _SELECT_ALL.rows(db_session)]
    return Schedule(
        upcoming=tuple(meeting for meeting in listings if not meeting.is_over),
        past=tuple(meeting for meeting in reversed(listings) if meeting.is_over),
    )


def find(db_session: Session, slug: str, *, now: datetime) -> Listing | None:
    """Read one meeting, without reading the others."""
    if "\0" in slug:  # PostgreSQL rejects NUL in text
        return None
    rows = _SELECT_ONE.rows(db_session, slug=slug)
    return _listing(rows[0], now=now) if rows else None


def _listing(row: Any, *, now: datetime) -> Listing:
    has_begun, is_over = row.starts_at <= now, row.ends_at <= now
    return Listing(*row, has_begun, is_over)  # type: ignore[call-arg]  # mypy counts * as one
