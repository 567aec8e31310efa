"""Who coordinates: inviting, rights, and removing an account."""

from flask import Response, abort, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField

from cop.db import erasing_tx, read_tx, write_tx
from cop.domain import accounts, invitations
from cop.domain import settings as settings_of
from cop.errors import NotPermitted, Refused
from cop.mail.transport import files
from cop.web.console import console, exporting_or_403
from cop.web.console.forms import ConsoleForm, line, number
from cop.web.forms import Needed
from cop.web.rendering import now, render, settings, writer
from cop.web.saying import gettext
from cop.words import N_


class InviteForm(ConsoleForm):
    """Who is to coordinate, too."""

    email = line(254, Needed(N_("Write their email address.")))
    may_export = BooleanField()


@console.get("/settings/coordinators")
def coordinators() -> Response:
    return _show(InviteForm())


@console.post("/settings/coordinators")
def invite_coordinator() -> ResponseReturnValue:
    form = InviteForm()
    if not form.validate():
        return _show(form)
    if form.may_export.data:
        exporting_or_403()
    try:
        address = _invited(form)
    except Refused as refusal:
        form.refuse(refusal, at="email")
        return _show(form)
    if settings().smtp:
        return _done(gettext("A mail with the link is on its way to %(to)s.", to=form.email.data))
    said = gettext("No mail server is set, so pass this link on to %(to)s:", to=form.email.data)
    return _done(f"{said} {address}")


def _invited(form: InviteForm) -> str:
    with write_tx() as db_session:
        return invitations.invite(
            db_session,
            form.email.data or "",
            may_export=bool(form.may_export.data),
            by=g.coordinator,
            writer=writer(),
        )


@console.post("/settings/coordinators/withdraw")
def withdraw_invitation() -> ResponseReturnValue:
    id_ = number(request.form.get("invitation", "")) or 0
    with erasing_tx() as db_session:
        ended = invitations.withdraw(db_session, id_, by=g.coordinator, now=now()) or abort(404)
    files(settings()).forget(ended.deleted_emails)
    return _done(gettext("The link that %(to)s has works no longer.", to=ended.email))


@console.post("/settings/coordinators/rights")
def set_coordinator_right() -> ResponseReturnValue:
    exporting_or_403()
    id_ = number(request.form.get("coordinator", "")) or 0
    may_export = request.form.get("right") == "yes"
    try:
        with write_tx() as db_session:
            name = accounts.set_right(
                db_session, id_, may_export=may_export, by=g.coordinator, now=now()
            )
    except Refused as refusal:
        return _show(InviteForm(), status=_status(refusal), refusal=refusal)
    said = (
        gettext("%(name)s may take lists away.")
        if may_export
        else gettext("%(name)s may take lists away no longer.")
    )
    return _done(said % {"name": name or abort(404)})


@console.post("/settings/coordinators/two-factor")
def require_two_factor() -> ResponseReturnValue:
    needed = request.form.get("needed") == "yes"
    with write_tx() as db_session:
        if settings_of.held(db_session).two_factor_required != needed:
            values = {"two_factor_required": needed}
            settings_of.change(db_session, values, by=g.coordinator, now=now())
    if needed:
        return _done(gettext("Who has no second factor sets one up before anything else."))
    return _done(gettext("Each coordinator decides for themselves now."))


@console.get("/settings/coordinators/<int(max=2147483647):coordinator_id>/remove")
def remove_coordinator(coordinator_id: int) -> Response:
    with read_tx() as db_session:
        listed = accounts.listed(db_session)
    found = [each for each in listed if each.id == coordinator_id] or abort(404)
    return render("accounts/remove.html", found=found[0])


@console.post("/settings/coordinators/<int(max=2147483647):coordinator_id>/remove")
def send_remove_coordinator(coordinator_id: int) -> ResponseReturnValue:
    try:
        with erasing_tx() as db_session:
            voice = writer()
            name = accounts.remove(db_session, coordinator_id, by=g.coordinator, writer=voice)
    except Refused as refusal:
        return _show(InviteForm(), status=_status(refusal), refusal=refusal)
    said = gettext("%(name)s is no coordinator any more.", name=name or abort(404))
    if coordinator_id == g.coordinator.id:
        session.clear()
        return redirect(url_for("console.sign_in"), 303)
    return _done(said)


def _status(refusal: Refused) -> int:
    return 403 if isinstance(refusal, NotPermitted) else 422


def _done(sentence: str) -> ResponseReturnValue:
    flash(sentence)
    return redirect(url_for("console.coordinators"), 303)


def _show(form: InviteForm, *, status: int = 200, refusal: Refused | None = None) -> Response:
    with read_tx() as db_session:
        listed, invited = accounts.listed(db_session), invitations.listed(db_session)
    return render(
        "accounts/coordinators.html",
        status=status,
        form=form,
        accounts=listed,
        invited=invited,
        now=now(),
        refusal=gettext(refusal.sentence) if refusal else "",
    )
