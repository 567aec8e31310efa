"""The effects of a change in sentences that hold before it is made and after."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from cop.changes import notices
from cop.i18n import N_
from cop.mail import recipients
from cop.meetings.forms import TIMES
from cop.meetings.locking import MeetingFacts
from cop.models.registration import RegistrationStatus
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community


@dataclass(frozen=True)
class PromotionPreview:
    """How many people with a spot or waiting are emailed, and how many spots are taken."""

    held: int
    waiting: int
    promoted: int
    taken: int


def preview_promotions(
    db_session: Session, meeting: MeetingFacts, *, promoted: Collection[int] = (), now: datetime
) -> PromotionPreview:
    """Count the effects of the change that made the meeting what it is now.

    Previews make the change in a transaction that is rolled back.
    """
    people = recipients.of_meeting(db_session, meeting.id)
    emailed = Counter(
        person.status
        for person in notices.count_recipients(people, meeting, now=now)
        if person.recipient.is_deliverable
    )
    return PromotionPreview(
        held=emailed[RegistrationStatus.HELD],
        waiting=emailed[RegistrationStatus.WAITING],
        promoted=len(promoted),
        taken=sum(person.status == RegistrationStatus.HELD for person in people),
    )


TIME = N_("One mail about the new time goes to %(who)s, %(delay)s after your last change.")
JOIN_URL = N_(
    "One mail about the new join address goes to %(who)s, %(delay)s after your last change."
)
STATUS = N_("One mail that says so goes to %(who)s, %(delay)s later.")
PENDING = N_("One mail about your last changes goes to %(who)s, %(delay)s after the last of them.")


def changed_aspects(changed: Collection[str]) -> str:
    """Return the sentence about the notification, by the fields that were changed."""
    if not set(TIMES).isdisjoint(changed):
        return TIME
    return JOIN_URL if "join_url" in changed else PENDING


def emails(effects: PromotionPreview, *, about: str) -> list[str]:
    """Return who gets an email, and when."""
    sentences = []
    if effects.held or effects.waiting:
        minutes = current_community().notice_minutes
        delay = ngettext("%(num)s minute", "%(num)s minutes", minutes)
        sentences.append(gettext(about, who=_who(effects), delay=delay))
    if effects.promoted:
        sentences.append(
            ngettext(
                "%(num)s person comes off the waiting list, and gets a mail at once.",
                "%(num)s people come off the waiting list, and get a mail at once.",
                effects.promoted,
            )
        )
    return sentences or [gettext("Nobody gets a mail.")]


def spots(effects: PromotionPreview, capacity: int | None) -> list[str]:
    """Return what a capacity below the number of taken spots means for those who have one."""
    if capacity is None or effects.taken <= capacity:
        return []
    return [
        gettext(
            "%(taken)s people hold a place, more than the %(places)s you offer. Nobody loses "
            "theirs, and who comes new has to wait.",
            taken=effects.taken,
            places=capacity,
        )
    ]


def _who(effects: PromotionPreview) -> str:
    held = ngettext(
        "%(num)s person who holds a place", "%(num)s people who hold a place", effects.held
    )
    if not effects.waiting:
        return held
    if not effects.held:
        return ngettext("%(num)s person who waits", "%(num)s people who wait", effects.waiting)
    waiting = ngettext("%(num)s who waits", "%(num)s who wait", effects.waiting)
    return gettext("%(held)s and %(waiting)s", held=held, waiting=waiting)
