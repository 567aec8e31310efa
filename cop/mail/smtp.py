"""Hands mails to an SMTP server, and tells apart the ways in which that can end."""

import smtplib
import ssl
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from typing import TYPE_CHECKING, NamedTuple

from cop.mail.errors import (
    DeliveryError,
    PermanentError,
    ServerUnavailableError,
    TransientError,
    UnknownOutcomeError,
    failure_of_reply,
    readable_reply,
)
from cop.mail.message import mailbox
from cop.smtp_url import Security, SmtpServer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Timeouts(NamedTuple):
    """How many seconds to wait; all of it together stays below the lease of a mail."""

    connect: float = 20  # until the server has greeted
    answer: float = 30
    last_answer: float = 120  # some look for viruses first, and giving up can mean a second copy
    farewell: float = 2


class Connection(smtplib.SMTP):
    """Knows whether our last byte is out and the server's answer to it has not come yet."""

    patience = Timeouts()
    is_unanswered = False

    def send(self, s: "ReadableBuffer | str") -> None:
        super().send(s)
        self.is_unanswered = isinstance(s, bytes) and s.endswith(b"\r\n.\r\n")
        late = self.patience.last_answer if self.is_unanswered else self.patience.answer
        self.wait_at_most(late)

    def wait_at_most(self, seconds: float) -> None:
        """Set how long the server may take from now on."""
        if self.sock:
            self.sock.settimeout(seconds)

    def getreply(self) -> tuple[int, bytes]:
        code, said = super().getreply()
        if not 200 <= code <= 599:
            self.close()
            raise smtplib.SMTPServerDisconnected("This is no answer of a mail server")
        self.is_unanswered = False
        return code, said


class _EncryptedConnection(Connection, smtplib.SMTP_SSL):
    """Is encrypted from the first byte."""


def connect(
    server: SmtpServer, *, our_name: str, context: ssl.SSLContext, patience: Timeouts
) -> Connection:
    """Open a connection on which mails can be handed over.

    Our own name is told and not looked up: that can take long, and would tell of our network.

    Raises:
        ServerUnusable: it cannot be reached, is not safe, or refuses us.
    """
    where, seconds = (server.host, server.port, our_name), patience.connect
    try:
        connection = (
            _EncryptedConnection(*where, timeout=seconds, context=context)
            if server.security is Security.TLS
            else Connection(*where, timeout=seconds)
        )
        connection.patience = patience
        try:
            _ehlo(connection, server, context)
        except (OSError, DeliveryError):
            connection.close()
            raise
    except OSError as error:
        raise ServerUnavailableError(describe_error(error, server)) from error
    return connection


def _ehlo(connection: Connection, server: SmtpServer, context: ssl.SSLContext) -> None:
    connection.ehlo_or_helo_if_needed()
    is_offered = connection.has_extn("starttls")
    if server.security is Security.STARTTLS and not is_offered:
        raise ServerUnavailableError(
            f"The server at {server} does not offer encryption (STARTTLS), so nothing was sent."
        )
    if server.security in {Security.STARTTLS, Security.IF_OFFERED} and is_offered:
        connection.starttls(context=context)
        connection.ehlo_or_helo_if_needed()
    if server.user:
        _log_in(connection, server)


def _log_in(connection: Connection, server: SmtpServer) -> None:
    try:
        connection.login(server.user, server.password)
    except smtplib.SMTPAuthenticationError as refusal:
        said = _without_secrets(readable_reply(refusal.smtp_code, refusal.smtp_error), server)
        raise ServerUnavailableError(f"The server at {server} refused the login: {said}") from None


def _without_secrets(said: str, server: SmtpServer) -> str:
    """A server may repeat what it was sent."""
    user, password = server.user.encode(), server.password.encode()
    for secret in (b64encode(b"\0" + user + b"\0" + password), b64encode(password), password):
        said = said.replace(secret.decode(), "***")
    return said


def describe_error(error: OSError, server: SmtpServer) -> str:
    """What became of a connection, in words."""
    return f"The server at {server} {_describe(error, server)}"


def _describe(error: OSError, server: SmtpServer) -> str:
    if isinstance(error, ssl.SSLError):
        return _not_encrypted(error, server)
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "did not answer in time."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answered: {readable_reply(error.smtp_code, error.smtp_error)}"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "ended the connection."
    if isinstance(error, smtplib.SMTPException):
        return "offers no login that we know."
    return f"cannot be reached: {error.strerror or error}."


def _not_encrypted(error: ssl.SSLError, server: SmtpServer) -> str:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"could not be reached encrypted: {error.reason}. Most take smtps:// on port 465 and "
            "smtp:// on port 587."
        )
    near = server.security is Security.IF_OFFERED
    hint = " It is on this machine, where ?tls=no does without." if near else ""
    return f"has a certificate that cannot be trusted: {error.verify_message}.{hint}"


MAX_EMAILS_PER_CONNECTION = 100


class SmtpTransport:
    """Hands mails over on one connection, which is opened when it is needed."""

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: Address,
        context: ssl.SSLContext | None = None,
        patience: Timeouts | None = None,
    ) -> None:
        self._server = server
        self._sender = sender
        self._context = context or ssl.create_default_context()
        self._patience = patience or Timeouts()
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
            return _send_message(connection, recipient.addr_spec, content)
        except (PermanentError, TransientError):
            self._reset(connection)
            raise
        except ServerUnavailableError:
            self._drop()
            raise
        except OSError as error:
            self._drop()
            if connection.is_unanswered:
                raise UnknownOutcomeError(
                    f"The connection to {self._server} ended after the whole mail was sent and "
                    "before the answer, so it may have arrived."
                ) from error
            raise ServerUnavailableError(describe_error(error, self._server)) from error

    def delete_copies(self, message_ids: Iterable[str]) -> None:
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
        if self._connection is not None and self._mails < MAX_EMAILS_PER_CONNECTION:
            with suppress(OSError, ServerUnavailableError):
                return self._begin(self._connection, is_international=is_international)
        self.close()
        self._connection, self._mails = self._opened(), 0
        try:
            return self._begin(self._connection, is_international=is_international)
        except OSError as error:
            self._drop()
            raise ServerUnavailableError(describe_error(error, self._server)) from error

    def _opened(self) -> Connection:
        return connect(
            self._server,
            our_name=self._sender.domain,
            context=self._context,
            patience=self._patience,
        )

    def _begin(self, connection: Connection, *, is_international: bool) -> Connection:
        if is_international and not connection.has_extn("smtputf8"):
            raise PermanentError(
                f"The server at {self._server} knows only addresses that are ASCII before the @.",
                is_address_fault=True,
            )
        self._mails += 1
        options = ["SMTPUTF8", "BODY=8BITMIME"] if is_international else []
        code, said = connection.mail(self._sender.addr_spec, options)
        if 200 <= code <= 299:
            return connection
        # The sender is the same for every mail: a mistake there must not lose a single one.
        raise ServerUnavailableError(
            f"The server at {self._server} takes no mail from {self._sender.addr_spec}: "
            f"{readable_reply(code, said)}"
        )


def _send_message(connection: Connection, to: str, content: bytes) -> str:
    code, said = connection.rcpt(to)
    if not 200 <= code <= 299:
        raise failure_of_reply(code, said, recipient=True)
    try:
        code, said = connection.data(content)
    except smtplib.SMTPDataError as refusal:
        raise failure_of_reply(refusal.smtp_code, refusal.smtp_error) from refusal
    if not 200 <= code <= 299:
        raise failure_of_reply(code, said)
    return readable_reply(code, said)
