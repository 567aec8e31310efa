"""What is mailed when somebody registers, to them and to the coordinators."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.accounts import emails
from cop.mail.writer import LetterWriter
from cop.models.coordinator import Coordinator
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail


def notify_first_failure(db_session: Session, writer: LetterWriter) -> None:
    """Queue a mail to the coordinators when a mail has failed and none had before.

    Once for each such time: when what failed is tried again or gone, the next one is a first again.
    """
    failed = outbox.failures(db_session)
    if len(failed) == 1:
        letter = emails.first_failure(writer)
        mails = [
            QueuedEmail(letter, address, EmailKind.COORDINATORS, f"failed:{failed[0]}:{number}")
            for number, address in enumerate(coordinator_addresses(db_session))
        ]
        outbox.queue(db_session, mails, now=writer.now)


def coordinator_addresses(db_session: Session) -> list[str]:
    """The addresses of all coordinators."""
    return list(db_session.scalars(select(Coordinator.email).order_by(Coordinator.id)))
