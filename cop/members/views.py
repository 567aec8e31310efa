"""A member's own page, from the link in their emails: their data, its deletion.

Only POST changes anything, since mail filters follow every link.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from cop import links as cop_links
from cop.db.engine import erasing_tx, read_tx, write_tx
from cop.errors import InvalidLink
from cop.i18n import N_
from cop.links import Owner, Purpose
from cop.mail.recipients import Recipient
from cop.mail.transport import folder_transport
from cop.meetings import filters, schedule
from cop.meetings.schedule import Listing, Schedule
from cop.members import held_data, members
from cop.privacy import erasure
from cop.registration.forms import EmailForm
from cop.web.blueprints import member
from cop.web.i18n import gettext
from cop.web.rendering import now, render, settings, writer

TOKEN_MAX_AGE = timedelta(days=365)
SUCCESS_MESSAGES = {
    "proven": N_("Thank you. You've confirmed that this is your email."),
    "saved": N_("Saved."),
    "deleted": N_("Your answer is deleted."),
    "canceled": N_("Your registration for %(date)s is canceled. Thanks for letting us know."),
    "left": N_("You left the waiting list for %(date)s. Thanks for letting us know."),
    "added": N_("Sessions added. We'll email you a confirmation."),
    "mail": N_("Saved. We'll still email you about your registration and any changes."),
    "calendar": N_("You have a new calendar link. The old one no longer works."),
    "again": N_("We'll email you at this address again."),
}


@dataclass(frozen=True)
class MemberPage:
    """The member whose link was opened, and the schedule, from one transaction."""

    token: str
    owner: Owner
    schedule: Schedule
    member: members.MemberData

    @property
    def addable(self) -> list[Listing]:
        """The open meetings that they are not registered for."""
        registered = {each.meeting.id for each in self.member.current if each.is_live}
        return [meeting for meeting in self.schedule.open if meeting.id not in registered]


def read_token(purpose: Purpose, token: str, *kinds: type) -> list[Any]:
    """Read the values in an emailed link.

    Raises:
        InvalidLink: its signature is wrong, or it has another purpose.
    """
    parts = cop_links.read_token(settings().secret_key, purpose, token, kinds)
    if not parts:
        raise InvalidLink
    return parts


def owner_of(token: str) -> Owner:
    """Read whose page a link opens.

    Raises:
        InvalidLink: its signature is wrong, or it is too old.
    """
    member_id, token_version, made_on_day = read_token(Purpose.MEMBER, token, int, int, int)
    if now().date().toordinal() - made_on_day > TOKEN_MAX_AGE.days:
        raise InvalidLink
    return Owner(member_id, token_version)


def open_page(token: str) -> MemberPage:
    """Read the page that a link opens.

    Raises:
        InvalidLink: it is forged, too old or revoked.
    """
    owner = owner_of(token)
    with read_tx() as db_session:
        listed = schedule.read(db_session, now=now())
        return MemberPage(token, owner, listed, members.read_member(db_session, owner, listed))


@contextmanager
def member_tx(token: str) -> Iterator[tuple[Session, Recipient]]:
    """Open a transaction for a member with a link, which verifies their address.

    Raises:
        InvalidLink: it is forged, too old or revoked.
    """
    owner = owner_of(token)
    with write_tx() as db_session:
        yield db_session, members.verify_and_lock(db_session, owner, now=now())


def redirect_to_page(token: str, done: str, *, slug: str | None = None) -> ResponseReturnValue:
    """Redirect to the page with a success message, about a session by `slug`."""
    return redirect(url_for("member.page", token=token, done=done, session=slug), 303)


def render_page(page: MemberPage, *, message: str = "", refusal: str = "") -> Response:
    """Render the page with a message, or with a refusal and status 422."""
    letter_writer = writer()
    return render(
        "members/page.html",
        status=422 if refusal else 200,
        page=page,
        selected=request.form.getlist("sessions"),
        member_values=held_data.member_values(page.member, writer=letter_writer),
        registration_values=[
            (each, held_data.registration_values(each, writer=letter_writer))
            for each in page.member.registrations
        ],
        message=message,
        refusal=refusal,
    )


@member.app_errorhandler(InvalidLink)
def link_expired(_error: InvalidLink) -> Response:
    """Respond to all invalid links alike, so nobody learns which were valid once."""
    response = render("members/link_expired.html", status=404, form=EmailForm())
    # htmx, which asked for a fragment, shows the whole page.
    response.headers.update({"HX-Retarget": "body", "HX-Reswap": "outerHTML"})
    return response


@member.route("/r/<token>", methods=["GET", "POST"])
def page(token: str) -> ResponseReturnValue:
    if request.method == "POST":
        with member_tx(token):
            return redirect_to_page(token, "proven")
    opened = open_page(token)
    return render_page(opened, message=_success_message(opened))


def _success_message(opened: MemberPage) -> str:
    done, date = request.args.get("done", ""), ""
    if done in {"canceled", "left"}:
        registration = opened.member.registration_for(request.args.get("session", ""))
        if registration is None or registration.is_live:
            return ""
        date = filters.short_date(registration.meeting.starts_at)
    return gettext(SUCCESS_MESSAGES[done], date=date) if done in SUCCESS_MESSAGES else ""


@member.route("/r/<token>/erase", methods=["GET", "POST"])
def erase(token: str) -> Response:
    opened = open_page(token)
    if request.method == "POST":
        with erasing_tx() as db_session:
            message_ids = erasure.erase(db_session, opened.owner.member_id, writer=writer())
        folder_transport(settings()).delete_copies(message_ids)
        return render("members/erased.html")
    held = [each for each in opened.member.upcoming if each.row.is_held and each.meeting.is_open]
    return render("members/erase.html", page=opened, held=held)
