"""Hands mails to an SMTP server, and tells apart the ways in which that can end."""

import smtplib
import ssl
from collections.abc import Iterable
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage

from cop.mail.address import SmtpServer
from cop.mail.connection import Connection, Patience, opened, why
from cop.mail.endings import (
    RefusedForGood,
    RefusedForNow,
    ServerUnusable,
    UnknownEnding,
    refused,
    shown,
)
from cop.mail.envelope import mailbox

MAILS_PER_CONNECTION = 100


class SmtpTransport:
    """Hands mails over on one connection, which is opened when it is needed."""

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: Address,
        context: ssl.SSLContext | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._server = server
        self._sender = sender
        self._context = context or ssl.create_default_context()
        self._patience = patience or Patience()
        self._connection: Connection | None = None
        self._mails = 0

    def send(self, message: EmailMessage, *, to: str) -> str:
        """Hand over one mail to one recipient; returns the server's answer.

        Raises:
            RefusedForGood: the server will never take this mail.
            RefusedForNow: the server does not take this mail now.
            ServerUnusable: the server takes no mail now.
            UnknownEnding: the server may have taken it.
        """
        recipient, content = mailbox(to), message.as_bytes()
        connection = self._begun(is_international=not recipient.username.isascii())
        try:
            return _hand_over(connection, recipient.addr_spec, content)
        except (RefusedForGood, RefusedForNow):
            self._reset(connection)
            raise
        except ServerUnusable:
            self._drop()
            raise
        except OSError as error:
            self._drop()
            if connection.is_unanswered:
                raise UnknownEnding(
                    f"The connection to {self._server} ended after the whole mail was sent and "
                    "before the answer, so it may have arrived."
                ) from error
            raise ServerUnusable(why(error, self._server)) from error

    def forget(self, message_ids: Iterable[str]) -> None:
        """Nothing is kept here of what was handed over."""

    def close(self) -> None:
        """Say goodbye to the server, without waiting long for its own."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.putcmd("QUIT")
                self._connection.wait_at_most(self._patience.farewell)
                self._connection.getreply()
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _reset(self, connection: Connection) -> None:
        """Make ready for the next mail after a refused one."""
        with suppress(OSError):
            if connection.rset()[0] == 250:
                return
        self._drop()

    def _begun(self, *, is_international: bool) -> Connection:
        """A connection on which the server awaits a recipient; one that died idly is replaced."""
        if self._connection is not None and self._mails < MAILS_PER_CONNECTION:
            with suppress(OSError, ServerUnusable):
                return self._begin(self._connection, is_international=is_international)
        self.close()
        self._connection, self._mails = self._opened(), 0
        try:
            return self._begin(self._connection, is_international=is_international)
        except OSError as error:
            self._drop()
            raise ServerUnusable(why(error, self._server)) from error

    def _opened(self) -> Connection:
        return opened(
            self._server,
            our_name=self._sender.domain,
            context=self._context,
            patience=self._patience,
        )

    def _begin(self, connection: Connection, *, is_international: bool) -> Connection:
        if is_international and not connection.has_extn("smtputf8"):
            raise RefusedForGood(
                f"The server at {self._server} knows only addresses that are ASCII before the @.",
                is_address_fault=True,
            )
        self._mails += 1
        options = ["SMTPUTF8", "BODY=8BITMIME"] if is_international else []
        code, said = connection.mail(self._sender.addr_spec, options)
        if 200 <= code <= 299:
            return connection
        # The sender is the same for every mail: a mistake there must not lose a single one.
        raise ServerUnusable(
            f"The server at {self._server} takes no mail from {self._sender.addr_spec}: "
            f"{shown(code, said)}"
        )


def _hand_over(connection: Connection, to: str, content: bytes) -> str:
    code, said = connection.rcpt(to)
    if not 200 <= code <= 299:
        raise refused(code, said, recipient=True)
    try:
        code, said = connection.data(content)
    except smtplib.SMTPDataError as refusal:
        raise refused(refusal.smtp_code, refusal.smtp_error) from refusal
    if not 200 <= code <= 299:
        raise refused(code, said)
    return shown(code, said)
