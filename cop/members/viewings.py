"""Who has viewed or exported a member's data, in sentences."""

from cop.i18n import N_
from cop.mail.writer import LetterWriter
from cop.models.audit import Viewing
from cop.models.meeting import Meeting

# By the resource of a viewing; "+" where it has columns that say more about it.
_OF_ONE_SESSION = {
    "roster": N_("%(who)s viewed the registration list for %(date)s."),
    "roster+asked_for_access": N_(
        "%(who)s viewed the registration list for %(date)s and filtered it by access needs."
    ),
    "roster+access": N_("%(who)s viewed the registration list for %(date)s, with access needs."),
    "access": N_("%(who)s viewed the access needs for %(date)s."),
    "emails": N_("%(who)s copied the email addresses for %(date)s."),
    "rooms": N_("%(who)s downloaded the small groups for %(date)s."),
    "export": N_("%(who)s downloaded the registration list for %(date)s."),
    "export+access": N_(
        "%(who)s downloaded the registration list for %(date)s, with access needs."
    ),
    "person": N_("%(who)s viewed one person's details for %(date)s. That person may be you."),
    "mails": N_("%(who)s viewed an email about the session on %(date)s."),
}
_OF_ALL_SESSIONS = {
    "export": N_("%(who)s downloaded the registration list for all sessions."),
    "export+access": N_(
        "%(who)s downloaded the registration list for all sessions, with access needs."
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
