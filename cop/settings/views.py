"""Console: settings, with an overview and a page for each part."""

from babel.lists import format_list
from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from cop.audit import audit_log
from cop.audit.views import note_action
from cop.community import community
from cop.db.engine import read_tx, write_tx
from cop.embedding import hosts as embedding_hosts
from cop.settings import forms
from cop.web.blueprints import console
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, language, render


@console.post("/settings/coordinators/two-factor")
def require_two_factor() -> ResponseReturnValue:
    is_required = request.form.get("needed") == "yes"
    with write_tx() as db_session:
        if community.lock_community(db_session).two_factor_required != is_required:
            _write(db_session, {"two_factor_required": is_required})
    flash(
        gettext("Two-factor sign-in is now required for everyone.")
        if is_required
        else gettext("Two-factor sign-in is now optional.")
    )
    return redirect(url_for("console.coordinators"), 303)


FORMS: dict[str, type[forms.SettingsForm]] = {
    "community": forms.CommunityForm,
    "about": forms.AboutForm,
    "questions": forms.QuestionsForm,
    "reminders": forms.RemindersForm,
    "retention": forms.RetentionForm,
}


@console.get("/settings", endpoint="settings")
def overview() -> Response:
    with read_tx() as db_session:
        hosts = embedding_hosts.hosts(db_session)
        names = list(audit_log.coordinator_names(db_session).values())
    days = [ngettext("%(num)s day", "%(num)s days", n) for n in current_community().reminder_days]
    days_before = format_list(days, locale=language())
    return render("settings/overview.html", hosts=hosts, coordinators=names, days=days_before)


@console.route(f"/settings/<any({', '.join(FORMS)}):part>", methods=["GET", "POST"])
def setting(part: str) -> ResponseReturnValue:
    form = FORMS[part](current_community())
    preview: str | None = None
    sentences: list[str] = []  # consequences to be confirmed before saving
    if isinstance(form, forms.AboutForm) and "shipped" in request.form:
        form.reset_to_default()
    elif form.validate_on_submit():
        if isinstance(form, forms.AboutForm) and "preview" in request.form:
            preview = form.about.data
        else:
            sentences = [] if "sure" in request.form else _rehearse(form)
            if not sentences and _save(form):
                flash(gettext("Saved.") if form.changed else gettext("Nothing changed."))
                return redirect(url_for("console.settings"), 303)
    page = "confirm" if sentences else part
    return render(
        f"settings/{page}.html",
        part=part,
        form=form,
        questions=forms.OPTIONAL_QUESTIONS,
        preview=preview,
        sentences=sentences,
    )


def _rehearse(form: forms.SettingsForm) -> list[str]:
    """Save, return the consequences in sentences, and roll back."""
    if not form.changed:
        return []
    with write_tx(rehearse=True) as db_session:
        _write(db_session, form.values)
        return list(form.consequences(db_session, current_community()))


def _save(form: forms.SettingsForm) -> bool:
    """Write what was changed; return False for a conflict, which the form then shows."""
    with write_tx() as db_session:
        stored = community.lock_community(db_session)
        if form.has_conflict(stored, editor=audit_log.last_editor(db_session, meeting_id=None)):
            return False
        if form.changed:
            _write(db_session, form.values)
        return True


def _write(db_session: Session, values: dict[str, object]) -> None:
    """Write only changed values: another coordinator may have changed the others."""
    community.change_community(db_session, **values)
    note_action(db_session, audit_log.Action.CHANGED_SETTINGS, item_count=len(values))
