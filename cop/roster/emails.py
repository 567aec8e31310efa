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
        "The coordinators moved you to the end of the waiting list for this session. You no "
        "longer have a spot:"
    )
    advice = N_(
        "We'll email you if a spot opens. Until then, please delete the session from your calendar."
    )
    subject = N_("You're now on the waiting list for %(date)s")
    return _render(writer, to, meeting, subject=subject, intro=intro, advice=advice)


def cancelled(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> Letter:
    """Compose the email to somebody whose registration was canceled for them."""
    intro = N_("The coordinators canceled your registration for this session:")
    advice = N_("Please delete the session from your calendar.")
    subject = N_("Your registration for %(date)s is canceled")
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
        writer.translate(N_("If you think this is a mistake, please let us know.")),
        Button(writer.translate(N_("View or change my registration")), writer.my_page(to)),
    )
