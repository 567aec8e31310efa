"""Emails as rows of the outbox, as messages, and as an email program reads them."""

from datetime import UTC, datetime
from email import message_from_string, policy
from email.headerregistry import Address, HeaderRegistry
from functools import lru_cache

from cop.mail.message import build_message
from cop.models.email import OutboxEmail

ADA = "ada@example.org"
SENDER = Address("Equity in Data", "no-reply", "cop.example.org")
COMPOSED_AT = datetime(2026, 12, 1, 16, 30, tzinfo=UTC)
CALENDAR = "BEGIN:VCALENDAR\r\nSUMMARY:Qué datos\r\nEND:VCALENDAR\r\n"

# The standard library parses a header at each access, and accesses some ten times.
READER = policy.default.clone(header_factory=lru_cache(HeaderRegistry()))


def an_outbox_email(to=ADA, name="Ada Lovelace", **values):
    """A composed email with default values."""
    defaults = {
        "to_address": to,
        "to_name": name,
        "language": "en",
        "subject": "You're registered for December 15",
        "text": "Hello Ada,\n\nyou have a spot.\n",
        "html": '<html lang="en"><p>Hello Ada</p></html>',
        "message_id": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "created_at": COMPOSED_AT,
    }
    return OutboxEmail(**defaults | values)


def a_message(to=ADA, name="Ada Lovelace", *, sender=SENDER, reply_to=None, **values):
    return build_message(an_outbox_email(to, name, **values), sender=sender, reply_to=reply_to)


def read(content):
    """Parse an email as an email program does."""
    return message_from_string(content.decode(), policy=READER)


def recipients(message):
    return [address.addr_spec for address in message["To"].addresses]


def text_of(part):
    """Return the text of a part, with line feeds as line ends."""
    return part.get_content().replace("\r\n", "\n")
