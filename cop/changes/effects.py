"""Describe whom a change to a meeting affects, in a preview or after saving."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from cop.changes import notices
from cop.i18n import N_
from cop.mail import recipients
from cop.meetings import locking
from cop.meetings.forms import TIMES
from cop.models.registration import RegistrationStatus
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, now

STATUS = N_("One mail that says so goes to %(who)s, %(delay)s later.")


@dataclass(frozen=True)
class Effects:
    """How many people a change emails, and how many spots are taken after it."""

    held: int  # people with a spot who are emailed
    waiting: int  # people on the waiting list who are emailed
    promoted: int  # people who got a spot from the waiting list, and are emailed at once
    taken: int  # spots


def count(db_session: Session, meeting_id: int, *, promoted: Collection[int] = ()) -> Effects:
    """Count the effects of the change that this transaction has made to a meeting.

    `promoted`: the registrations that were promoted by it. A preview rolls the change back later.
    """
    [meeting] = locking.read(db_session, [meeting_id])
    people = recipients.of_meeting(db_session, meeting_id)
    emailed = Counter(
        person.status
        for person in notices.filter_recipients(people, meeting, now=now())
        if person.recipient.is_deliverable
    )
    return Effects(
        held=emailed[RegistrationStatus.HELD],
        waiting=emailed[RegistrationStatus.WAITING],
        promoted=len(promoted),
        taken=sum(person.status == RegistrationStatus.HELD for person in people),
    )


def sentence_about(changed: Collection[str]) -> str:
    """Return the sentence about the notification email for these changed fields."""
    if not set(TIMES).isdisjoint(changed):
        return N_("One mail about the new time goes to %(who)s, %(delay)s after your last change.")
    if "join_url" in changed:
        return N_(
            "One mail about the new join address goes to %(who)s, %(delay)s after your last change."
        )
    return N_("One mail about your last changes goes to %(who)s, %(delay)s after the last of them.")


def email_sentences(found: Effects, *, about: str) -> list[str]:
    """Return sentences about who is emailed and when; `about` is the first of them."""
    sentences = []
    if found.held or found.waiting:
        minutes = current_community().notice_minutes
        delay = ngettext("%(num)s minute", "%(num)s minutes", minutes)
        sentences.append(gettext(about, who=_recipients(found), delay=delay))
    if found.promoted:
        sentences.append(
            ngettext(
                "%(num)s person comes off the waiting list, and gets a mail at once.",
                "%(num)s people come off the waiting list, and get a mail at once.",
                found.promoted,
            )
        )
    return sentences or [gettext("Nobody gets a mail.")]


def taken_spot_sentences(found: Effects, capacity: int | None) -> list[str]:
    """Return a sentence that nobody loses their spot if the capacity is exceeded."""
    if capacity is None or found.taken <= capacity:
        return []
    return [
        gettext(
            "%(taken)s people hold a place, more than the %(places)s you offer. Nobody loses "
            "theirs, and who comes new has to wait.",
            taken=found.taken,
            places=capacity,
        )
    ]


def _recipients(found: Effects) -> str:
    held = ngettext(
        "%(num)s person who holds a place", "%(num)s people who hold a place", found.held
    )
    if not found.waiting:
        return held
    if not found.held:
        return ngettext("%(num)s person who waits", "%(num)s people who wait", found.waiting)
    waiting = ngettext("%(num)s who waits", "%(num)s who wait", found.waiting)
    return gettext("%(held)s and %(waiting)s", held=held, waiting=waiting)
