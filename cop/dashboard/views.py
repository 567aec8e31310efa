"""The console's front page: the next session, to-do items, and tables of all sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Response

from cop.dashboard import views_to_do
from cop.db.engine import read_tx, write_tx
from cop.meetings import planning
from cop.meetings.schedule import Listing, Schedule
from cop.meetings.views_common import read_schedule
from cop.models.email import MailState
from cop.outbox import status
from cop.outbox.outbox import EmailKind
from cop.outbox.status import OutboxStatus
from cop.reminders import reminders
from cop.roster import access_needs, csv_export
from cop.statistics import statistics
from cop.statistics.statistics import Tally
from cop.web import charts
from cop.web.blueprints import console
from cop.web.charts import Chart, Group
from cop.web.rendering import current_community, now, render, writer

CHARTED_FOR = timedelta(days=366)
MAX_PAST = 12  # sessions; older ones are collapsed


@console.get("/")
def front() -> Response:
    listed = read_schedule()
    if not _is_planned_ahead(listed):
        with write_tx() as db_session:
            planning.plan_ahead(db_session, now=now())
        listed = read_schedule()
    next_, zone = listed.next, current_community().zone_info
    with read_tx() as db_session:
        tallies = statistics.tallies(db_session, zone=zone, confirmed_for=next_.id if next_ else 0)
        outbox = status.read_status(db_session)
    past = [SessionRow.of(meeting, tallies) for meeting in listed.past]
    return render(
        "dashboard/dashboard.html",
        next=next_ and NextSession.of(next_, tallies.get(next_.id, Tally()), outbox),
        to_do=views_to_do.to_do_items(listed, tallies, outbox),
        chart=_chart(past),
        upcoming=[SessionRow.of(meeting, tallies) for meeting in listed.upcoming],
        past=past[:MAX_PAST],
        earlier=past[MAX_PAST:],
        all_columns=csv_export.COLUMNS,
    )


def _is_planned_ahead(listed: Schedule) -> bool:
    """Whether all dates of the recurrence rule are planned: slugs begin with the planned date."""
    planned = {meeting.slug[:10] for meeting in listed.all}
    community = current_community()
    dates = community.rhythm.next_dates(community.planned_ahead, now=now())
    return planned.issuperset(occurrence.on.isoformat() for occurrence in dates)


@dataclass(frozen=True)
class Reminder:
    """A reminder that is still to be sent; all but the last go to verified addresses only."""

    at: datetime
    people: int
    is_last: bool


@dataclass(frozen=True)
class NextSession:
    """The next session in numbers."""

    meeting: Listing
    tally: Tally
    days: int
    book_by: date
    is_bookable: bool
    sent: dict[str, int]  # emails about it, by kind
    pending: int  # emails about it
    reminders: list[Reminder]

    @classmethod
    def of(cls, meeting: Listing, tally: Tally, outbox: OutboxStatus) -> "NextSession":
        """Count what is known about a session and the emails about it."""
        dates = writer().dates
        starts_on, today = dates.local(meeting.starts_at).date(), dates.local(now()).date()
        emails = {
            key[1:]: count for key, count in outbox.by_meeting.items() if key[0] == meeting.id
        }
        sent = {kind: count for (kind, state), count in emails.items() if state == MailState.SENT}
        pending = [count for (_, state), count in emails.items() if state in status.PENDING_STATES]
        return cls(
            meeting,
            tally,
            days=(starts_on - today).days,
            book_by=starts_on - access_needs.BOOKING_LEAD_TIME,
            is_bookable=starts_on - today >= access_needs.BOOKING_LEAD_TIME,
            sent=({EmailKind.CONFIRMATION: tally.confirmed} if tally.confirmed else {}) | sent,
            pending=sum(pending),
            reminders=_upcoming_reminders(meeting, tally),
        )


def _upcoming_reminders(meeting: Listing, tally: Tally) -> list[Reminder]:
    days_before = sorted(current_community().reminder_days, reverse=True)
    all_reminders = [
        Reminder(
            reminders.reminder_time(meeting, days, writer=writer()),
            tally.to_remind if days == days_before[-1] else tally.verified_to_remind,
            is_last=days == days_before[-1],
        )
        for days in days_before
    ]
    return [reminder for reminder in all_reminders if reminder.at > now()]


@dataclass(frozen=True)
class SessionRow:
    """A session in the tables: counted, or by the stored numbers once registrations are deleted."""

    meeting: Listing
    tally: Tally
    registered: int
    attended: int | None

    @classmethod
    def of(cls, meeting: Listing, tallies: Mapping[int, Tally]) -> "SessionRow":
        tally, stored = tallies.get(meeting.id, Tally()), meeting.registered_count
        if stored is None:
            return cls(meeting, tally, tally.registered, tally.attended)
        return cls(meeting, tally, stored, meeting.attended_count)


def _chart(past: list[SessionRow]) -> tuple[Chart, list[SessionRow]] | None:
    """Draw who signed up and attended in the last twelve months; return the rows, too."""
    dates = writer().dates
    rows = [
        row
        for row in past
        if now() - row.meeting.starts_at <= CHARTED_FOR and not row.meeting.is_cancelled
    ]
    groups = [
        Group(dates.format(row.meeting.starts_at, "MMM", "MMM"), row.registered, row.attended)
        for row in reversed(rows)
    ]
    chart = charts.draw(groups)
    return (chart, rows) if chart else None
