"""A connection to a mail server: opened, encrypted and logged in, or a sentence on why not."""

import smtplib
import ssl
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple

from cop.mail.address import Security, SmtpServer
from cop.mail.endings import NotSent, ServerUnusable, shown

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Patience(NamedTuple):
    """How many seconds to wait; all of it together stays below the lease of a mail."""

    connect: float = 20  # until the server has greeted
    answer: float = 30
    last_answer: float = 120  # some look for viruses first, and giving up can mean a second copy
    farewell: float = 2


class Connection(smtplib.SMTP):
    """Knows whether our last byte is out and the server's answer to it has not come yet."""

    patience = Patience()
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


def opened(
    server: SmtpServer, *, our_name: str, context: ssl.SSLContext, patience: Patience
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
            _introduce(connection, server, context)
        except (OSError, NotSent):
            connection.close()
            raise
    except OSError as error:
        raise ServerUnusable(why(error, server)) from error
    return connection


def _introduce(connection: Connection, server: SmtpServer, context: ssl.SSLContext) -> None:
    connection.ehlo_or_helo_if_needed()
    is_offered = connection.has_extn("starttls")
    if server.security is Security.STARTTLS and not is_offered:
        raise ServerUnusable(
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
        said = _without_secrets(shown(refusal.smtp_code, refusal.smtp_error), server)
        raise ServerUnusable(f"The server at {server} refused the login: {said}") from None


def _without_secrets(said: str, server: SmtpServer) -> str:
    """A server may repeat what it was sent."""
    user, password = server.user.encode(), server.password.encode()
    for secret in (b64encode(b"\0" + user + b"\0" + password), b64encode(password), password):
        said = said.replace(secret.decode(), "***")
    return said


def why(error: OSError, server: SmtpServer) -> str:
    """What became of a connection, in words."""
    return f"The server at {server} {_happened(error, server)}"


def _happened(error: OSError, server: SmtpServer) -> str:
    if isinstance(error, ssl.SSLError):
        return _not_encrypted(error, server)
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "did not answer in time."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answered: {shown(error.smtp_code, error.smtp_error)}"
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
