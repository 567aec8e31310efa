"""Who has viewed or exported a member's data, in sentences."""

from cop.i18n import N_
from cop.mail.writer import LetterWriter
from cop.models.audit import Viewing
from cop.models.meeting import Meeting

# By the resource of a viewing; "+" where it has columns that say more about it.
_OF_ONE_SESSION = {
    "roster": N_("%(who)s viewed the attendee list for the %(date)s session."),
    "roster+asked_for_access": N_(
        "%(who)s viewed the attendee list for the %(date)s session and filtered it by access needs."
    ),
    "roster+access": N_(
        "%(who)s viewed the attendee list for the %(date)s session, with access needs."
    ),
    "access": N_("%(who)s viewed the access needs for the %(date)s session."),
    "emails": N_("%(who)s viewed the email addresses for the %(date)s session."),
    "rooms": N_("%(who)s downloaded the small groups for the %(date)s session."),
    "export": N_("%(who)s downloaded the attendee list for the %(date)s session."),
    "export+access": N_(
        "%(who)s downloaded the attendee list for the %(date)s session, with access needs."
    ),
    "person": N_(
        "%(who)s viewed one person's details for the %(date)s session. That person may be you."
    ),
    "mails": N_("%(who)s viewed an email about the %(date)s session."),
}
_OF_ALL_SESSIONS = {
    "export": N_("%(who)s downloaded the attendee list for all sessions."),
    "export+access": N_(
        "%(who)s downloaded the attendee list for all sessions, with access needs."
    ),
    "mails": N_("%(who)s viewed emails that we sent."),
    "list": N_("%(who)s viewed the mailing list."),
    "list+email": N_("%(who)s downloaded the mailing list."),
}
_OTHER = N_("%(who)s viewed a list that includes you.")


def describe(
    viewing: Viewing, coordinator: str | None, meeting: Meeting | None, *, writer: LetterWriter
) -> str:
    """Say who viewed or exported what; `coordinator` is None if they have left."""
    sentences = _OF_ONE_SESSION if meeting else _OF_ALL_SESSIONS
    keys = (f"{viewing.resource}+{column}" for column in viewing.columns)
    key = next((key for key in keys if key in sentences), viewing.resource)
    return writer.translate(
        sentences.get(key, _OTHER),
        who=coordinator or writer.translate(N_("A former coordinator")),
        date=writer.dates.short_date(meeting.starts_at) if meeting else "",
    )
