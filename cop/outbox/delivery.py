"""Deliver the outbox: lease each email, hand it over, and store the result."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address

from sqlalchemy.orm import Session

from cop.audit import clock_check
from cop.community.community import load_community
from cop.db.engine import read_tx, write_tx
from cop.links import Links
from cop.mail import errors
from cop.mail.message import build_message
from cop.mail.transport import Transport
from cop.mail.writer import LetterWriter
from cop.models.email import OutboxEmail
from cop.outbox import retries

log = logging.getLogger("cop.delivery")


@dataclass
class Delivery:
    """Delivers emails through one transport, one at a time."""

    transport: Transport
    sender: Address
    links: Links
    clock: Callable[[], datetime]
    # Runs in the transaction that stores a failed delivery.
    on_failure: Callable[[Session, LetterWriter], None] | None = None
    _skip_expired: bool = field(default=False, init=False)  # in this run
    _leased: OutboxEmail | None = field(default=None, init=False)  # being handed over
    # The reply to it, or the error, until the database has stored that.
    _result: str | errors.DeliveryError | None = field(default=None, init=False)

    def run(self, *, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Deliver all emails that are due; return False if none can go out for a while.

        That is so when the server is unavailable, or the clock has just jumped. Storing one result
        and leasing the next email is one transaction.
        """
        with read_tx() as db_session:
            if not self._result and not retries.is_due(db_session, now=self.clock()):
                return True
            writer = self.writer(db_session)
        # By a wrong clock, emails would seem expired and be withdrawn for good.
        verdict = clock_check.check(writer.community, now=writer.now)
        self._skip_expired = verdict is clock_check.Verdict.ASK
        is_usable = clock_check.has_settled(writer.community, now=writer.now)
        if not is_usable and not self._result:
            return False
        while email := self._store_and_lease(is_last=stopping() or not is_usable):
            self._result = self._try(email, reply_to=writer.community.contact_email)
            is_usable = not isinstance(self._result, errors.ServerUnavailableError)
        # Skipped emails stay due; the caller must not look for them without a pause.
        return is_usable and not self._skip_expired

    def writer(self, db_session: Session) -> LetterWriter:
        """Return the community's writer at this moment."""
        return LetterWriter(load_community(db_session), self.links, self.clock())

    def put_back(self) -> None:
        """End the lease of an email that another thread is still handing over.

        That thread goes on until the process ends, so the email may still arrive.
        """
        if not self._leased:
            return
        with write_tx() as db_session:  # may wait for the lock; what is due may change meanwhile
            if self._result:
                self._store_result(db_session)
            elif email := self._leased:
                reply = "The site stopped while this email was being sent. It may have arrived."
                stopped = errors.StoppedError(reply)
                retries.store_result(db_session, email, stopped, now=self.clock())

    def _store_and_lease(self, *, is_last: bool) -> OutboxEmail | None:
        """Store the last result and lease the next email."""
        now, email = self.clock(), None
        with write_tx() as db_session:
            self._store_result(db_session)
            if not is_last:
                email = retries.claim(db_session, now=now, skip_expired=self._skip_expired)
        self._result, self._leased = None, email
        return email

    def _try(self, email: OutboxEmail, *, reply_to: str | None) -> str | errors.DeliveryError:
        """Hand over one email; return the server's reply, or the error."""
        extra = {"mail": email.id, "kind": email.kind}
        try:
            message = build_message(email, sender=self.sender, reply_to=reply_to)
            reply = self.transport.send(message, to=email.to_address)
        except errors.DeliveryError as error:
            # A reply about one email may quote an address; one about the whole server does not.
            is_unavailable = isinstance(error, errors.ServerUnavailableError)
            about_server = {"answer": error.server_reply} if is_unavailable else {}
            log.warning("mail not sent", extra=extra | about_server | {"why": type(error).__name__})
            return error
        except Exception as error:  # one broken email must not hold up all others
            log.error("mail not composed", exc_info=error, extra=extra)  # noqa: TRY400
            return errors.TransientError(f"It could not be composed: {type(error).__name__}.")
        log.info("mail sent", extra=extra)
        return reply

    def _store_result(self, db_session: Session) -> None:
        email, result = self._leased, self._result
        if email is None or result is None:
            return
        if not retries.store_result(db_session, email, result, now=self.clock()):
            self.transport.delete_copies([email.message_id])
        if self.on_failure and not isinstance(result, str):
            self.on_failure(db_session, self.writer(db_session))
