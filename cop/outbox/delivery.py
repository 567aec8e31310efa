"""Delivering the outbox: each mail is leased, tried, and its ending noted."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from functools import partial

from sqlalchemy.orm import Session

from cop.audit import clock_check
from cop.audit.clock_check import Verdict
from cop.community.community import load_community
from cop.db.engine import read_tx, write_tx
from cop.links import Links
from cop.mail.errors import (
    DeliveryError,
    PermanentError,
    ServerUnavailableError,
    UnknownOutcomeError,
)
from cop.mail.message import build_message
from cop.mail.transport import Transport
from cop.mail.writer import LetterWriter
from cop.models.email import OutboxEmail
from cop.outbox import leases

log = logging.getLogger("cop.delivery")

DeliveryResult = Callable[[Session], None]


@dataclass
class Delivery:
    """A way out for mail, which takes one at a time."""

    transport: Transport
    sender: Address
    links: Links
    clock: Callable[[], datetime]
    # Runs in the transaction that notes a failed delivery.
    on_failure: Callable[[Session, LetterWriter], None] | None = None
    # How the last mail ended, until that is written down: also after the database was away.
    _unwritten: DeliveryResult | None = field(default=None, init=False)
    _skip_expired: bool = field(default=False, init=False)  # in this run
    _leased: OutboxEmail | None = field(default=None, init=False)  # being handed over

    def run(self, *, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Deliver all that is due; return False where nothing can go out for a while.

        That is where the server takes none, or the clock has just jumped.
        What is due is leased, handed over and noted one by one. Noting one and leasing the next is
        one transaction.
        """
        with read_tx() as db_session:
            if not self._unwritten and not leases.is_due(db_session, now=self.clock()):
                return True
            writer = self.writer(db_session)
        # By a clock that is wrong, emails would be too late, and withdrawn for good.
        verdict = clock_check.check(writer.community, now=writer.now)
        self._skip_expired = verdict is Verdict.ASK
        is_usable = clock_check.has_settled(writer.community, now=writer.now)
        if not is_usable and not self._unwritten:
            return False
        while email := self._write_down(is_last=stopping() or not is_usable):
            self._unwritten, is_usable = self._try(email, writer)
        # What has expired stays due, and must not be looked for all the time.
        return is_usable and not self._skip_expired

    def writer(self, db_session: Session) -> LetterWriter:
        """The community's voice, at this moment."""
        return LetterWriter(load_community(db_session), self.links, self.clock())

    def _write_down(self, *, is_last: bool) -> OutboxEmail | None:
        """Note how the last mail ended, and lease the next one."""
        with write_tx() as db_session:
            if self._unwritten:
                self._unwritten(db_session)
            email = (
                None
                if is_last
                else leases.claim(db_session, now=self.clock(), skip_expired=self._skip_expired)
            )
        self._unwritten, self._leased = None, email
        return email

    def put_back(self) -> None:
        """End the lease of an email that is still being handed over, from another thread.

        The other thread goes on until the process ends, so the email may still arrive.
        """
        if not self._leased:
            return
        with write_tx() as db_session:  # looked at behind the lock, for which it may have to wait
            if self._unwritten:
                self._unwritten(db_session)
            elif email := self._leased:
                leases.mark_for_retry(
                    db_session,
                    email,
                    answer="The site was stopped while this email was being sent.",
                    now=self.clock(),
                    in_doubt=True,
                    is_own_fault=False,
                )

    def _try(self, email: OutboxEmail, writer: LetterWriter) -> tuple[DeliveryResult, bool]:
        """Hand one mail over; return what is to be written down, and whether others may follow."""
        more = {"mail": email.id, "kind": email.kind}
        try:
            reply_to = writer.community.contact_email
            message = build_message(email, sender=self.sender, reply_to=reply_to)
            answer = self.transport.send(message, to=email.to_address)
        except DeliveryError as ending:
            # A server's own words may quote an address; of the server as a whole they say none.
            of_server = (
                {"answer": ending.server_reply}
                if isinstance(ending, ServerUnavailableError)
                else {}
            )
            log.warning("mail not sent", extra=more | of_server | {"why": type(ending).__name__})
            noting = partial(self._note_failure, self._not_sent(email, ending), writer)
            return noting, not isinstance(ending, ServerUnavailableError)
        except Exception as fault:  # one broken mail must not hold up all others
            log.error("mail not composed", exc_info=fault, extra=more)  # noqa: TRY400
            answer = f"It could not be put together: {type(fault).__name__}."
            noting = partial(leases.mark_for_retry, email=email, answer=answer, now=self.clock())
            return partial(self._note_failure, noting, writer), True
        log.info("mail sent", extra=more)
        return partial(self._note_sent, email, answer), True

    def _note_sent(self, email: OutboxEmail, answer: str, db_session: Session) -> None:
        """Note that it was taken; of a mail that was erased meanwhile, no file stays either."""
        if not leases.mark_sent(db_session, email, answer=answer, now=self.clock()):
            self.transport.delete_copies([email.message_id])

    def _note_failure(
        self, noting: DeliveryResult, writer: LetterWriter, db_session: Session
    ) -> None:
        noting(db_session)
        if self.on_failure:
            self.on_failure(db_session, writer)

    def _not_sent(self, email: OutboxEmail, ending: DeliveryError) -> DeliveryResult:
        answer, now = ending.server_reply, self.clock()
        if isinstance(ending, PermanentError):
            is_bad = ending.is_address_fault
            return partial(
                leases.mark_failed, email=email, answer=answer, now=now, bad_address=is_bad
            )
        return partial(
            leases.mark_for_retry,
            email=email,
            answer=answer,
            now=now,
            in_doubt=isinstance(ending, UnknownOutcomeError),
            is_own_fault=not isinstance(ending, ServerUnavailableError),
        )
