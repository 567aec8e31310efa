"""Changing a session: its date, its places, the way in, and what it is about."""

from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from dateutil import tz
from flask import Response, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session
from wtforms import StringField
from wtforms.validators import ValidationError

from cop.db import read_tx, write_tx
from cop.domain import changes, meetings
from cop.domain.community import Facts
from cop.domain.errors import RuleBroken
from cop.domain.meetings import LockedMeeting
from cop.domain.schedule import Listing
from cop.mail.writer import Writer
from cop.web.console import console
from cop.web.console.finding import meeting_or_404
from cop.web.console.forms import ConsoleForm, Https, Whole, area, line, number
from cop.web.forms import one_line
from cop.web.rendering import render, writer
from cop.words import N_

TIMES = {"date", "starts", "ends"}
FIELDS = (*sorted(TIMES), "capacity", "join_url", *changes.DESCRIBED)
WALL = "%Y-%m-%d %H:%M"
TOO_LATE = 2100  # a year


class EditForm(ConsoleForm):
    """Everything about a session that a coordinator decides."""

    before = StringField(filters=[one_line])
    date = StringField(filters=[one_line])
    starts = StringField(filters=[one_line])
    ends = StringField(filters=[one_line])
    reason = line(300)
    capacity = line(
        20, Whole(N_("Write how many places there are as a number, or leave it empty."))
    )
    join_url = line(2000, Https())
    topic = line(200)
    guests = line(300)
    summary = area(5000)
    reading_title = line(300)
    reading_url = line(2000, Https(or_http=True))
    reading_minutes = line(20, Whole(N_("Write the minutes as a number, or leave it empty.")))
    prep_question = line(300)

    def __init__(self, meeting: LockedMeeting, zone: ZoneInfo) -> None:
        there = _said(meeting, zone)
        super().__init__(there | {"before": " ".join(_marks(there))})
        self.zone, self.there = zone, there

    def validate_date(self, field: StringField) -> None:
        if _read(field.data, "12:00") is None:
            raise ValidationError(gettext("Write the date like 2026-12-15."))

    def validate_starts(self, field: StringField) -> None:
        self._check_clock(field)

    def validate_ends(self, field: StringField) -> None:
        self._check_clock(field)

    def _check_clock(self, field: StringField) -> None:
        if _read("2000-01-01", field.data) is None:
            raise ValidationError(gettext("Write the time like 11:30 or 14:00."))
        moment = _read(self["date"].data, field.data)
        if moment and not tz.datetime_exists(moment, self.zone):
            raise ValidationError(
                gettext("On this date the clocks are put forward and skip this time. Choose one.")
            )

    @property
    def changed(self) -> set[str]:
        """What was changed on this page; the rest may have been changed elsewhere meanwhile."""
        shown = set((self["before"].data or "").split())
        typed = {name: self[name].data or "" for name in FIELDS}
        return {mark.partition(":")[0] for mark in _marks(typed) if mark not in shown}

    def moment(self, name: str) -> datetime:
        """The start or the end, on the community's clocks; only once the form is valid.

        What was not changed on this page is taken as it stands: somebody else may have changed it.
        """
        parts = {part: self[part].data if part in self.changed else self.there[part]
                 for part in ("date", name)}  # fmt: skip
        on_wall = f"{parts['date']} {parts[name]}"
        return datetime.strptime(on_wall, WALL).replace(tzinfo=self.zone)

    @property
    def texts(self) -> dict[str, str | int | None]:
        """What was changed of what the session is about."""
        names = self.changed & set(changes.DESCRIBED)
        typed: dict[str, str | int | None] = {name: self[name].data for name in names}
        if "reading_minutes" in names:
            typed["reading_minutes"] = number(self["reading_minutes"].data or "")
        return typed


def _said(meeting: LockedMeeting, zone: ZoneInfo) -> dict[str, str]:
    """A session as the form shows it."""
    starts_at, ends_at = meeting.starts_at.astimezone(zone), meeting.ends_at.astimezone(zone)
    others = {name: getattr(meeting, name) for name in FIELDS if name not in TIMES}
    texts = {name: "" if value is None else str(value) for name, value in others.items()}
    return texts | {"date": f"{starts_at:%Y-%m-%d}", "starts": f"{starts_at:%H:%M}",
                    "ends": f"{ends_at:%H:%M}"}  # fmt: skip


def _marks(said: dict[str, str]) -> list[str]:
    """A short mark of each text, by which the form that comes back shows what was changed in it."""
    return [f"{name}:{sha256(text.encode()).hexdigest()[:12]}" for name, text in said.items()]


def _read(date: str | None, time: str | None) -> datetime | None:
    """A date and a time as they stand on the wall, if they are that."""
    try:
        moment = datetime.strptime(f"{date} {time}", WALL)  # noqa: DTZ007
    except ValueError:
        return None
    return moment if moment.year < TOO_LATE else None


@console.get("/sessions/<slug:slug>/edit")
def edit(slug: str) -> Response:
    facts, found, inside = _all_of(slug)
    return _show(facts, found, EditForm(inside, facts.zone_info))


@console.post("/sessions/<slug:slug>/edit")
def send_edit(slug: str) -> ResponseReturnValue:
    facts, found, inside = _all_of(slug)
    form = EditForm(inside, facts.zone_info)
    if not form.validate():
        return _show(facts, found, form, status=422)
    try:
        with write_tx() as db_session:
            promoted = _save(db_session, found.id, form, writer(facts))
    except RuleBroken as refusal:
        form.refuse(refusal)
        return _show(facts, found, form, status=422)
    for sentence in _consequences(facts, found, form, promoted):
        flash(sentence)
    return redirect(url_for("console.meeting", slug=slug), 303)


def _all_of(slug: str) -> tuple[Facts, Listing, LockedMeeting]:
    facts, found = meeting_or_404(slug)
    with read_tx() as db_session:
        [inside] = meetings.look(db_session, [found.id])
    return facts, found, inside


def _show(facts: Facts, found: Listing, form: EditForm, *, status: int = 200) -> Response:
    return render("console/edit.html", status=status, community=facts, meeting=found, form=form)


def _save(db_session: Session, meeting_id: int, form: EditForm, writer: Writer) -> int:
    """Write what was changed; return how many came off the waiting list."""
    changed, promoted = form.changed, 0
    if changed & TIMES:
        changes.move(
            db_session,
            meeting_id,
            starts_at=form.moment("starts"),
            ends_at=form.moment("ends"),
            reason=form.reason.data or "",
            writer=writer,
        )
    if "capacity" in changed:
        capacity = number(form.capacity.data or "")
        promoted = len(changes.set_capacity(db_session, meeting_id, capacity, writer=writer))
    if "join_url" in changed:
        changes.set_join_url(db_session, meeting_id, form.join_url.data, writer=writer)
    if form.texts:
        changes.describe(db_session, meeting_id, form.texts, writer=writer)
    return promoted


def _consequences(facts: Facts, before: Listing, form: EditForm, promoted: int) -> list[str]:
    """What was done, in sentences."""
    changed = form.changed
    if not changed:
        return [gettext("Nothing was changed.")]
    said = [gettext("Saved.")]
    if changed & {*TIMES, "join_url"} and before.held + before.waiting and not before.is_over:
        said.append(told_soon(facts))
    if promoted:
        said.append(
            ngettext(
                "%(num)s person came off the waiting list and is told so by mail.",
                "%(num)s people came off the waiting list and are told so by mail.",
                promoted,
            )
        )
    capacity = number(form.capacity.data or "")
    if "capacity" in changed and capacity and capacity < before.held:
        said.append(
            gettext(
                "%(held)s people hold a place, more than you offer now. Nobody loses theirs.",
                held=before.held,
            )
        )
    return said


def told_soon(facts: Facts) -> str:
    """When those who are registered get a mail about a change."""
    return ngettext(
        "Those registered are told by mail, %(num)s minute after your last change.",
        "Those registered are told by mail, %(num)s minutes after your last change.",
        facts.notice_minutes,
    )
