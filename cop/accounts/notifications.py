"""Notify coordinators of what they have to act on."""

from sqlalchemy.orm import Session

from cop.accounts import accounts, emails
from cop.mail.writer import LetterWriter
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail


def notify_first_failure(db_session: Session, writer: LetterWriter) -> None:
    """Notify the coordinators if exactly one email is failed: the first one.

    Once all failed emails were retried or deleted, the next failure is a first one again.
    """
    failed = outbox.failures(db_session)
    if len(failed) == 1:
        letter = emails.first_failure(writer)
        queued = [
            QueuedEmail(letter, address, EmailKind.COORDINATORS, f"failed:{failed[0]}:{number}")
            for number, address in enumerate(accounts.coordinator_addresses(db_session))
        ]
        outbox.queue(db_session, queued, now=writer.now)
