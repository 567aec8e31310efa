"""The console's front page: next session, to-do items, tables of all sessions."""

from datetime import datetime, timedelta
from typing import NamedTuple

from flask import Response

from cop.dashboard import views_to_do
from cop.db.engine import read_tx, write_tx
from cop.meetings import planning
from cop.meetings.schedule import Listing, Schedule
from cop.meetings.views_common import read_schedule
from cop.models.email import MailState
from cop.outbox import status
from cop.outbox.outbox import EmailKind
from cop.reminders import reminders
from cop.roster import access_needs
from cop.statistics import statistics
from cop.statistics.statistics import Tally
from cop.web import charts
from cop.web.blueprints import console
from cop.web.rendering import current_community, now, render, writer

CHARTED_FOR = timedelta(days=366)
MAX_PAST = 12  # past sessions shown; older ones are collapsed


class Reminder(NamedTuple):
    """A reminder that is still to be sent."""

    at: datetime  # when it is due
    people: int  # how many get it
    is_last: bool


class PastSession(NamedTuple):
    """A past session's numbers: counted, or stored once registrations are deleted."""

    meeting: Listing
    registered: int
    attended: int | None


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
    past = [_past_session(meeting, tallies[meeting.id]) for meeting in listed.past]
    return render(
        "dashboard/dashboard.html",
        next=next_ and _next_session(next_, tallies[next_.id], outbox),
        to_do=views_to_do.to_do_items(listed, tallies, outbox),
        chart=_chart(past),
        upcoming=[(meeting, tallies[meeting.id]) for meeting in listed.upcoming],
        past=past[:MAX_PAST],
        earlier=past[MAX_PAST:],
    )


def _is_planned_ahead(listed: Schedule) -> bool:
    """Whether the next dates of the recurrence rule are all planned."""
    # Slugs begin with the date for which a meeting was first planned, even if it has moved since.
    planned = {meeting.slug[:10] for meeting in listed.all}
    community = current_community()
    dates = community.rhythm.next_dates(community.planned_ahead, now=now())
    return planned.issuperset(occurrence.on.isoformat() for occurrence in dates)


def _next_session(meeting: Listing, tally: Tally, outbox: status.OutboxStatus) -> dict[str, object]:
    """Return what the page shows about the next session and its emails."""
    dates = writer().dates
    starts_on, today = dates.local(meeting.starts_at).date(), dates.local(now()).date()
    sent: dict[str, int] = {EmailKind.CONFIRMATION: tally.confirmed} if tally.confirmed else {}
    pending = 0
    for (meeting_id, kind, state), count in outbox.by_meeting.items():
        if meeting_id == meeting.id and state == MailState.SENT:
            sent[kind] = count
        elif meeting_id == meeting.id and state in status.PENDING_STATES:
            pending += count
    return {
        "meeting": meeting,
        "tally": tally,
        "days": (starts_on - today).days,
        "book_by": starts_on - access_needs.BOOKING_LEAD_TIME,
        "is_bookable": starts_on - today >= access_needs.BOOKING_LEAD_TIME,
        "sent": sent,
        "pending": pending,
        "reminders": _upcoming_reminders(meeting, tally),
    }


def _upcoming_reminders(meeting: Listing, tally: Tally) -> list[Reminder]:
    """Return the reminders still to be sent, with the number of recipients."""
    # All but the last reminder go to verified addresses only.
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


def _past_session(meeting: Listing, tally: Tally) -> PastSession:
    if meeting.registered_count is None:
        return PastSession(meeting, tally.registered, tally.attended)
    return PastSession(meeting, meeting.registered_count, meeting.attended_count)


def _chart(past: list[PastSession]) -> charts.Chart | None:
    """Chart sign-ups and attendance of the last twelve months."""
    groups = [
        charts.Group(
            *writer().dates.axis_label(row.meeting.starts_at), row.registered, row.attended
        )
        for row in reversed(past)
        if now() - row.meeting.starts_at <= CHARTED_FOR and not row.meeting.is_cancelled
    ]
    return charts.draw(groups)
