"""Which mail a member wants, and which of their links still work."""

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.links import Owner, Purpose
from cop.members import members, preferences
from cop.members.views import done, open_page, parts_of, show
from cop.registration.forms import LinkForm
from cop.web.blueprints import member, public
from cop.web.i18n import refusal_text
from cop.web.rendering import now, render, writer
from cop.web.security import limited


@public.get("/my-link")
def my_link() -> Response:
    return _show(LinkForm(), is_renewed="renewed" in request.args)


@public.post("/my-link")
@limited
def send_link() -> Response:
    form = LinkForm()
    if not form.validate():
        return _show(form)
    with write_tx() as db_session:
        preferences.send_link(db_session, form["email"].data, writer=writer())
    return render("members/link_sent.html")


def _show(form: LinkForm, *, is_renewed: bool = False) -> Response:
    return render("members/lost_link.html", form=form, is_renewed=is_renewed)


@member.post("/r/<token>/mail")
def choose_mail(token: str) -> ResponseReturnValue:
    own = open_page(token)
    wanted = request.form.getlist("mail")
    with write_tx() as db_session:
        to = members.verify_and_lock(db_session, own.owner, now=now())
        preferences.set_preferences(db_session, to, wanted=wanted, writer=writer())
    return done(token, "mail")


@member.post("/r/<token>/address")
def write_again(token: str) -> ResponseReturnValue:
    own = open_page(token)
    with write_tx() as db_session:
        to = members.verify_and_lock(db_session, own.owner, now=now())
        preferences.opt_in_to_all(db_session, to.member_id, writer=writer())
    return done(token, "again")


@member.post("/r/<token>/calendar")
def renew_calendar(token: str) -> ResponseReturnValue:
    own = open_page(token)
    with write_tx() as db_session:
        to = members.verify_and_lock(db_session, own.owner, now=now())
        preferences.renew_calendar(db_session, to.member_id, writer=writer())
    return done(token, "calendar")


@member.post("/r/<token>/links")
def renew_links(token: str) -> ResponseReturnValue:
    own = open_page(token)
    chosen = [place.meeting for place in own.known.upcoming if place.is_live]
    try:
        with write_tx() as db_session:
            to = members.verify_and_lock(db_session, own.owner, now=now())
            preferences.renew_links(db_session, to, chosen, writer=writer())
    except Refused as refusal:
        return show(own, status=422, refusal=refusal_text(refusal))
    # Not to the new page: whoever else has the old link may be the one who pressed the button.
    return redirect(url_for("public.my_link", renewed="yes"), 303)


@member.get("/unsubscribe/<token>")
def ask_to_unsubscribe(token: str) -> Response:
    member_id, kind = _mail_of(token)
    return _show_unsubscribe("members/unsubscribe.html", member_id, kind, token)


@member.post("/unsubscribe/<token>")
def unsubscribe(token: str) -> Response:
    member_id, kind = _mail_of(token)
    with write_tx() as db_session:
        voice = writer()
        preferences.opt_out(db_session, member_id, kind, writer=voice)
    return _show_unsubscribe("members/unsubscribed.html", member_id, kind, token)


def _mail_of(token: str) -> tuple[int, str]:
    member_id, kind = parts_of(Purpose.UNSUBSCRIBE, token, int, str)
    return int(member_id), str(kind)


def _show_unsubscribe(template: str, member_id: int, kind: str, token: str) -> Response:
    with read_tx() as db_session:
        preferences.check_kind(db_session, member_id, kind)
    return render(template, kind=kind, token=token)


@member.get("/list/<token>")
def ask_to_confirm(token: str) -> Response:
    owner = _owner_on_list(token)
    with read_tx() as db_session:
        to = members.recipient_of_link(db_session, owner)
    return render("members/confirm_list.html", to=to, token=token)


@member.post("/list/<token>")
def confirm_list(token: str) -> ResponseReturnValue:
    with write_tx() as db_session:
        voice = writer()
        preferences.confirm_subscription(db_session, _owner_on_list(token), writer=voice)
    return redirect(url_for("member.ask_to_confirm", token=token), 303)


def _owner_on_list(token: str) -> Owner:
    member_id, token_version = map(int, parts_of(Purpose.LIST, token, int, int))
    return Owner(member_id, token_version)
