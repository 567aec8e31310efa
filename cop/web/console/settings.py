"""The settings: what there is to decide, and a small page for each part of it."""

from flask import Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.db import read_tx, rehearsal_tx, write_tx
from cop.domain import accounts, embedding
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


@console.get(PART)
def setting(part: str) -> Response:
    return _show(part, FORMS[part](current_community()))


@console.post(PART)
def send_setting(part: str) -> ResponseReturnValue:
    form = FORMS[part](current_community())
    if isinstance(form, AboutForm) and "shipped" in request.form:
        form.put_back()
        return _show(part, form)
    if not form.validate():
        return _show(part, form)
    if isinstance(form, AboutForm) and "preview" in request.form:
        return _show(part, form, preview=form.about.data)
    if "sure" not in request.form and (sentences := _rehearsed(form)):
        return _show(part, form, page="confirm", sentences=sentences)
    if not _save(form):
        return _show(part, form)
    flash(gettext("Saved.") if form.changed else gettext("Nothing was changed."))
    return redirect(url_for("console.settings"), 303)


def _rehearsed(form: SettingsForm) -> list[str]:
    """What saving would lead to at once."""
    if not form.changed:
        return []
    with rehearsal_tx() as db_session:
        settings_of.change(db_session, form.values, by=g.coordinator, now=now())
        return form.consequences(db_session, current_community())


def _save(form: SettingsForm) -> bool:
    """Write what was changed, unless somebody else has changed the same meanwhile."""
    with write_tx() as db_session:
        if form.is_overtaken(settings_of.held(db_session)):
            return False
        if form.changed:
            settings_of.change(db_session, form.values, by=g.coordinator, now=now())
        return True


def _show(
    part: str, form: SettingsForm, *, page: str = "",
    preview: str | None = None, sentences: list[str] | None = None,
) -> Response:  # fmt: skip
    return render(
        f"settings/{page or part}.html",
        part=part,
        form=form,
        questions=OPTIONAL,
        preview=preview,
        sentences=sentences,
    )
