"""The community: its settings, and when the worker last ran its tasks."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cop.community import holidays
from cop.community.rhythm import Recurrence
from cop.db.statements import Prepared, insert_with_conflict
from cop.models.community import Community
from cop.questions.field import Field
from cop.questions.retention import RETENTION, SHORT_RETENTION

DEFAULT_ABOUT = Path(__file__).with_name("about.md").read_text("utf-8")


@dataclass(frozen=True)
class CommunityFacts:
    """The community's columns as they were read, detached from the database."""

    name: str
    short_name: str
    host_name: str
    host_url: str | None
    contact_name: str
    contact_role: str
    contact_email: str | None
    location: str
    time_zone: str
    recurrence_rule: str
    recurrence_from: date | None
    start_time: time
    duration_minutes: int
    planned_ahead: int  # the number of coming dates to plan
    about: str | None
    disabled_questions: list[str]
    observances: list[str]
    reminder_days: list[int]
    notice_minutes: int  # from the last edit of a meeting to the notices of the change
    revision: int
    backup_at: datetime | None = None
    key_changed_at: datetime | None = None  # of the secret key
    retention_days: int = RETENTION.days
    short_retention_days: int = SHORT_RETENTION.days
    two_factor_required: bool = False
    daily_tasks_at: datetime | None = None
    write_probe_at: datetime | None = None
    # After a jump of the clock it is watched before anything is deleted: see audit/clock_check.py.
    clock_confirmed_at: datetime | None = None
    clock_seen_at: datetime | None = None
    clock_steady_seconds: int | None = None

    @cached_property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def rhythm(self) -> Recurrence:
        return Recurrence(
            rule=self.recurrence_rule,
            starts=self.start_time,
            minutes=self.duration_minutes,
            zone=self.zone_info,
            since=self.recurrence_from,
        )

    @property
    def slug(self) -> str:
        """The short name for use in file names: `equity-in-data`."""
        return re.sub(r"[^a-z0-9]+", "-", self.short_name.lower()).strip("-") or "community"

    @property
    def about_text(self) -> str:
        """The About page in Markdown: the coordinator's, or the one that is shipped."""
        return self.about if self.about is not None else DEFAULT_ABOUT

    @property
    def about_parts(self) -> tuple[str, str, str]:
        """The About page as its title, its first paragraphs and the rest, from the first `##` on.

        Without a `# title` in the first line, the title is the community's name.
        """
        opening, heading, rest = f"\n{self.about_text}".partition("\n## ")
        first_line, _, lead = opening.strip().partition("\n")
        if not first_line.startswith("# "):
            return self.name, opening, f"{heading}{rest}"
        return first_line.removeprefix("# "), lead, f"{heading}{rest}"

    @property
    def retention(self) -> timedelta:
        """How long most answers are stored: never longer than the registry promises."""
        return min(RETENTION, timedelta(days=self.retention_days))

    @property
    def short_retention(self) -> timedelta:
        """How long short-lived answers are stored: never longer than other answers."""
        days = timedelta(days=self.short_retention_days)
        return min(SHORT_RETENTION, days, self.retention)

    def retention_of(self, field: Field) -> timedelta | None:
        """How long an answer is stored; None if until the member leaves the mailing list."""
        if field.retention is None:
            return None
        return self.retention if field.retention == RETENTION else self.short_retention


_SELECT_COMMUNITY = Prepared(
    select(*(getattr(Community, name) for name in CommunityFacts.__dataclass_fields__))
)


def load_community(db_session: Session) -> CommunityFacts:
    """Read the community."""
    [row] = _SELECT_COMMUNITY.rows(db_session)
    return CommunityFacts(*row)


def lock_community(db_session: Session) -> CommunityFacts:
    """Lock the community until the transaction ends, and read it."""
    db_session.execute(select(Community.id).with_for_update())
    return load_community(db_session)


def change_community(db_session: Session, **values: object) -> None:
    """Write these columns, and raise the revision, which makes cached pages outdated."""
    db_session.execute(update(Community).values(**values, revision=Community.revision + 1))


def note_daily_tasks(db_session: Session, *, now: datetime) -> None:
    """Record when the daily tasks ran, which the clock is checked against.

    So the observations of a jump before it are cleared.
    """
    cleared = {"clock_confirmed_at": None, "clock_seen_at": None, "clock_steady_seconds": None}
    db_session.execute(update(Community).values(daily_tasks_at=now, **cleared))


def note_write_probe(db_session: Session, *, now: datetime) -> None:
    """Record that the database accepts writes, which `/readyz` checks.

    The revision stays: raising it would make all cached pages outdated each time.
    """
    db_session.execute(update(Community).values(write_probe_at=now))


def note_backup(db_session: Session, *, now: datetime) -> None:
    """Record that a backup was made."""
    db_session.execute(update(Community).values(backup_at=now))


def create(db_session: Session) -> None:
    """Insert the community with its default settings, unless it exists."""
    insert = insert_with_conflict(db_session, Community).values(
        id=1,
        name="Equity in Data Community of Practice",
        short_name="Equity in Data",
        host_name="CTData Collaborative",
        host_url="https://www.ctdata.org",
        contact_name="Sarah Eisele-Dyrli",
        contact_role="Data Engagement Specialist",
        location="Zoom",
        time_zone="America/New_York",
        recurrence_rule="FREQ=MONTHLY;BYDAY=3TU",
        start_time=time(11, 30),
        duration_minutes=90,
        embed_hosts=["https://www.ctdata.org", "https://ctdata.org"],
        observances=holidays.DEFAULT_OBSERVANCES,
        retention_days=RETENTION.days,
        short_retention_days=SHORT_RETENTION.days,
    )
    db_session.execute(insert.on_conflict_do_nothing())
