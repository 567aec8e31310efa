"""Compose emails about a registration that coordinators moved."""

from cop.calendar import calendar
from cop.mail.letter import Button, Letter
from cop.mail.recipients import Recipient
from cop.mail.writer import LetterWriter
from cop.meetings.emails import date_of, session_block
from cop.meetings.locking import MeetingFacts


def moved_to_waiting_list(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> Letter:
    """Compose the email to a person who was moved to the waiting list."""
    writer = writer.to(to)
    _ = writer.translate
    return writer.member_letter(
        to,
        _("You're now on the waiting list for %(date)s", date=date_of(writer, meeting)),
        _(
            "The coordinators moved you to the end of the waiting list for this session. You no "
            "longer have a spot:"
        ),
        session_block(writer, meeting),
        _("We'll email you if a spot opens."),
        _("Open the attached file to remove the session from your calendar."),
        _("If you think this is a mistake, please let us know."),
        Button(_("View or change my registration"), writer.my_page(to)),
        calendar=calendar.cancellation(writer, meeting),
    )
