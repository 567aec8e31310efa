"""The next session as the front page tells it: who comes, what is to be booked, what mail goes."""

from dataclasses import dataclass
from datetime import date, datetime

from cop.domain import reminders
from cop.domain.mailing import OPEN, Standing
from cop.domain.needs import BOOKED_BEFORE
from cop.domain.numbers import Tally
from cop.domain.outbox import Kind
from cop.domain.schedule import Listing
from cop.mail.writer import Writer
from cop.models import MailState
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


def told(meeting: Listing, tally: Tally, standing: Standing) -> NextSession:
    """The next session, in numbers."""
    voice = writer()
    starts_on, today = (voice.dates.local(m).date() for m in (meeting.starts_at, voice.now))
    of_it = {key[1:]: mails for key, mails in standing.about.items() if key[0] == meeting.id}
    sent = {kind: mails for (kind, state), mails in of_it.items() if state == MailState.SENT}
    return NextSession(
        meeting,
        tally,
        days=(starts_on - today).days,
        book_by=starts_on - BOOKED_BEFORE,
        is_bookable=starts_on - today >= BOOKED_BEFORE,
        gone=({Kind.CONFIRMATION: tally.confirmed} if tally.confirmed else {}) | sent,
        on_their_way=sum(mails for (_, state), mails in of_it.items() if state in OPEN),
        reminders=_to_come(meeting, tally, voice),
    )


def _to_come(meeting: Listing, tally: Tally, voice: Writer) -> tuple[Reminder, ...]:
    days = sorted(voice.community.reminder_days, reverse=True)
    people = [tally.to_remind if day == min(days) else tally.proven_to_remind for day in days]
    moments = [reminders.moment(meeting, day, writer=voice) for day in days]
    return tuple(
        Reminder(at, number, is_last=at == max(moments))
        for at, number in zip(moments, people, strict=True)
        if at > voice.now
    )
