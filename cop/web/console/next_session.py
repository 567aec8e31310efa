"""The next session as the front page tells it: who comes, what is to be booked, what mail goes."""

from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import gettext, ngettext

from cop.domain import reminders
from cop.domain.community import Facts
from cop.domain.mailing import OPEN, Standing
from cop.domain.numbers import Tally
from cop.domain.outbox import Kind
from cop.domain.schedule import Listing
from cop.mail.writer import Writer
from cop.models import MailState
from cop.web.rendering import writer
from cop.words import N_

BOOKED_BEFORE = timedelta(days=14)
_GONE = {
    Kind.PROMOTED: N_("places that became free %(num)s"),
    Kind.CHANGED: N_("changes %(num)s"),
    Kind.REMINDER: N_("reminders %(num)s"),
    Kind.MESSAGE: N_("written by coordinators %(num)s"),
}


@dataclass(frozen=True)
class NextSession:
    """What a coordinator wants to know of it."""

    meeting: Listing
    tally: Tally
    is_when: str
    book_by: date
    is_bookable: bool
    gone: str
    to_come: tuple[str, ...]


def told(facts: Facts, meeting: Listing, tally: Tally, standing: Standing) -> NextSession:
    """The next session, in numbers and in words."""
    voice = writer(facts)
    starts_on, today = voice.dates.local(meeting.starts_at).date(), voice.dates.local(voice.now)
    days = (starts_on - today.date()).days
    return NextSession(
        meeting,
        tally,
        is_when=_is_when(days),
        book_by=starts_on - BOOKED_BEFORE,
        is_bookable=days >= BOOKED_BEFORE.days,
        gone=_gone(meeting, tally, standing),
        to_come=(*_on_its_way(meeting, standing), *_to_come(meeting, tally, voice)),
    )


def _is_when(days: int) -> str:
    if days <= 0:
        return gettext("Today")
    return gettext("Tomorrow") if days == 1 else gettext("In %(days)s days", days=days)


def _gone(meeting: Listing, tally: Tally, standing: Standing) -> str:
    """What mail about it has been sent."""
    sent = {kind: standing.about.get((meeting.id, kind, MailState.SENT), 0) for kind in _GONE}
    said = [gettext("confirmations %(num)s", num=tally.confirmed)] if tally.confirmed else []
    said += [gettext(_GONE[kind], num=mails) for kind, mails in sent.items() if mails]
    if not said:
        return gettext("No mail about it has gone out yet.")
    return gettext("Gone out: %(mails)s.", mails=", ".join(said))


def _on_its_way(meeting: Listing, standing: Standing) -> list[str]:
    mails = sum(
        number
        for (about, _, state), number in standing.about.items()
        if about == meeting.id and state in OPEN
    )
    if not mails:
        return []
    return [ngettext("%(num)s mail is on its way.", "%(num)s mails are on their way.", mails)]


def _to_come(meeting: Listing, tally: Tally, voice: Writer) -> list[str]:
    """The reminders that are still to go out, each with its day and to how many it goes now."""
    days = sorted(voice.community.reminder_days, reverse=True)
    ahead = [(day, reminders.moment(meeting, day, writer=voice)) for day in days]
    return [
        _reminder_said(
            voice.dates.on(moment),
            tally.to_remind if day == min(days) else tally.proven_to_remind,
            is_for_all=day == min(days),
        )
        for day, moment in ahead
        if moment > voice.now
    ]


def _reminder_said(date: str, people: int, *, is_for_all: bool) -> str:
    if not (people or is_for_all):
        return gettext(
            "The reminder of %(date)s goes to those who have used a link of ours: nobody so far.",
            date=date,
        )
    return ngettext(
        "The reminder of %(date)s goes to %(num)s person.",
        "The reminder of %(date)s goes to %(num)s people.",
        people,
        date=date,
    )
