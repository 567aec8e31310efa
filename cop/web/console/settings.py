"""Console: settings, an overview and a page for each part."""

from flask import Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.db import read_tx, rehearsal_tx, write_tx
from cop.domain import accounts, embedding, record
from cop.domain import settings as settings_of
from cop.web.console import console
from cop.web.console.setting_forms import (
    OPTIONAL,
    AboutForm,
    CommunityForm,
    QuestionsForm,
    RemindersForm,
    RetentionForm,
    SettingsForm,
)
from cop.web.rendering import current_community, now, render
from cop.web.saying import gettext

FORMS: dict[str, type[SettingsForm]] = {
    "community": CommunityForm,
    "about": AboutForm,
    "questions": QuestionsForm,
    "reminders": RemindersForm,
    "retention": RetentionForm,
}
PART = f"/settings/<any({', '.join(FORMS)}):part>"


@console.get("/settings", endpoint="settings")
def overview() -> Response:
    with read_tx() as db_session:
        hosts = embedding.hosts(db_session)
        found = accounts.listed(db_session)
    return render("settings/overview.html", hosts=hosts, accounts=found)


@console.route(PART, methods=["GET", "POST"])
def setting(part: str) -> ResponseReturnValue:
    form = FORMS[part](current_community())
    preview: str | None = None
    sentences: list[str] = []
    if isinstance(form, AboutForm) and "shipped" in request.form:
        form.put_back()
    elif form.validate_on_submit():
        if isinstance(form, AboutForm) and "preview" in request.form:
            preview = form.about.data
        else:
            sentences = [] if "sure" in request.form else _rehearse(form)
            if not sentences and _save(form):
                flash(gettext("Saved.") if form.changed else gettext("Nothing was changed."))
                return redirect(url_for("console.settings"), 303)
    page = "confirm" if sentences else part
    return render(
        f"settings/{page}.html",
        part=part,
        form=form,
        questions=OPTIONAL,
        preview=preview,
        sentences=sentences,
    )


def _rehearse(form: SettingsForm) -> list[str]:
    """Return what saving would lead to at once, in sentences."""
    if not form.changed:
        return []
    with rehearsal_tx() as db_session:
        settings_of.change(db_session, form.values, by=g.coordinator, now=now())
        return form.consequences(db_session, current_community())


def _save(form: SettingsForm) -> bool:
    """Write what was changed; return False for a conflict, which the form then shows."""
    with write_tx() as db_session:
        stored = form.shown(settings_of.held(db_session))
        if form.has_conflict(stored, editor=record.last_by(db_session, meeting_id=None)):
            return False
        if form.changed:
            settings_of.change(db_session, form.values, by=g.coordinator, now=now())
        return True
