"""Console: coordinators, with invitations, rights and removal."""

from flask import Response, abort, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, PasswordField

from cop.accounts import accounts, invitations, login_sessions, views_sign_in
from cop.accounts.access_control import check_may_export, open_to_all, requires_export
from cop.db.engine import erasing_tx, read_tx, write_tx
from cop.errors import NotPermitted, Refused
from cop.i18n import N_
from cop.mail.transport import folder_transport
from cop.models.coordinator import Coordinator
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm, Required, line, parse_integer
from cop.web.i18n import gettext, refusal_text
from cop.web.rendering import now, render, settings, writer

ACCOUNT = "/settings/coordinators/<int(max=2147483647):coordinator_id>"


class InviteForm(ConsoleForm):
    """The address to invite, and whether it may export lists."""

    email = line(254, Required(N_("Enter the email of the person you're inviting.")))
    may_export = BooleanField()


class InvitationForm(ConsoleForm):
    """Name and password of an invited coordinator."""

    name = line(200, Required(N_("Enter your name.")))
    password = PasswordField(validators=[Required(N_("Enter a password."))])


@console.route("/settings/coordinators", methods=["GET", "POST"])
def coordinators() -> ResponseReturnValue:
    form = InviteForm()
    if form.validate_on_submit():
        if form.may_export.data:
            check_may_export()
        try:
            with write_tx() as db_session:
                link = invitations.invite(
                    db_session, **form.data, by=g.coordinator, writer=writer()
                )
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return _redirect_with(_invited(form.data["email"], link))
    return _coordinators_page(form)


def _invited(email: str, link: str) -> str:
    if settings().smtp:
        return gettext("We're emailing the invitation to %(to)s.", to=email)
    return gettext(
        "Email is not set up yet. Send this link to %(to)s yourself: %(link)s", to=email, link=link
    )


def _redirect_with(message: str) -> ResponseReturnValue:
    flash(message)
    return redirect(url_for("console.coordinators"), 303)


def _coordinators_page(form: InviteForm, refusal: Refused | None = None) -> Response:
    """Render the page, with the refusal of an action that has no form."""
    status = 200
    if refusal:
        status = 403 if isinstance(refusal, NotPermitted) else 422
    with read_tx() as db_session:
        listed = accounts.list_accounts(db_session)
        invited = invitations.list_invitations(db_session)
    return render(
        "accounts/coordinators.html",
        status=status,
        form=form,
        accounts=listed,
        invited=invited,
        valid_for=invitations.VALID_FOR,
        now=now(),
        refusal=refusal_text(refusal) if refusal else "",
    )


@console.post("/settings/coordinators/withdraw")
def withdraw_invitation() -> ResponseReturnValue:
    id_ = parse_integer(request.form.get("invitation", "")) or 0
    with erasing_tx() as db_session:
        withdrawn = invitations.withdraw(db_session, id_, by=g.coordinator, now=now())
    email, message_ids = withdrawn or abort(404)
    folder_transport(settings()).delete_copies(message_ids)
    return _redirect_with(
        gettext("Invitation canceled. The link for %(to)s no longer works.", to=email)
    )


@console.post("/settings/coordinators/rights")
@requires_export
def set_coordinator_right() -> ResponseReturnValue:
    id_ = parse_integer(request.form.get("coordinator", "")) or 0
    may_export = request.form.get("right") == "yes"
    try:
        with write_tx() as db_session:
            name = accounts.set_may_export(
                db_session, id_, may_export=may_export, by=g.coordinator, now=now()
            )
    except Refused as refusal:
        return _coordinators_page(InviteForm(), refusal)
    name = name or abort(404)
    if may_export:
        return _redirect_with(gettext("%(name)s can now download lists.", name=name))
    return _redirect_with(gettext("%(name)s can no longer download lists.", name=name))


@console.route(f"{ACCOUNT}/remove", methods=["GET", "POST"])
def remove_coordinator(coordinator_id: int) -> ResponseReturnValue:
    if request.method == "GET":
        with read_tx() as db_session:
            account = db_session.get(Coordinator, coordinator_id) or abort(404)
        return render("accounts/remove.html", account=account)
    try:
        with erasing_tx() as db_session:
            name = accounts.remove(db_session, coordinator_id, by=g.coordinator, writer=writer())
    except Refused as refusal:
        return _coordinators_page(InviteForm(), refusal)
    message = gettext("%(name)s is no longer a coordinator.", name=name or abort(404))
    if coordinator_id == g.coordinator.id:
        session.clear()
        return redirect(url_for("console.sign_in"), 303)
    return _redirect_with(message)


@console.route("/invitation/<token>", methods=["GET", "POST"])
@open_to_all
def invitation(token: str) -> ResponseReturnValue:
    form, secret_key = InvitationForm(), settings().secret_key
    try:
        with read_tx() as db_session:
            found = invitations.check(db_session, token, secret_key=secret_key, now=now())
        if form.validate_on_submit():
            with write_tx() as db_session:
                id_ = invitations.accept(
                    db_session, token, **form.data, secret_key=secret_key, now=now()
                )
                new_token = login_sessions.finish_sign_in(
                    db_session, id_, device=views_sign_in.this_device(), now=now()
                )
            views_sign_in.start_session(new_token, id_)
            return redirect(url_for("console.front"), 303)
    except Refused as refusal:
        form.refuse(refusal)
    return render("accounts/invitation.html", form=form, token=token, email=found.email)
