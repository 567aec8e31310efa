"""The join link in emails and calendars; it opens a meeting and nothing else."""

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.urls import iri_to_uri

from cop.db.engine import read_tx, write_tx
from cop.links import Owner, Purpose
from cop.members import join_link, members
from cop.members.views import read_token
from cop.registration import cancellation
from cop.web.blueprints import member
from cop.web.rendering import now, render, writer


@member.route("/join/<token>", methods=["GET", "POST"])
def join(token: str) -> ResponseReturnValue:
    member_id, token_version, registration_id = read_token(Purpose.JOIN, token, int, int, int)
    owner = Owner(member_id, token_version)
    if "cancel" in request.form:
        return _cancel(owner, registration_id, token)
    if request.method == "POST":
        return _enter(owner, registration_id, token)
    with read_tx() as db_session:
        link = join_link.read_join_link(db_session, owner, registration_id, now=now())
    return render("members/join.html", link=link, token=token)


def _enter(owner: Owner, registration_id: int, token: str) -> Response:
    with write_tx() as db_session:
        link = join_link.record_join(db_session, owner, registration_id, now=now())
    if not link.url:
        return render("members/join.html", status=422, link=link, token=token)
    url = iri_to_uri(link.url)
    response = render("members/joined.html", url=url)
    # Not a redirect: the CSP's form-action allows only this site as a form's destination.
    response.headers["Refresh"] = f"0; url={url}"
    return response


def _cancel(owner: Owner, registration_id: int, token: str) -> ResponseReturnValue:
    letter_writer = writer()  # the same time for both: the session may end meanwhile
    with write_tx() as db_session:
        members.verify_and_lock(db_session, owner, now=letter_writer.now)
        link = join_link.read_join_link(db_session, owner, registration_id, now=letter_writer.now)
        if link.can_be_cancelled:
            cancellation.cancel_registration(db_session, link.registration.id, writer=letter_writer)
    return redirect(url_for("member.join", token=token, done="canceled"), 303)
