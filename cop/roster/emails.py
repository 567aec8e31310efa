"""Compose emails about a registration that coordinators moved or canceled."""

from cop.i18n import N_
from cop.mail.letter import Button, Letter
from cop.mail.recipients import Recipient
from cop.mail.writer import LetterWriter
from cop.meetings.emails import date_of, session_block
from cop.meetings.locking import MeetingFacts


def moved_to_waiting_list(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> Letter:
    """Compose the email to a person who was moved to the waiting list."""
    intro = N_(
        "The coordinators have moved you to the end of the waiting list for this session. You do "
        "not hold a place any more:"
    )
    advice = N_(
        "When a place becomes free for you, a mail says so at once. Until then please take the "
        "session out of your calendar: it does not learn of this by itself."
    )
    subject = N_("You are on the waiting list now: %(date)s")
    return _render(writer, to, meeting, subject=subject, intro=intro, advice=advice)


def cancelled(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> Letter:
    """Compose the email to somebody whose registration was canceled for them."""
    intro = N_("The coordinators have cancelled your registration for this session:")
    advice = N_("Please take it out of your calendar: it does not learn of this by itself.")
    subject = N_("Your registration is cancelled: %(date)s")
    return _render(writer, to, meeting, subject=subject, intro=intro, advice=advice)


def _render(
    writer: LetterWriter,
    to: Recipient,
    meeting: MeetingFacts,
    *,
    subject: str,
    intro: str,
    advice: str,
) -> Letter:
    writer = writer.to(to)
    return writer.member_letter(
        to,
        writer.translate(subject, date=date_of(writer, meeting)),
        writer.translate(intro),
        session_block(writer, meeting),
        writer.translate(advice),
        writer.translate(N_("If this surprises you, please ask us: a mistake can be undone.")),
        Button(writer.translate(N_("See or change your registration")), writer.my_page(to)),
    )
