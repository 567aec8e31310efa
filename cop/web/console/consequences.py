"""The effects of a change in sentences that hold before it is made and after."""

from collections.abc import Collection

from cop.domain.effects import Effects
from cop.web.console.clocks import TIMES
from cop.web.rendering import current_community
from cop.web.saying import gettext, ngettext
from cop.words import N_

TIME = N_("One mail about the new time goes to %(who)s, %(delay)s after your last change.")
JOIN_URL = N_(
    "One mail about the new join address goes to %(who)s, %(delay)s after your last change."
)
STATUS = N_("One mail that says so goes to %(who)s, %(delay)s later.")
PENDING = N_("One mail about your last changes goes to %(who)s, %(delay)s after the last of them.")


def about(changed: Collection[str]) -> str:
    """Return the sentence about the notification, by the fields that were changed."""
    if not set(TIMES).isdisjoint(changed):
        return TIME
    return JOIN_URL if "join_url" in changed else PENDING


def emails(effects: Effects, *, about: str) -> list[str]:
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


def spots(effects: Effects, capacity: int | None) -> list[str]:
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


def _who(effects: Effects) -> str:
    held = ngettext(
        "%(num)s person who holds a place", "%(num)s people who hold a place", effects.held
    )
    if not effects.waiting:
        return held
    if not effects.held:
        return ngettext("%(num)s person who waits", "%(num)s people who wait", effects.waiting)
    waiting = ngettext("%(num)s who waits", "%(num)s who wait", effects.waiting)
    return gettext("%(held)s and %(waiting)s", held=held, waiting=waiting)
