"""What needs doing: the first thing that a coordinator should see, where there is something."""

from dataclasses import dataclass
from datetime import timedelta

from flask import url_for
from flask_babel import gettext, ngettext

from cop.domain.mailing import Standing
from cop.domain.schedule import Listing
from cop.web.rendering import now, settings

SOON = timedelta(days=7)


@dataclass(frozen=True)
class ToDo:
    """Something to do, and where."""

    sentence: str
    words: str
    address: str


def things(standing: Standing, next_: Listing | None) -> list[ToDo]:
    """What needs doing now, the most pressing first."""
    mails = url_for("console.mails")
    found = []
    if standing.fault:
        found.append(ToDo(_held_up(standing), gettext("See the mails"), mails))
    if standing.failed:
        failed = url_for("console.mails", state="failed")
        found.append(ToDo(_failed(standing), gettext("See which, and why"), failed))
    if next_ and not next_.has_join_url and next_.starts_at - now() <= SOON:
        said = gettext("The join address of the next session is missing: nobody can come in yet.")
        edit = url_for("console.edit", slug=next_.slug)
        found.append(ToDo(said, gettext("Write it down"), f"{edit}#join_url"))
    if settings().smtp is None:
        said = gettext("Mail goes into files and to nobody, since COP_SMTP_URL is not set.")
        found.append(ToDo(said, gettext("See where"), mails))
    return found


def _held_up(standing: Standing) -> str:
    waiting = ngettext("%(num)s mail is waiting.", "%(num)s mails are waiting.", standing.waiting)
    said = gettext("Mail is not getting out. %(waiting)s", waiting=waiting)
    return f"{said} {gettext('The last answer: %(answer)s', answer=standing.fault)}"


def _failed(standing: Standing) -> str:
    return ngettext(
        "%(num)s mail could not be delivered.",
        "%(num)s mails could not be delivered.",
        standing.failed,
    )
