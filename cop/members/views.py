"""A member's own page, from the link in their mail: what is known about them, and its end.

GET shows and POST acts: programs that look for harm in mail follow every link.
"""

from dataclasses import dataclass
from datetime import timedelta

from flask import Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop import links as cop_links
from cop.db.engine import erasing_tx, read_tx, write_tx
from cop.errors import InvalidLink
from cop.i18n import N_
from cop.links import Owner, Purpose
from cop.mail.transport import folder_transport
from cop.meetings import filters, schedule
from cop.meetings.schedule import Listing, Schedule
from cop.members import held_data, members
from cop.members.members import MemberData, MemberRegistration
from cop.privacy import erasure
from cop.registration.forms import LinkForm
from cop.web.blueprints import member
from cop.web.i18n import gettext
from cop.web.rendering import links, now, render, settings, writer

TOKEN_MAX_AGE = timedelta(days=365)
SUCCESS_MESSAGES = {
    "proven": N_("Thank you. From now on we know that this address is yours."),
    "saved": N_("Saved."),
    "deleted": N_("That answer is deleted."),
    "given-up": N_("You gave up your place on %(date)s. Thank you for saying so."),
    "added": N_("Added. A mail says where you hold a place and where you wait."),
    "mail": N_("Saved. Mail about changes and about your place still comes."),
    "calendar": N_("Your calendar has a new address. The old one shows nothing any more."),
    "again": N_("From now on we write to your address again."),
}


@dataclass(frozen=True)
class MemberPage:
    """What a member's page is made of, as one moment saw it."""

    token: str
    owner: Owner
    schedule: Schedule
    known: MemberData

    @property
    def addable(self) -> list[Listing]:
        """The meetings that they can still choose."""
        chosen = {place.meeting.id for place in self.known.current if place.is_live}
        return [meeting for meeting in self.schedule.open if meeting.id not in chosen]

    @property
    def feed(self) -> str:
        """The address of their own calendar."""
        return links().calendar(self.owner.member_id, self.known.calendar_version)

    def way_in(self, place: MemberRegistration) -> str:
        """The address of their way into a meeting."""
        return links().join(self.owner, place.id)

    def place_or_404(self, slug: str) -> MemberRegistration:
        """Their place at a meeting; what is not theirs does not exist."""
        return self.known.at(slug) or abort(404)


def parts_of(purpose: Purpose, token: str, *kinds: type) -> list[int | str]:
    """What a link in our mail says.

    Raises:
        InvalidLink: it is none of ours, or was made for something else.
    """
    parts = cop_links.read_token(settings().secret_key, purpose, token, kinds)
    if not parts:
        raise InvalidLink
    return parts


def owner_of(token: str) -> Owner:
    """Whose page a link opens.

    Raises:
        InvalidLink: it is none of ours, or too old.
    """
    member_id, token_version, made_on = map(int, parts_of(Purpose.MEMBER, token, int, int, int))
    if now().date().toordinal() - made_on > TOKEN_MAX_AGE.days:
        raise InvalidLink
    return Owner(member_id, token_version)


def open_page(token: str) -> MemberPage:
    """Read what a link opens.

    Raises:
        InvalidLink: it opens nothing, or nothing any more.
    """
    owner = owner_of(token)
    with read_tx() as db_session:
        listed = schedule.read(db_session, now=now())
        return MemberPage(token, owner, listed, members.read_member(db_session, owner, listed))


def done(token: str, what: str, *, slug: str | None = None) -> ResponseReturnValue:
    """Go back to the page, which says what was done, and about which session."""
    return redirect(url_for("member.page", token=token, done=what, session=slug), 303)


def show(own: MemberPage, *, status: int = 200, refusal: str = "", said: str = "") -> Response:
    """The page; with a refusal, or with what was done."""
    known, voice = own.known, writer()
    return render(
        "members/page.html",
        status=status,
        own=own,
        known=known,
        ticked=request.form.getlist("sessions"),
        of_member=held_data.member_values(known, writer=voice),
        of_places=[
            (place, held_data.registration_values(place, writer=voice)) for place in known.places
        ],
        refusal=refusal,
        said=said,
    )


@member.app_errorhandler(InvalidLink)
def link_unusable(_refusal: InvalidLink) -> Response:
    """The same for every link that opens nothing: nobody learns whether it ever did."""
    form = LinkForm()
    return render("members/link_expired.html", status=404, form=form)


@member.get("/r/<token>")
def page(token: str) -> Response:
    own = open_page(token)
    return show(own, said=_said(own))


def _said(own: MemberPage) -> str:
    what, date = request.args.get("done", ""), ""
    if what == "given-up":
        place = own.known.at(request.args.get("session", ""))
        if place is None or place.is_live:
            return ""
        date = filters.short_date(place.meeting.starts_at)
    return gettext(SUCCESS_MESSAGES[what], date=date) if what in SUCCESS_MESSAGES else ""


@member.post("/r/<token>")
def prove(token: str) -> ResponseReturnValue:
    with write_tx() as db_session:
        members.verify_and_lock(db_session, owner_of(token), now=now())
    return done(token, "proven")


@member.get("/r/<token>/erase")
def ask_to_erase(token: str) -> Response:
    own = open_page(token)
    held = [place for place in own.known.upcoming if place.is_held]
    return render("members/erase.html", own=own, known=own.known, held=held)


@member.post("/r/<token>/erase")
def erase(token: str) -> Response:
    own = open_page(token)
    with erasing_tx() as db_session:
        mails = erasure.erase(db_session, own.owner.member_id, writer=writer())
    folder_transport(settings()).delete_copies(mails)
    return render("members/erased.html")
