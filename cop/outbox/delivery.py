"""Deliver the emails of the outbox: lease one, send it, store the result."""

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
    # Called in the transaction that stores a failed delivery.
    on_failure: Callable[[Session, LetterWriter], None] | None = None
    _skip_expired: bool = field(default=False, init=False)  # in the current run
    _leased: OutboxEmail | None = field(default=None, init=False)  # the email being sent
    # The server's reply to it, or the error; None once it is stored in the database.
    _result: str | errors.DeliveryError | None = field(default=None, init=False)

    def run(self, *, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Deliver all emails that are due; return False if the caller should wait.

        It should if the server is unavailable, or if the clock has jumped. One transaction stores a
        result and leases the next email.
        """
        with read_tx() as db_session:
            if not self._result and not retries.is_due(db_session, now=self.clock()):
                return True
            writer = self.writer(db_session)
        # Expired emails are skipped until the clock is confirmed: if it is wrong, they may not be
        # expired, and would be withdrawn for good.
        verdict = clock_check.check(writer.community, now=writer.now)
        self._skip_expired = verdict is clock_check.Verdict.ASK
        can_deliver = clock_check.has_settled(writer.community, now=writer.now)
        if not can_deliver and not self._result:
            return False
        while email := self._store_and_lease(is_last=stopping() or not can_deliver):
            self._result = self._try(email, reply_to=writer.community.contact_email)
            can_deliver = not isinstance(self._result, errors.ServerUnavailableError)
        # Skipped emails stay due, so the caller has to wait to not find them again at once.
        return can_deliver and not self._skip_expired

    def writer(self, db_session: Session) -> LetterWriter:
        """Return a writer for the community and the current time."""
        return LetterWriter(load_community(db_session), self.links, self.clock())

    def put_back(self) -> None:
        """End the lease of an email that another thread is still sending.

        That thread goes on until the process ends, so the email may still arrive.
        """
        if not self._leased:
            return
        with write_tx() as db_session:  # while it waits for the lock, that thread may have finished
            if self._result:
                self._store_result(db_session)
            elif email := self._leased:
                reply = "The site stopped while this email was being sent. It may have arrived."
                stopped = errors.StoppedError(reply)
                retries.store_result(db_session, email, stopped, now=self.clock())

    def _store_and_lease(self, *, is_last: bool) -> OutboxEmail | None:
        """Store the last result; lease the next email unless that was the last one."""
        now, email = self.clock(), None
        with write_tx() as db_session:
            self._store_result(db_session)
            if not is_last:
                email = retries.claim(db_session, now=now, skip_expired=self._skip_expired)
        self._result, self._leased = None, email
        return email

    def _try(self, email: OutboxEmail, *, reply_to: str | None) -> str | errors.DeliveryError:
        """Try to send one email; return the server's reply, or the error."""
        extra = {"mail": email.id, "kind": email.kind}
        try:
            message = build_message(email, sender=self.sender, reply_to=reply_to)
            reply = self.transport.send(message, to=email.to_address)
        except errors.DeliveryError as error:
            # The reply is logged only if it is about the server: others may quote an address.
            is_about_server = isinstance(error, errors.ServerUnavailableError)
            reply_values = {"answer": error.server_reply} if is_about_server else {}
            log.warning("mail not sent", extra=extra | reply_values | {"why": type(error).__name__})
            return error
        except Exception as error:  # one broken email must not stop the delivery of all others
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
