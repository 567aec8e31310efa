"""The way into a meeting, from a mail or a calendar. It opens nothing else."""

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.urls import iri_to_uri

from cop.db.engine import read_tx, write_tx
from cop.links import Owner, Purpose
from cop.members import join as members_join
from cop.members import members
from cop.members.join import JoinLink, JoinState
from cop.members.views import parts_of
from cop.registration import cancellation
from cop.web.blueprints import member
from cop.web.rendering import now, render, writer


@member.get("/join/<token>")
def join(token: str) -> Response:
    owner, registration_id = _place_of(token)
    with read_tx() as db_session:
        way_in = members_join.read_join_link(db_session, owner, registration_id, now=now())
    return _show(way_in, token)


@member.post("/join/<token>")
def enter(token: str) -> ResponseReturnValue:
    owner, registration_id = _place_of(token)
    if "give-up" in request.form:
        return _cancel(token)
    with write_tx() as db_session:
        way_in = members_join.record_join(db_session, owner, registration_id, now=now())
    if way_in.state is not JoinState.OPEN or not way_in.meeting.join_url:
        return _show(way_in, token, status=422)
    address = iri_to_uri(way_in.meeting.join_url)
    response = render("members/joined.html", address=address)
    # Not a redirect: what a form leads to must be on this site (form-action).
    response.headers["Refresh"] = f"0; url={address}"
    return response


def _cancel(token: str) -> ResponseReturnValue:
    owner, registration_id = _place_of(token)
    with write_tx() as db_session:
        members.verify_and_lock(db_session, owner, now=now())
        way_in = members_join.read_join_link(db_session, owner, registration_id, now=now())
        if way_in.state is not JoinState.OVER:
            cancellation.cancel_registration(db_session, way_in.registration_id, writer=writer())
    return redirect(url_for("member.join", token=token), 303)


def _place_of(token: str) -> tuple[Owner, int]:
    member_id, token_version, registration_id = map(
        int, parts_of(Purpose.JOIN, token, int, int, int)
    )
    return Owner(member_id, token_version), registration_id


def _show(way_in: JoinLink, token: str, *, status: int = 200) -> Response:
    return render(
        "members/join.html",
        status=status,
        way_in=way_in,
        meeting=way_in.meeting,
        token=token,
    )
