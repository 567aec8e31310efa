"""Changing a session: its date, its places, the way in, and what it is about."""

from dataclasses import dataclass, replace
from functools import cached_property

from flask import Response, abort, flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from cop.db import read_tx, write_tx
from cop.domain import changes, effects, meetings, record
from cop.domain.effects import Effects
from cop.domain.meetings import LockedMeeting
from cop.domain.record import Action
from cop.domain.schedule import Listing, Schedule
from cop.errors import EditConflict, Refused
from cop.web.console import consequences, console
from cop.web.console.clocks import TIMES, ClockForm, cautions
from cop.web.console.forms import Https, Whole, area, line, number
from cop.web.console.merging import MergedForm
from cop.web.public import look
from cop.web.rendering import current_community, now, render, writer
from cop.web.saying import gettext
from cop.words import N_

FIELDS = (*TIMES, "capacity", "join_url", *changes.DESCRIBED)


class EditForm(MergedForm, ClockForm):
    """Everything about a session that a coordinator decides."""

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

    def __init__(self, meeting: LockedMeeting) -> None:
        self.zone, self.meeting = current_community().zone_info, meeting
        super().__init__(_said(meeting), version=meeting.edit_version)

    @property
    def texts(self) -> dict[str, str | int | None]:
        """What was changed of what the session is about."""
        names = self.changed & set(changes.DESCRIBED)
        typed: dict[str, str | int | None] = {name: self[name].data for name in names}
        if "reading_minutes" in names:
            typed["reading_minutes"] = number(self["reading_minutes"].data or "")
        return typed

    @property
    def wanted(self) -> LockedMeeting:
        """The session as it would be; only once the form is valid."""
        capacity = number(self.said("capacity"))
        there = replace(self.meeting, capacity=capacity, join_url=self.said("join_url") or None)
        if not self.changed & set(TIMES):
            return there
        return replace(there, starts_at=self.moment("starts"), ends_at=self.moment("ends"))


def _said(meeting: LockedMeeting) -> dict[str, str]:
    """A session as the form shows it."""
    zone = current_community().zone_info
    starts_at, ends_at = meeting.starts_at.astimezone(zone), meeting.ends_at.astimezone(zone)
    others = {name: getattr(meeting, name) for name in FIELDS if name not in TIMES}
    texts = {name: "" if value is None else str(value) for name, value in others.items()}
    return texts | {"date": f"{starts_at:%Y-%m-%d}", "starts": f"{starts_at:%H:%M}",
                    "ends": f"{ends_at:%H:%M}"}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """What the page that edits a session is made of."""

    schedule: Schedule
    meeting: Listing
    inside: LockedMeeting

    @cached_property
    def form(self) -> EditForm:
        return EditForm(self.inside)


def _page_or_404(slug: str) -> Page:
    listed = look()
    found = listed.find(slug) or abort(404)
    with read_tx() as db_session:
        [inside] = meetings.look(db_session, [found.id])
    return Page(listed, found, inside)


@console.get("/sessions/<slug:slug>/edit")
def edit(slug: str) -> Response:
    return _show(_page_or_404(slug))


@console.post("/sessions/<slug:slug>/edit/preview")
def preview_edit(slug: str) -> Response:
    """Say what saving would do, and whom it would mail; nothing is changed."""
    page = _page_or_404(slug)
    _is_sound(page.form)
    return _show(page)


@console.post("/sessions/<slug:slug>/edit")
def send_edit(slug: str) -> ResponseReturnValue:
    page = _page_or_404(slug)
    form = page.form
    if not form.validate() or form.shows_clash(meeting_id=page.inside.id):
        return _show(page)
    try:
        with write_tx() as db_session:
            done = _save(db_session, page)
    except EditConflict:  # between our look and our lock: look again
        return send_edit(slug)
    except Refused as refusal:
        form.refuse(refusal)
        return _show(page)
    for sentence in _saved(page, done):
        flash(sentence)
    return redirect(url_for("console.meeting", slug=slug), 303)


def _is_sound(form: EditForm) -> bool:
    """Whether what was typed could be saved; what could not is refused at its field."""
    if not form.validate():
        return False
    wanted = form.wanted
    try:
        changes.check_capacity(wanted.capacity)
        if form.changed & set(TIMES):
            changes.check_times(wanted.starts_at, wanted.ends_at, now=now())
    except Refused as refusal:
        form.refuse(refusal)
    return not form.errors


def _save(db_session: Session, page: Page) -> Effects:
    """Write what was changed; return whom it mails."""
    form, id_, voice = page.form, page.inside.id, writer()
    changed = form.changed
    if changed:
        changes.expect(db_session, id_, version=form.latest)
    done = effects.of(db_session, form.wanted, now=now())
    if changed & set(TIMES):
        changes.move(db_session, id_, starts_at=form.moment("starts"), ends_at=form.moment("ends"),
                     reason=form.said("reason"), writer=voice)  # fmt: skip
        record.note(db_session, g.coordinator.id, Action.MOVED_MEETING, now=now(), meeting_id=id_)
    if "join_url" in changed:  # before anybody gets a place, and with it the way in
        changes.set_join_url(db_session, id_, form.said("join_url"), writer=voice)
    if "capacity" in changed:
        changes.set_capacity(db_session, id_, form.wanted.capacity, writer=voice)
    if form.texts:
        changes.describe(db_session, id_, form.texts, writer=voice)
    if changed - set(TIMES):
        record.note(db_session, g.coordinator.id, Action.EDITED_MEETING, now=now(), meeting_id=id_)
    return done


def _saved(page: Page, done: Effects) -> list[str]:
    """What was done, in sentences."""
    if not page.form.changed:
        return [gettext("Nothing was changed.")]
    return [gettext("Saved."), *_sentences(page, done)]


def _sentences(page: Page, would: Effects) -> list[str]:
    about = consequences.about(page.form.changed)
    return [
        *consequences.mails(would, about=about),
        *consequences.places(would, page.form.wanted.capacity),
    ]


def _show(page: Page) -> Response:
    would: list[str] = []
    warned: list[str] = []
    if not page.form.errors:
        with read_tx() as db_session:
            found = effects.of(db_session, page.form.wanted, now=now())
        would, warned = _sentences(page, found), _cautions(page)
    return render(
        "changes/edit.html",
        fragment="changes/_preview.html",
        meeting=page.meeting,
        form=page.form,
        would=would,
        cautions=warned,
        summary=page.form.said("summary"),
    )


def _cautions(page: Page) -> list[str]:
    """What to know of the date: of another one, and of this one while it is to come."""
    if page.meeting.is_over and not page.form.changed & set(TIMES):
        return []
    others = (m for m in (*page.schedule.upcoming, *page.schedule.past) if m != page.meeting)
    return cautions(page.form.wanted.starts_at, others)
