"""The console's front page, with all sessions."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Response

from cop.dashboard import next_session, views_to_do
from cop.db.engine import read_tx, write_tx
from cop.meetings import schedule
from cop.meetings.schedule import Listing, Schedule
from cop.meetings.views_common import read_schedule
from cop.outbox import status
from cop.outbox.status import OutboxStatus
from cop.roster import csv_export
from cop.statistics import statistics
from cop.statistics.statistics import Tally
from cop.web import charts
from cop.web.blueprints import console
from cop.web.charts import Chart, Group
from cop.web.rendering import current_community, now, render, writer

A_YEAR = timedelta(days=366)
SHOWN = 12  # past sessions that are listed at once


@console.get("/")
def front() -> Response:
    listed = read_schedule()
    if not _is_planned_ahead(listed):
        with write_tx() as db_session:
            schedule.plan_ahead(db_session, now=now())
        listed = read_schedule()
    mailed = listed.next.id if listed.next else 0
    with read_tx() as db_session:
        tallies = statistics.tallies(
            db_session, zone=current_community().zone_info, confirmed_for=mailed
        )
        standing = status.read_status(db_session)
    return _show_front(listed, tallies, standing)


def _show_front(listed: Schedule, tallies: dict[int, Tally], standing: OutboxStatus) -> Response:
    next_ = listed.next
    past = [Row.of(meeting, tallies) for meeting in listed.past]
    return render(
        "dashboard/dashboard.html",
        next=next_ and next_session.summary(next_, tallies.get(next_.id, Tally()), standing),
        to_do=views_to_do.to_do_items(listed, tallies, standing),
        chart=_chart(past),
        upcoming=[Row.of(meeting, tallies) for meeting in listed.upcoming],
        past=past[:SHOWN],
        earlier=past[SHOWN:],
        all_columns=csv_export.COLUMNS,
    )


@dataclass(frozen=True)
class Row:
    """A session in the tables: counted, or with the numbers that are left of it."""

    meeting: Listing
    tally: Tally
    registered: int
    came: int | None

    @classmethod
    def of(cls, meeting: Listing, tallies: dict[int, Tally]) -> "Row":
        tally, left = tallies.get(meeting.id, Tally()), meeting.registered_count
        if left is None:
            return cls(meeting, tally, tally.registered, tally.attended)
        return cls(meeting, tally, left, meeting.attended_count)


def _chart(past: list[Row]) -> tuple[Chart, list[Row]] | None:
    """Who signed up and who came in the last twelve months, and the rows that this is drawn of."""
    lately = [
        row
        for row in past
        if now() - row.meeting.starts_at <= A_YEAR and not row.meeting.is_cancelled
    ]
    dates = writer().dates
    groups = [
        Group(dates.format(row.meeting.starts_at, "MMM", "MMM"), row.registered, row.came)
        for row in reversed(lately)
    ]
    chart = charts.draw(groups)
    return (chart, lately) if chart else None


def _is_planned_ahead(listed: Schedule) -> bool:
    """Whether every date of the rhythm is on the schedule: a slug begins with the date it gave."""
    planned = {meeting.slug[:10] for meeting in (*listed.upcoming, *listed.past)}
    dates = current_community().rhythm.next_dates(current_community().planned_ahead, now=now())
    return planned.issuperset(occurrence.on.isoformat() for occurrence in dates)
