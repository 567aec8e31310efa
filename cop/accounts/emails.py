"""Compose emails to coordinators, which contain no member's data."""

from cop.mail.letter import Button, Letter
from cop.mail.writer import LetterWriter


def first_failure(writer: LetterWriter) -> Letter:
    """Report the first email that could not be delivered."""
    _ = writer.translate
    return writer.coordinator_letter(
        _("An email could not be delivered"),
        _("We couldn't deliver an email. The Email log shows which one, and why."),
        Button(_("Open the Email log"), writer.links.console("/mail")),
    )


def password_reset(writer: LetterWriter, url: str) -> Letter:
    """Compose the email with the link to reset a password."""
    _ = writer.translate
    return writer.coordinator_letter(
        _("Reset your %(name)s password", name=writer.community.short_name),
        _("Someone, probably you, asked to reset the password of your coordinator account."),
        Button(_("Choose a new password"), url),
        _("The link works once, for one hour. If this wasn't you, you don't need to do anything."),
    )


def invitation(writer: LetterWriter, url: str, *, by: str) -> Letter:
    """Compose the email that invites a coordinator."""
    _, name = writer.translate, writer.community.name
    return writer.coordinator_letter(
        _("You're invited to help coordinate %(name)s", name=writer.community.short_name),
        _("%(by)s invited you to be a coordinator of the %(name)s.", by=by, name=name),
        _("To accept, create your account. You'll choose a name and a password."),
        Button(_("Create my account"), url),
        _("The link works once, for 7 days. If you didn't expect this, you can ignore it."),
        why=_("You're getting this because a coordinator entered your email address."),
    )
