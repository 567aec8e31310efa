"""Describe whom a change to a meeting affects, in a preview or after saving."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from cop.changes import notices
from cop.i18n import N_
from cop.mail import recipients
from cop.meetings.forms import TIMES
from cop.meetings.locking import MeetingFacts
from cop.models.registration import RegistrationStatus
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, now

STATUS = N_("We'll send an email about this.")


@dataclass(frozen=True)
class Effects:
    """How many people a change emails, and how many spots are taken after it."""

    held: int  # people with a spot who are emailed
    waiting: int  # people on the waiting list who are emailed
    promoted: int  # people who got a spot from the waiting list, and are emailed at once
    taken: int  # spots


def count(db_session: Session, meeting: MeetingFacts, *, promoted: Collection[int] = ()) -> Effects:
    """Count the effects of a change to a meeting, which is given as it is after the change.

    `promoted`: the registrations that were promoted by it.
    """
    people = recipients.of_meeting(db_session, meeting.id)
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
        return N_("We'll send an email about the new time.")
    if "join_url" in changed:
        return N_("We'll send an email about the new join link.")
    return N_("We'll send an email about your changes.")


def email_sentences(found: Effects, *, about: str) -> list[str]:
    """Return sentences about who is emailed and when; `about` is the first of them."""
    sentences = [*_notification(found, about)] if found.held or found.waiting else []
    if found.promoted:
        sentences.append(
            ngettext(
                "%(num)s person gets a spot from the waiting list, and an email right away.",
                "%(num)s people get a spot from the waiting list, and an email right away.",
                found.promoted,
            )
        )
    return sentences or [gettext("Nobody gets an email.")]


def taken_spot_sentences(found: Effects, capacity: int | None) -> list[str]:
    """Return a sentence that nobody loses their spot if the capacity is exceeded."""
    if capacity is None or found.taken <= capacity:
        return []
    return [
        gettext(
            "There are more people registered (%(people)s) than spots (%(spots)s). Nobody loses "
            "their spot, but new people go on the waiting list.",
            people=found.taken,
            spots=capacity,
        )
    ]


def _notification(found: Effects, about: str) -> Iterator[str]:
    yield gettext(about)
    yield ngettext(
        "It goes out %(num)s minute after your last change.",
        "It goes out %(num)s minutes after your last change.",
        current_community().notice_minutes,
    )
    if found.held:
        yield ngettext(
            "%(num)s registered person gets it.", "%(num)s registered people get it.", found.held
        )
    if found.waiting:
        yield ngettext(
            "%(num)s person on the waiting list gets it.",
            "%(num)s people on the waiting list get it.",
            found.waiting,
        )
