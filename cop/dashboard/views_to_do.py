"""The to-do items on the console's front page."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import request, url_for

from cop.audit import clock_check
from cop.audit.clock_check import Verdict
from cop.meetings.filters import short_date, timestamp
from cop.meetings.schedule import Listing, Schedule
from cop.operations import status
from cop.outbox.status import OutboxStatus
from cop.statistics.statistics import Tally
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, now, settings

# How long before a session, or after the event, an item is shown.
UPCOMING_WITHIN = timedelta(days=7)
TOPIC_WITHIN = timedelta(weeks=4)
TAKEAWAYS_WITHIN = timedelta(weeks=4)
ATTENDANCE_WITHIN = timedelta(days=60)
KEY_CHANGE_WITHIN = timedelta(days=14)


@dataclass(frozen=True)
class ToDo:
    """Something to do, with a link to the page where it is done."""

    sentence: str
    link_text: str = ""
    url: str = ""


def to_do_items(
    listed: Schedule, tallies: defaultdict[int, Tally], outbox: OutboxStatus
) -> list[ToDo]:
    """Return what needs doing now, the most urgent first."""
    next_ = listed.next
    return [
        *_contact(),
        *_secret_key(),
        *_clock(),
        *_outbox(outbox),
        *(_next_session_items(next_, tallies[next_.id]) if next_ else ()),
        *_topics(listed),
        *_past_session_items(listed, tallies),
        *_system_items(),
    ]


def _secret_key() -> Iterator[ToDo]:
    """Prepare coordinators for people who report links that stopped working."""
    changed_at = current_community().key_changed_at
    if changed_at and now() - changed_at < KEY_CHANGE_WITHIN:
        sentence = gettext(
            "Links in emails sent before %(moment)s no longer work, because the site's secret key "
            "was replaced. Anyone who needs a new link can get it here:",
            moment=timestamp(changed_at),
        )
        yield ToDo(sentence, gettext("Lost your link?"), url_for("public.my_link"))


def _contact() -> Iterator[ToDo]:
    if not current_community().contact_email:
        sentence = gettext("People can't reach you, because the site has no contact email.")
        url = url_for("console.setting", part="community", _anchor="contact_email")
        yield ToDo(sentence, gettext("Add a contact email"), url)


def _clock() -> Iterator[ToDo]:
    if clock_check.check(current_community(), now=now()) is not Verdict.RUN:
        sentence = gettext("Old data isn't being deleted, because the server's clock may be wrong.")
        yield ToDo(sentence, gettext("Check the clock"), url_for("console.clock"))


def _outbox(outbox: OutboxStatus) -> Iterator[ToDo]:
    if outbox.last_error:
        sentence = ngettext(
            "Emails aren't going out, and %(num)s is waiting. The email server says: %(answer)s",
            "Emails aren't going out, and %(num)s are waiting. The email server says: %(answer)s",
            outbox.pending,
            answer=outbox.last_error,
        )
        yield ToDo(sentence, gettext("Open the Email log"), url_for("console.mails"))
    if outbox.failed:
        sentence = ngettext(
            "%(num)s email couldn't be delivered.",
            "%(num)s emails couldn't be delivered.",
            outbox.failed,
        )
        url = url_for("console.mails", state="failed")
        yield ToDo(sentence, gettext("See why"), url)


def _next_session_items(next_: Listing, tally: Tally) -> Iterator[ToDo]:
    if next_.starts_at - now() > UPCOMING_WITHIN:
        return
    if not next_.join_url:
        sentence = gettext("The next session has no join link yet, so nobody can join.")
        edit = url_for("console.edit", slug=next_.slug)
        yield ToDo(sentence, gettext("Add the join link"), f"{edit}#join_url")
    if tally.expected_new:
        sentence = ngettext(
            "%(num)s first-timer is registered for %(date)s. Welcome them by name.",
            "%(num)s first-timers are registered for %(date)s. Welcome them by name.",
            tally.expected_new,
            date=short_date(next_.starts_at),
        )
        yield ToDo(sentence, gettext("See who"), url_for("console.meeting", slug=next_.slug))


def _topics(listed: Schedule) -> Iterator[ToDo]:
    for meeting in listed.upcoming:
        is_near = meeting.is_open and meeting.starts_at - now() <= TOPIC_WITHIN
        if is_near and not meeting.topic:
            date = short_date(meeting.starts_at)
            sentence = gettext("The session on %(date)s has no topic yet.", date=date)
            edit = url_for("console.edit", slug=meeting.slug)
            yield ToDo(sentence, gettext("Add a topic"), f"{edit}#topic")


def _past_session_items(listed: Schedule, tallies: defaultdict[int, Tally]) -> Iterator[ToDo]:
    """Attendance and takeaways that are missing from recent sessions."""
    for meeting in listed.past:
        age, tally = now() - meeting.ends_at, tallies[meeting.id]
        if meeting.is_cancelled or age > ATTENDANCE_WITHIN:
            continue
        date = short_date(meeting.starts_at)
        if tally.held and tally.attended is None:
            sentence = gettext("Attendance for %(date)s isn't recorded yet.", date=date)
            url = url_for("console.attendance", slug=meeting.slug)
            yield ToDo(sentence, gettext("Record attendance"), url)
        if meeting.published_at is None and age <= TAKEAWAYS_WITHIN:
            sentence = gettext("The takeaways for %(date)s aren't published yet.", date=date)
            url = url_for("console.takeaways", slug=meeting.slug)
            yield ToDo(sentence, gettext("Publish the takeaways"), url)


def _system_items() -> Iterator[ToDo]:
    """What the operator of the site has to do."""
    backup_at = current_community().backup_at
    if backup_at is None or abs(now() - backup_at) > status.DAILY_MAX_AGE:
        yield ToDo(_backup_sentence(backup_at))
    # This request came through the proxy, if there is one, so its headers show it.
    is_forwarded = "X-Forwarded-For" in request.headers
    if warning := status.proxy_warning(settings(), is_forwarded=is_forwarded):
        yield ToDo(gettext(warning))
    if settings().smtp is None:
        sentence = gettext(
            "Email is not set up yet. Ask whoever runs the site to set COP_SMTP_URL."
        )
        yield ToDo(sentence, gettext("Open the Email log"), url_for("console.mails"))


def _backup_sentence(backup_at: datetime | None) -> str:
    if not settings().is_sqlite:
        return gettext("We can't tell if backups are made. Ask whoever runs the PostgreSQL server.")
    if backup_at is None:
        return gettext("There's no backup yet, so old data isn't deleted. See the server's log.")
    return gettext(
        "There's been no backup since %(moment)s, so old data isn't deleted. See the server's log.",
        moment=timestamp(backup_at),
    )
