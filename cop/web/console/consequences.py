"""What a change does, in sentences that hold before it is made and after."""

from collections.abc import Collection

from cop.domain.effects import Effects
from cop.web.console.clocks import TIMES
from cop.web.rendering import current_community
from cop.web.saying import gettext, ngettext
from cop.words import N_

TIME = N_("One mail about the new time goes to %(who)s, %(delay)s after your last change.")
WAY_IN = N_(
    "One mail about the new join address goes to %(who)s, %(delay)s after your last change."
)
FATE = N_("One mail that says so goes to %(who)s, %(delay)s later.")
PENDING = N_("One mail about your last changes goes to %(who)s, %(delay)s after the last of them.")


def about(changed: Collection[str]) -> str:
    """The sentence for what those registered hear of, of what was changed in the form."""
    if not set(TIMES).isdisjoint(changed):
        return TIME
    return WAY_IN if "join_url" in changed else PENDING


def mails(would: Effects, *, about: str) -> list[str]:
    """Who gets a mail, and when."""
    said = []
    held = ngettext(
        "%(num)s person who holds a place", "%(num)s people who hold a place", would.held
    )
    waiting = ngettext("%(num)s who waits", "%(num)s who wait", would.waiting)
    if would.held and would.waiting:
        who = gettext("%(held)s and %(waiting)s", held=held, waiting=waiting)
    else:
        who = (
            held
            if would.held
            else ngettext("%(num)s person who waits", "%(num)s people who wait", would.waiting)
        )
    if would.held or would.waiting:
        delay = ngettext("%(num)s minute", "%(num)s minutes", current_community().notice_minutes)
        said.append(gettext(about, who=who, delay=delay))
    if would.promoted:
        said.append(
            ngettext(
                "%(num)s person comes off the waiting list, and gets a mail at once.",
                "%(num)s people come off the waiting list, and get a mail at once.",
                would.promoted,
            )
        )
    return said or [gettext("Nobody gets a mail.")]


def places(would: Effects, capacity: int | None) -> list[str]:
    """What fewer places mean for those who have one."""
    if capacity is None or would.taken <= capacity:
        return []
    return [
        gettext(
            "%(taken)s people hold a place, more than the %(places)s you offer. Nobody loses "
            "theirs, and who comes new has to wait.",
            taken=would.taken,
            places=capacity,
        )
    ]
