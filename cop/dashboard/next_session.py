"""The next session as the front page tells it: who comes, what is to be booked, what mail goes."""

from dataclasses import dataclass
from datetime import date, datetime

from cop.mail.writer import LetterWriter
from cop.meetings.schedule import Listing
from cop.models.email import MailState
from cop.outbox.outbox import EmailKind
from cop.outbox.status import PENDING_STATES, OutboxStatus
from cop.reminders import reminders
from cop.roster.access_needs import BOOKING_LEAD_TIME
from cop.statistics.statistics import Tally
from cop.web.rendering import writer


@dataclass(frozen=True)
class Reminder:
    """One that is still to go out; all but the last go to those who have used a link of ours."""

    at: datetime
    people: int
    is_last: bool


@dataclass(frozen=True)
class NextSession:
    """What a coordinator wants to know of it."""

    meeting: Listing
    tally: Tally
    days: int
    book_by: date
    is_bookable: bool
    gone: dict[str, int]  # mails about it that were sent, by kind
    on_their_way: int
    reminders: tuple[Reminder, ...]


def summary(meeting: Listing, tally: Tally, standing: OutboxStatus) -> NextSession:
    """The next session, in numbers."""
    voice = writer()
    starts_on, today = (voice.dates.local(m).date() for m in (meeting.starts_at, voice.now))
    of_it = {key[1:]: mails for key, mails in standing.by_meeting.items() if key[0] == meeting.id}
    sent = {kind: mails for (kind, state), mails in of_it.items() if state == MailState.SENT}
    return NextSession(
        meeting,
        tally,
        days=(starts_on - today).days,
        book_by=starts_on - BOOKING_LEAD_TIME,
        is_bookable=starts_on - today >= BOOKING_LEAD_TIME,
        gone=({EmailKind.CONFIRMATION: tally.confirmed} if tally.confirmed else {}) | sent,
        on_their_way=sum(mails for (_, state), mails in of_it.items() if state in PENDING_STATES),
        reminders=_upcoming_reminders(meeting, tally, voice),
    )


def _upcoming_reminders(
    meeting: Listing, tally: Tally, voice: LetterWriter
) -> tuple[Reminder, ...]:
    days = sorted(voice.community.reminder_days, reverse=True)
    people = [tally.to_remind if day == min(days) else tally.verified_to_remind for day in days]
    moments = [reminders.reminder_time(meeting, day, writer=voice) for day in days]
    return tuple(
        Reminder(at, number, is_last=at == max(moments))
        for at, number in zip(moments, people, strict=True)
        if at > voice.now
    )
