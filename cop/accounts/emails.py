"""Compose emails to coordinators: no member's data in them, only a link to the console."""

from cop.mail.letter import Button, Letter
from cop.mail.writer import LetterWriter


def first_failure(writer: LetterWriter) -> Letter:
    """Report the first email that could not be delivered."""
    _ = writer.translate
    return writer.coordinator_letter(
        _("A mail could not be delivered"),
        _("The list of mails says which one, and what the mail server answered."),
        Button(_("See the mails"), writer.links.console("/mail")),
    )


def password_reset(writer: LetterWriter, url: str) -> Letter:
    """Compose the email with the link to reset a password."""
    _ = writer.translate
    return writer.coordinator_letter(
        _("A new password for the console"),
        _("Somebody, most likely you, asked for a new password. Choose one here:"),
        Button(_("Choose a new password"), url),
        _("The link works once, for an hour. If it was not you, do nothing."),
    )


def invitation(writer: LetterWriter, url: str, *, by: str) -> Letter:
    """Compose the email that invites a coordinator."""
    _, name = writer.translate, writer.community.name
    return writer.coordinator_letter(
        _("Will you coordinate %(name)s?", name=writer.community.short_name),
        _("%(by)s invites you to coordinate %(name)s.", by=by, name=name),
        _("Make your account here: you choose your name and a password."),
        Button(_("Make my account"), url),
        _("The link works once, for 7 days. If you do not know what this is, do nothing."),
        why=_("You get this since a coordinator of %(name)s wrote your address.", name=name),
    )
