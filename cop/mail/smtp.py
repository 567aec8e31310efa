"""Send emails by SMTP; distinguish rejections, outages, unknown outcomes."""

import smtplib
import ssl
from base64 import b64encode
from collections.abc import Iterable
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from typing import TYPE_CHECKING, NamedTuple

from cop.mail import errors
from cop.mail.message import mailbox
from cop.smtp_url import Security, SmtpServer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

MAX_EMAILS_PER_CONNECTION = 100


class Timeouts(NamedTuple):
    """Seconds to wait; for one email, they add up to less than its lease."""

    connect: float = 20  # including the server's greeting
    reply: float = 30
    # Some servers scan for viruses before they reply. Giving up early would lead to a second copy.
    after_data: float = 120
    quit: float = 2


class SmtpTransport:
    """Sends emails over one connection, opened when it is needed."""

    def __init__(
        self,
        server: SmtpServer,
        *,
        sender: Address,
        context: ssl.SSLContext | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._server = server
        self._sender = sender
        self._context = context or ssl.create_default_context()
        self._timeouts = timeouts or Timeouts()
        self._connection: Connection | None = None
        self._sent_on_connection = 0

    def send(self, message: EmailMessage, *, to: str) -> str:
        """Send one email to one recipient; return the server's reply.

        Raises:
            PermanentError: the server will never accept this email.
            TransientError: the server does not accept this email now.
            ServerUnavailableError: the server accepts no email now.
            UnknownOutcomeError: the server may have accepted it.
        """
        recipient, content = mailbox(to), message.as_bytes()
        try:
            connection = self._ready_connection(is_international=not recipient.username.isascii())
            return _send_message(connection, recipient.addr_spec, content)
        except (errors.PermanentError, errors.TransientError):
            self._reset()
            raise
        except errors.ServerUnavailableError:
            self._drop()
            raise
        except OSError as error:
            may_have_arrived = self._connection and self._connection.awaits_final_reply
            self._drop()
            if may_have_arrived:
                raise errors.UnknownOutcomeError(
                    f"The connection to {self._server} was lost after the email was sent, before "
                    "the server confirmed it. It may have arrived."
                ) from error
            raise errors.ServerUnavailableError(_describe_error(error, self._server)) from error

    def delete_copies(self, message_ids: Iterable[str]) -> None:
        """Do nothing: no copies of sent emails are stored here."""

    def close(self) -> None:
        """Quit, without waiting long for the server's reply."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.putcmd("QUIT")
                self._connection.set_timeout(self._timeouts.quit)
                self._connection.getreply()
        self._drop()

    def _ready_connection(self, *, is_international: bool) -> "Connection":
        """Return a connection on which MAIL was accepted, if necessary a new one."""
        if self._connection is not None and self._sent_on_connection < MAX_EMAILS_PER_CONNECTION:
            with suppress(OSError, errors.ServerUnavailableError):
                return self._send_mail_from(self._connection, is_international=is_international)
        self.close()
        self._connection = self._connect()
        self._sent_on_connection = 0
        return self._send_mail_from(self._connection, is_international=is_international)

    def _connect(self) -> "Connection":
        """Open a connection, encrypted and logged in as the server's settings require.

        The name for EHLO is the sender's domain: the default, this machine's name, can be slow to
        look up and reveals the network.

        Raises:
            OSError: the server cannot be reached, or is not an SMTP server.
            ServerUnavailableError: it offers no encryption, or refuses the login.
        """
        server, timeout = self._server, self._timeouts.connect
        arguments = server.host, server.port, self._sender.domain
        connection = (
            _EncryptedConnection(*arguments, timeout=timeout, context=self._context)
            if server.security is Security.TLS
            else Connection(*arguments, timeout=timeout)
        )
        connection.timeouts = self._timeouts
        try:
            _start_session(connection, server, self._context)
        except (OSError, errors.DeliveryError):
            connection.close()
            raise
        return connection

    def _send_mail_from(self, connection: "Connection", *, is_international: bool) -> "Connection":
        if is_international and not connection.has_extn("smtputf8"):
            raise errors.PermanentError(
                f"The server at {self._server} can't handle special characters before the @.",
                is_address_fault=True,
            )
        self._sent_on_connection += 1
        options = ["SMTPUTF8", "BODY=8BITMIME"] if is_international else []
        code, text = connection.mail(self._sender.addr_spec, options)
        if 200 <= code <= 299:
            return connection
        # The sender is the same for all emails, so this is a configuration error: no email may be
        # marked as failed for it.
        raise errors.ServerUnavailableError(
            f"The server at {self._server} doesn't accept email from {self._sender.addr_spec}: "
            f"{errors.readable_reply(code, text)}"
        )

    def _reset(self) -> None:
        """Make the connection ready for the next email after one was rejected."""
        with suppress(OSError):
            if self._connection and self._connection.rset()[0] == 250:
                return
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class Connection(smtplib.SMTP):
    """An SMTP connection that knows when only the final reply is missing."""

    timeouts = Timeouts()
    awaits_final_reply = False

    def send(self, s: "ReadableBuffer | str") -> None:
        super().send(s)
        # The end of an email's content, after which only the final reply is missing.
        self.awaits_final_reply = isinstance(s, bytes) and s.endswith(b"\r\n.\r\n")
        timeouts = self.timeouts
        self.set_timeout(timeouts.after_data if self.awaits_final_reply else timeouts.reply)

    def set_timeout(self, seconds: float) -> None:
        """Limit how long the server may take for each answer from now on."""
        if self.sock:
            self.sock.settimeout(seconds)

    def getreply(self) -> tuple[int, bytes]:
        code, text = super().getreply()
        if not 200 <= code <= 599:
            self.close()
            raise smtplib.SMTPServerDisconnected("Not a reply of an SMTP server")
        self.awaits_final_reply = False
        return code, text


class _EncryptedConnection(Connection, smtplib.SMTP_SSL):
    """A connection with TLS from the first byte."""


def _start_session(connection: Connection, server: SmtpServer, context: ssl.SSLContext) -> None:
    """Send EHLO, encrypt the connection and log in, as the server's settings require."""
    connection.ehlo_or_helo_if_needed()
    offers_starttls = connection.has_extn("starttls")
    if server.security is Security.STARTTLS and not offers_starttls:
        raise errors.ServerUnavailableError(
            f"The server at {server} doesn't offer encryption (STARTTLS), so nothing was sent."
        )
    if server.security in {Security.STARTTLS, Security.IF_OFFERED} and offers_starttls:
        connection.starttls(context=context)
        connection.ehlo_or_helo_if_needed()
    if not server.user:
        return
    try:
        connection.login(server.user, server.password)
    except smtplib.SMTPAuthenticationError as error:
        reply = _without_secrets(errors.readable_reply(error.smtp_code, error.smtp_error), server)
        raise errors.ServerUnavailableError(
            f"The server at {server} refused the sign-in: {reply}"
        ) from None


def _without_secrets(reply: str, server: SmtpServer) -> str:
    """Mask credentials, since a server may repeat what it was sent."""
    user, password = server.user.encode(), server.password.encode()
    auth_plain, auth_login = b64encode(b"\0" + user + b"\0" + password), b64encode(password)
    for secret in (auth_plain, auth_login, password):
        reply = reply.replace(secret.decode(), "***")
    return reply


def _send_message(connection: Connection, to: str, content: bytes) -> str:
    code, text = connection.rcpt(to)
    if not 200 <= code <= 299:
        raise errors.error_for_reply(code, text, to_recipient=True)
    try:
        code, text = connection.data(content)
    except smtplib.SMTPDataError as error:
        raise errors.error_for_reply(error.smtp_code, error.smtp_error) from error
    if not 200 <= code <= 299:
        raise errors.error_for_reply(code, text)
    return errors.readable_reply(code, text)


def _describe_error(error: OSError, server: SmtpServer) -> str:
    if isinstance(error, ssl.SSLError):
        return _describe_tls_error(error, server)
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"The server at {server} didn't answer in time."
    if isinstance(error, smtplib.SMTPResponseException):
        reply = errors.readable_reply(error.smtp_code, error.smtp_error)
        return f"The server at {server} answered: {reply}"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return f"The server at {server} closed the connection."
    if isinstance(error, smtplib.SMTPException):
        return f"The server at {server} offers no way to sign in that we support."
    return f"The server at {server} can't be reached: {error.strerror or error}."


def _describe_tls_error(error: ssl.SSLError, server: SmtpServer) -> str:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The server at {server} couldn't be reached securely: {error.reason}. "
            "Most servers use smtps:// on port 465 and smtp:// on port 587."
        )
    is_local = server.security is Security.IF_OFFERED
    hint = " It runs on this machine, so you can turn off encryption with ?tls=no."
    reason = f"The server at {server} has a certificate that we can't trust: "
    return f"{reason}{error.verify_message}.{hint if is_local else ''}"
