"""Compose emails to coordinators: no member's data in them, only a link to the console."""

from cop.i18n import N_
from cop.mail.letter import Button, Letter
from cop.mail.writer import LetterWriter


def first_failure(writer: LetterWriter) -> Letter:
    """Report the first email that could not be delivered."""
    return writer.coordinator_letter(
        writer.translate(N_("A mail could not be delivered")),
        writer.translate(
            N_("The list of mails says which one, and what the mail server answered.")
        ),
        Button(writer.translate(N_("See the mails")), writer.links.console("/mail")),
    )


def password_reset(writer: LetterWriter, url: str) -> Letter:
    """Compose the email with the link to reset a password."""
    return writer.coordinator_letter(
        writer.translate(N_("A new password for the console")),
        writer.translate(
            N_("Somebody, most likely you, asked for a new password. Choose one here:")
        ),
        Button(writer.translate(N_("Choose a new password")), url),
        writer.translate(N_("The link works once, for an hour. If it was not you, do nothing.")),
    )


def invitation(writer: LetterWriter, url: str, *, by: str) -> Letter:
    """Compose the email that invites a coordinator."""
    translate, name = writer.translate, writer.community.name
    return writer.coordinator_letter(
        translate(N_("Will you coordinate %(name)s?"), name=writer.community.short_name),
        translate(N_("%(by)s invites you to coordinate %(name)s."), by=by, name=name),
        translate(N_("Make your account here: you choose your name and a password.")),
        Button(translate(N_("Make my account")), url),
        translate(
            N_("The link works once, for 7 days. If you do not know what this is, do nothing.")
        ),
        why=translate(
            N_("You get this since a coordinator of %(name)s wrote your address."), name=name
        ),
    )
