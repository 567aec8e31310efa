"""The rhythm in plain words: when the community meets, and how far ahead that is planned."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from flask import Response, flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField
from wtforms.validators import ValidationError

from cop.db import read_tx, write_tx
from cop.domain import holidays, planning, record, rules
from cop.domain.community import CommunityFacts, load_community
from cop.domain.record import Action
from cop.errors import EditConflict, Refused
from cop.web.console import console
from cop.web.console.clocks import read_date, read_time
from cop.web.console.forms import area, line, number
from cop.web.console.merging import MergedForm
from cop.web.filters import ORDINALS, month, weekday
from cop.web.forms import one_line
from cop.web.rendering import now, render
from cop.web.saying import gettext, ngettext

MONTH, WEEK, KEPT = "month", "week", "kept"


class Among:
    """Refuses what is not offered; of ticks, each is looked at."""

    def __init__(self, offered: Collection[str]) -> None:
        self.offered = frozenset(offered)

    def __call__(self, _form: MergedForm, field: StringField) -> None:
        said = field.data or ""
        if not self.offered.issuperset(said.split(",") if isinstance(field, Ticks) else [said]):
            raise ValidationError(gettext("Choose among the answers listed here."))


class Ticks(StringField):
    """What was ticked, as one text: `7,8`."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = ",".join(valuelist)


class RhythmForm(MergedForm):
    """The rhythm, in words to choose from."""

    every = StringField(validators=[Among({MONTH, WEEK, KEPT})])
    of_month = StringField(validators=[Among(rules.OF_MONTH)])
    weekday = StringField(validators=[Among(rules.WEEKDAYS)])
    weeks = StringField(validators=[Among([str(weeks) for weeks in rules.WEEKS])])
    recurrence_from = StringField(filters=[one_line])
    months_off = Ticks(validators=[Among({"", *map(str, rules.MONTHS)})])
    starts = StringField(filters=[one_line])
    ends = StringField(filters=[one_line])
    zone = line(60)
    planned_ahead = line(20)
    observances = area(60_000)

    def __init__(self, community: CommunityFacts) -> None:
        self.community = community
        super().__init__(_said(community), version=community.revision)

    def in_words(self, name: str) -> str:
        """What stands there, as people read it."""
        words, there = dict(_options().get(name, [])), self.there[name]
        return ", ".join(words.get(value, value) for value in there.split(",")) if words else there

    def validate_recurrence_from(self, field: StringField) -> None:
        if field.data and read_date(field.data) is None:
            raise ValidationError(gettext("Write the date like 2026-12-15."))

    def validate_starts(self, field: StringField) -> None:
        if read_time(field.data) is None:
            raise ValidationError(gettext("Write the time like 11:30 or 14:00."))

    validate_ends = validate_starts

    @property
    def wanted(self) -> CommunityFacts:
        """The community as it is to be; only once the form is valid.

        Raises:
            ObservanceRefused: a line of the list is no date with a name after it.
            ObservancesTooMany: the list is too long.
        """
        starts, ends = read_time(self.said("starts")), read_time(self.said("ends"))
        if starts is None or ends is None:
            raise ValueError("A form that is not valid")
        rule, choice = self._rule()
        counts = choice is None or choice.counts_weeks
        return replace(
            self.community,
            recurrence_rule=rule,
            recurrence_from=read_date(self.said("recurrence_from")) if counts else None,
            start_time=starts,
            duration_minutes=(ends.hour - starts.hour) * 60 + ends.minute - starts.minute,
            time_zone=self.said("zone"),
            planned_ahead=number(self.said("planned_ahead")) or 0,
            observances=holidays.read(self.said("observances")),
        )

    def _rule(self) -> tuple[str, rules.Choice | None]:
        every = self.said("every")
        if every == KEPT:
            return self.community.recurrence_rule, rules.read(self.community.recurrence_rule)
        off = tuple(int(month) for month in self.said("months_off").split(",") if month)
        choice = rules.Choice(
            self.said("weekday"),
            of_month=self.said("of_month") if every == MONTH else None,
            weeks=int(self.said("weeks")) if every == WEEK else 1,
            months_off=tuple(sorted(set(off))),
        )
        return choice.rule, choice


def _said(community: CommunityFacts) -> dict[str, str]:
    """The rhythm as the form shows it."""
    choice = rules.read(community.recurrence_rule)
    known = choice or rules.Choice("MO")
    every = KEPT if choice is None else MONTH if known.of_month else WEEK
    ends = datetime.combine(now(), community.start_time) + timedelta(
        minutes=community.duration_minutes
    )
    return {
        "every": every,
        "of_month": known.of_month or "1",
        "weekday": known.weekday,
        "weeks": str(known.weeks),
        "recurrence_from": f"{community.recurrence_from or ''}",
        "months_off": ",".join(map(str, known.months_off)),
        "starts": f"{community.start_time:%H:%M}",
        "ends": f"{ends:%H:%M}",
        "zone": community.time_zone,
        "planned_ahead": str(community.planned_ahead),
        "observances": "\n".join(community.observances),
    }


@console.get("/rhythm")
def rhythm() -> Response:
    form = _form()
    return _show(form, as_if=form.community)


@console.post("/rhythm/preview")
def preview_rhythm() -> Response:
    """Show the dates that a rhythm gives; nothing is changed."""
    form = _form()
    if not form.validate():
        return _show(form)
    try:
        as_if = form.wanted
        planning.check(as_if, now=now())
    except Refused as refusal:
        form.refuse(refusal)
        return _show(form)
    return _show(form, as_if=as_if)


@console.post("/rhythm")
def send_rhythm() -> ResponseReturnValue:
    form = _form()
    if not form.validate() or form.shows_clash(meeting_id=None):
        return _show(form)
    try:
        added = _save(form)
    except EditConflict:  # between our look and our lock: look again
        return send_rhythm()
    except Refused as refusal:
        form.refuse(refusal)
        return _show(form)
    flash(_saved(added))
    return redirect(url_for("console.rhythm"), 303)


def _form() -> RhythmForm:
    with read_tx() as db_session:
        return RhythmForm(load_community(db_session))


def _save(form: RhythmForm) -> int:
    """Meet in this rhythm from now on; return how many dates were added."""
    with write_tx() as db_session:
        added = len(planning.change(db_session, form.wanted, now=now()))
        action = Action.CHANGED_SETTINGS
        record.note(db_session, g.coordinator.id, action, now=now(), item_count=added)
        return added


def _saved(added: int) -> str:
    if not added:
        return gettext("Saved. No date was added; what was planned already stays as it is.")
    return ngettext(
        "Saved. %(num)s date was added; what was planned already stays as it is.",
        "Saved. %(num)s dates were added; what was planned already stays as it is.",
        added,
    )


def _show(form: RhythmForm, *, as_if: CommunityFacts | None = None) -> Response:
    """Show the form, and where nothing is wrong with it, the dates as if it were saved."""
    plan = None
    if as_if:
        with read_tx() as db_session:
            plan = planning.plan(db_session, as_if, now=now())
    return render(
        "meetings/rhythm.html",
        fragment="meetings/_dates.html",
        as_if=as_if,
        form=form,
        plan=plan,
        kept=None if rules.read(form.community.recurrence_rule) else form.community.recurrence_rule,
        options=_options(),
        zones=planning.zones(),
    )


def _options() -> dict[str, list[tuple[str, str]]]:
    """What there is to choose from: values and words."""
    weeks = {str(n): ngettext("%(num)s week", "%(num)s weeks", n) for n in rules.WEEKS}
    return {
        "every": [
            (MONTH, gettext("Once a month")),
            (WEEK, gettext("Every week, or every few weeks")),
        ],
        "months_off": [(str(number), month(number)) for number in rules.MONTHS],
        "of_month": [(value, gettext(words)) for value, words in ORDINALS.items()],
        "weekday": [(code, weekday(code)) for code in rules.WEEKDAYS],
        "weeks": [*weeks.items()],
    }
