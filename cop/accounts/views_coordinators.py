"""Who coordinates: inviting, rights, and removing an account."""

from flask import Response, abort, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, PasswordField

from cop.accounts import accounts, invitations, management
from cop.accounts.access_control import check_may_export, open_to_all, requires_export
from cop.accounts.views_sign_in import device, start
from cop.db.engine import erasing_tx, read_tx, write_tx
from cop.errors import NotPermitted, Refused
from cop.i18n import N_
from cop.mail.transport import folder_transport
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm, Required, line, parse_integer
from cop.web.i18n import gettext, refusal_text
from cop.web.rendering import now, render, settings, writer


class InviteForm(ConsoleForm):
    """Who is to coordinate, too."""

    email = line(254, Required(N_("Write their email address.")))
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
        check_may_export()
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
    id_ = parse_integer(request.form.get("invitation", "")) or 0
    with erasing_tx() as db_session:
        ended = invitations.withdraw(db_session, id_, by=g.coordinator, now=now()) or abort(404)
    folder_transport(settings()).delete_copies(ended.deleted_emails)
    return _done(gettext("The link that %(to)s has works no longer.", to=ended.email))


@console.post("/settings/coordinators/rights")
@requires_export
def set_coordinator_right() -> ResponseReturnValue:
    id_ = parse_integer(request.form.get("coordinator", "")) or 0
    may_export = request.form.get("right") == "yes"
    try:
        with write_tx() as db_session:
            name = management.set_may_export(
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


@console.get("/settings/coordinators/<int(max=2147483647):coordinator_id>/remove")
def remove_coordinator(coordinator_id: int) -> Response:
    with read_tx() as db_session:
        listed = management.list_accounts(db_session)
    found = [each for each in listed if each.id == coordinator_id] or abort(404)
    return render("accounts/remove.html", found=found[0])


@console.post("/settings/coordinators/<int(max=2147483647):coordinator_id>/remove")
def send_remove_coordinator(coordinator_id: int) -> ResponseReturnValue:
    try:
        with erasing_tx() as db_session:
            voice = writer()
            name = management.remove(db_session, coordinator_id, by=g.coordinator, writer=voice)
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
        listed, invited = (
            management.list_accounts(db_session),
            invitations.list_invitations(db_session),
        )
    return render(
        "accounts/coordinators.html",
        status=status,
        form=form,
        accounts=listed,
        invited=invited,
        now=now(),
        refusal=refusal_text(refusal) if refusal else "",
    )


class InvitationForm(ConsoleForm):
    """What somebody who was invited chooses."""

    name = line(200, Required(N_("Write your name.")))
    password = PasswordField(validators=[Required(N_("Write a password."))])


@console.get("/invitation/<token>")
@open_to_all
def invitation(token: str) -> Response:
    return _show_invitation(token, InvitationForm())


@console.post("/invitation/<token>")
@open_to_all
def send_invitation(token: str) -> ResponseReturnValue:
    form = InvitationForm()
    if not form.validate():
        return _show_invitation(token, form)
    try:
        start(_accepted(token, form))
    except Refused as refusal:
        if refusal.field not in form:  # it is the link's, and the page says so
            return _show_invitation(token, form, reason=refusal_text(refusal))
        form.refuse(refusal)
        return _show_invitation(token, form)
    return redirect(url_for("console.front"), 303)


def _accepted(token: str, form: InvitationForm) -> str:
    with write_tx() as db_session:
        added = invitations.accept(
            db_session,
            token,
            name=form.name.data or "",
            password=form.password.data or "",
            secret_key=settings().secret_key,
            now=now(),
        )
        return accounts.finish_sign_in(db_session, added, device=device(), now=now())


def _show_invitation(token: str, form: InvitationForm, *, reason: str = "") -> Response:
    with read_tx() as db_session:
        found = None
        try:
            found = invitations.check(
                db_session, token, secret_key=settings().secret_key, now=now()
            )
        except Refused as refusal:
            reason = refusal_text(refusal)
    if found is None or reason:
        return render("accounts/set_up_over.html", status=404, reason=reason)
    return render(
        "accounts/invitation.html",
        form=form,
        token=token,
        invited=found,
    )
