"""Which email a member wants, and which of their links still work."""

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.links import Owner, Purpose
from cop.members import members, preferences
from cop.members.views import member_tx, open_page, read_token, redirect_to_page, render_page
from cop.registration.forms import EmailForm
from cop.web.blueprints import member, public
from cop.web.i18n import refusal_text
from cop.web.rendering import render, writer
from cop.web.security import limited


@public.route("/my-link", methods=["GET", "POST"])
@limited
def my_link() -> Response:
    form = EmailForm()
    if form.validate_on_submit():
        with write_tx() as db_session:
            preferences.send_link(db_session, form.email.data, writer=writer())
        return render("members/link_sent.html")
    return render("members/lost_link.html", form=form, is_renewed="renewed" in request.args)


@member.post("/r/<token>/mail")
def set_preferences(token: str) -> ResponseReturnValue:
    with member_tx(token) as (db_session, to):
        wanted = request.form.getlist("mail")
        preferences.set_preferences(db_session, to, wanted=wanted, writer=writer())
    return redirect_to_page(token, "mail")


@member.post("/r/<token>/address")
def opt_in_to_all(token: str) -> ResponseReturnValue:
    with member_tx(token) as (db_session, to):
        preferences.opt_in_to_all(db_session, to.member_id, writer=writer())
    return redirect_to_page(token, "again")


@member.route("/r/<token>/calendar", methods=["GET", "POST"])
def renew_calendar(token: str) -> ResponseReturnValue:
    if request.method != "POST":
        return render("members/renew_calendar.html", page=open_page(token))
    with member_tx(token) as (db_session, to):
        preferences.renew_calendar(db_session, to.member_id, writer=writer())
    return redirect_to_page(token, "calendar")


@member.route("/r/<token>/links", methods=["GET", "POST"])
def renew_links(token: str) -> ResponseReturnValue:
    if request.method != "POST":
        return render("members/renew_links.html", page=open_page(token))
    try:
        with member_tx(token) as (db_session, to):
            preferences.renew_links(db_session, to, writer=writer())
    except Refused as refusal:
        return render_page(open_page(token), refusal=refusal_text(refusal))
    # Not to the new page: somebody else who has the old link may have pressed the button.
    return redirect(url_for("public.my_link", renewed="yes"), 303)


@member.route("/unsubscribe/<token>", methods=["GET", "POST"])
def unsubscribe(token: str) -> Response:
    member_id, kind = read_token(Purpose.UNSUBSCRIBE, token, int, str)
    if request.method == "POST":
        with write_tx() as db_session:
            preferences.opt_out(db_session, member_id, kind, writer=writer())
        return render("members/unsubscribed.html", kind=kind)
    with read_tx() as db_session:
        preferences.check_kind(db_session, member_id, kind)
    return render("members/unsubscribe.html", kind=kind, token=token)


@member.route("/list/<token>", methods=["GET", "POST"])
def confirm_list(token: str) -> ResponseReturnValue:
    owner = Owner(*read_token(Purpose.LIST, token, int, int))
    if request.method == "POST":
        with write_tx() as db_session:
            preferences.confirm_subscription(db_session, owner, writer=writer())
        return redirect(url_for("member.confirm_list", token=token), 303)
    with read_tx() as db_session:
        found = members.find(db_session, owner)
    return render("members/confirm_list.html", member=found, token=token)
