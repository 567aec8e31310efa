"""Console: edit the recurrence rule, and how far ahead sessions are planned."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import cast

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectMultipleField, StringField

from cop.audit import audit_log
from cop.audit.views import note_action
from cop.community import community as community_settings
from cop.community import holidays
from cop.community import rhythm as rules
from cop.community.community import CommunityFacts
from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.meetings import planning
from cop.meetings.filters import ORDINALS, month, weekday
from cop.meetings.forms import iso_date, iso_time, read_date, read_time
from cop.web.blueprints import console
from cop.web.edit_conflicts import EditConflictForm
from cop.web.forms import Among, area, line, parse_integer, strip_to_one_line
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, now, render

# Values of the field `every`. CUSTOM keeps a stored rule that the choices cannot express.
MONTH, WEEK, CUSTOM = "month", "week", "custom"


class RhythmForm(EditConflictForm):
    """The recurrence rule as choices, and the other settings of planning ahead."""

    every = StringField(validators=[Among({MONTH, WEEK, CUSTOM})])
    of_month = StringField(validators=[Among(rules.OF_MONTH)])
    weekday = StringField(validators=[Among(rules.WEEKDAYS)])
    weeks = StringField(validators=[Among(map(str, rules.WEEKS))])
    recurrence_from = StringField(filters=[strip_to_one_line])
    months_off = SelectMultipleField(
        validators=[Among(map(str, rules.MONTHS))], validate_choice=False
    )
    starts = StringField(filters=[strip_to_one_line], validators=[iso_time])
    ends = StringField(filters=[strip_to_one_line], validators=[iso_time])
    zone = line(60)
    planned_ahead = line(20)
    observances = area(60_000)

    def form_values(self, row: CommunityFacts) -> dict[str, object]:
        choice = rules.parse(row.recurrence_rule)
        every = CUSTOM if choice is None else MONTH if choice.of_month else WEEK
        choice = choice or rules.RecurrenceChoice("MO")  # the fields need some choice to show
        # Only the time is used, so any date will do.
        ends = datetime.combine(now(), row.start_time) + timedelta(minutes=row.duration_minutes)
        return {
            "every": every,
            "of_month": choice.of_month or "1",
            "weekday": choice.weekday,
            "weeks": str(choice.weeks),
            "recurrence_from": str(row.recurrence_from or ""),
            "months_off": [str(month) for month in choice.months_off],
            "starts": f"{row.start_time:%H:%M}",
            "ends": f"{ends:%H:%M}",
            "zone": row.time_zone,
            "planned_ahead": str(row.planned_ahead),
            "observances": "\n".join(row.observances),
        }

    def stored_text(self, name: str) -> str:
        """Return the labels of stored choices, or a stored value itself."""
        labels, stored = dict(_options().get(name, [])), self.stored[name]
        values: list[str] = stored if isinstance(stored, list) else [stored]
        return ", ".join(labels.get(value, value) for value in values)

    def validate_recurrence_from(self, field: StringField) -> None:
        if field.data:
            iso_date(self, field)

    def apply_to(self, community: CommunityFacts) -> CommunityFacts:
        """Return the community with the values of a valid form."""
        starts, ends = (cast("time", read_time(self.value(name))) for name in ("starts", "ends"))
        choice = self._choice(community)
        needs_start = choice is None or choice.counts_weeks
        return replace(
            community,
            recurrence_rule=choice.rule if choice else community.recurrence_rule,
            recurrence_from=read_date(self.value("recurrence_from")) if needs_start else None,
            start_time=starts,
            duration_minutes=(ends.hour - starts.hour) * 60 + ends.minute - starts.minute,
            time_zone=self.value("zone"),
            planned_ahead=parse_integer(self.value("planned_ahead")) or 0,
            observances=holidays.parse_observances(self.value("observances")),
        )

    def _choice(self, community: CommunityFacts) -> rules.RecurrenceChoice | None:
        every = self.value("every")
        if every == CUSTOM:
            return rules.parse(community.recurrence_rule)
        # Like `value()`, for a list: only what was changed on this page is written.
        is_changed = "months_off" in self.changed
        months_off = (self.months_off.data or []) if is_changed else self.stored["months_off"]
        return rules.RecurrenceChoice(
            self.value("weekday"),
            of_month=self.value("of_month") if every == MONTH else None,
            weeks=int(self.value("weeks")) if every == WEEK else 1,
            months_off=tuple(sorted({int(month) for month in months_off})),
        )


@console.route("/rhythm", methods=["GET", "POST"])
@console.post("/rhythm/preview", endpoint="preview_rhythm")
def rhythm() -> ResponseReturnValue:
    preview = stored = current_community()
    form = RhythmForm(stored)
    is_preview = request.endpoint == "console.preview_rhythm"
    if form.validate_on_submit():
        try:
            if is_preview:
                preview = form.apply_to(stored)
                planning.check(preview, now=now())
            else:
                added = _save(form)
        except Refused as refusal:
            form.refuse(refusal)
        if not (is_preview or form.errors):
            flash(_success_message(added))
            return redirect(url_for("console.rhythm"), 303)
    plan = None
    if not form.errors:
        with read_tx() as db_session:
            plan = planning.plan(db_session, preview, now=now())
    return render(
        "settings/rhythm.html",
        fragment="settings/_dates.html",
        preview=preview,
        form=form,
        plan=plan,
        custom_rule="" if rules.parse(stored.recurrence_rule) else stored.recurrence_rule,
        options=_options(),
        zones=planning.time_zones(),
    )


def _save(form: RhythmForm) -> int:
    """Write the rule; return how many dates were added. The form shows a conflict."""
    with write_tx() as db_session:
        stored = community_settings.lock_community(db_session)
        editor = audit_log.last_editor(db_session, meeting_id=None)
        if form.has_conflict(stored, editor=editor):
            return 0
        added = len(planning.change_recurrence(db_session, form.apply_to(stored), now=now()))
        note_action(db_session, audit_log.Action.CHANGED_SETTINGS, item_count=added)
        return added


def _success_message(added: int) -> str:
    if not added:
        return gettext("Saved. No sessions were added, and planned sessions stay as they are.")
    return ngettext(
        "Saved. %(num)s session was added, and planned sessions stay as they are.",
        "Saved. %(num)s sessions were added, and planned sessions stay as they are.",
        added,
    )


def _options() -> dict[str, list[tuple[str, str]]]:
    """Return the values and labels of the choices, by field."""
    weeks = {str(n): ngettext("%(num)s week", "%(num)s weeks", n) for n in rules.WEEKS}
    return {
        "every": [
            (MONTH, gettext("Once a month")),
            (WEEK, gettext("Every week or every few weeks")),
        ],
        "months_off": [(str(number), month(number)) for number in rules.MONTHS],
        "of_month": [(value, gettext(label)) for value, label in ORDINALS.items()],
        "weekday": [(code, weekday(code)) for code in rules.WEEKDAYS],
        "weeks": [*weeks.items()],
    }
