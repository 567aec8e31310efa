"""A real SMTP server on loopback that a test can make refuse, delay and break off."""

import asyncio
import ssl
import threading
import time
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, AuthResult

ALL_LOGINS = ("LOGIN", "PLAIN")
PATIENCE = 10  # seconds until a server that does not start or stop is a fault


@dataclass(frozen=True)
class Answer:
    """What the server does with one email.

    `breaks_off`: close the connection "before" the last byte, or "after" it without a reply.
    """

    to_recipient: str = "250 2.1.5 OK"
    to_mail: str = "250 2.0.0 OK queued"
    breaks_off: str = ""
    seconds: float = 0  # between the last byte and the answer


TAKEN = Answer()
NO_SUCH_USER = Answer(to_recipient="550 5.1.1 No such user here")
SPAM = Answer(to_mail="554 5.7.1 This looks like spam")
LATER = Answer(to_recipient="451 4.7.1 Try again later")
CLOSING = Answer(to_recipient="421 4.3.2 Closing down")
BREAKS_OFF_BEFORE = Answer(breaks_off="before")
BREAKS_OFF_AFTER = Answer(breaks_off="after")


@dataclass(frozen=True)
class Mail:
    """An email that the server accepted."""

    sender: str
    recipients: list
    content: bytes
    at: float
    our_name: str  # by which the client introduced itself
    is_encrypted: bool


@dataclass
class MailServer:
    """The server; `behaviour` gets the number of each email, from 0, and returns its answer.

    Works for other processes too, by its `url`. Use it in a `with` block, or `start()` and `stop()`:
    it has the same port and emails afterwards, so that a test can stop it for a while.
    """

    behaviour: object = lambda _number: TAKEN
    to_sender: str = "250 2.1.0 OK"
    login: tuple | None = None  # (user, password)
    to_wrong_login: str = "535 5.7.8 Authentication credentials invalid"
    certificate: object = None  # a trustme.LeafCert; with it, encryption is offered
    is_implicit: bool = False  # encrypted from the first byte
    knows_smtputf8: bool = True
    port: int = 0
    mails: list = field(default_factory=list)
    begun: int = 0
    connections: int = 0
    logins: list = field(default_factory=list)  # the users that somebody tried to log in as

    def __enter__(self):
        return self.start()

    def __exit__(self, *_failure):
        self.stop()

    @property
    def url(self):
        return f"{'smtps' if self.is_implicit else 'smtp'}://127.0.0.1:{self.port}"

    @property
    def recipients(self):
        """The recipients in order; an email for two people shows as a list."""
        return [mail.recipients[0] if len(mail.recipients) == 1 else mail.recipients
                for mail in self.mails]  # fmt: skip

    def start(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._open = set()
        self._thread.start()
        self._run(self._listen())
        return self

    def stop(self):
        """Abort every connection and stop listening."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def close_connections(self):
        """Close the connections that are open, as servers do with idle ones."""
        self._run(self._close())

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    async def _listen(self):
        self._server = await self._loop.create_server(
            lambda: _Conversation(self),
            "127.0.0.1",
            self.port,
            ssl=self._context() if self.is_implicit else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def _context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certificate.configure_cert(context)
        return context

    async def _close(self):
        for conversation in list(self._open):
            conversation.break_off()
        await asyncio.sleep(0)

    async def _end(self):
        self._server.close()
        await self._close()
        await self._server.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class _Conversation(SMTP):
    """One connection."""

    def __init__(self, server):
        super().__init__(
            _Answers(server),
            hostname="mail.test",
            enable_SMTPUTF8=server.knows_smtputf8,
            tls_context=None if server.is_implicit or not server.certificate else server._context(),
            authenticator=_check_login,
            auth_require_tls=False,
            auth_exclude_mechanism=() if server.login else ALL_LOGINS,
            loop=server._loop,
        )
        self.mail_server = server

    def connection_made(self, transport):
        is_new = self.transport is None
        super().connection_made(transport)
        if is_new:
            self.mail_server.connections += 1
            self.mail_server._open.add(self)

    def connection_lost(self, error):
        self.mail_server._open.discard(self)
        super().connection_lost(error)

    def break_off(self):
        if self.transport is not None and not self.transport.is_closing():
            self.transport.abort()

    async def smtp_DATA(self, arg):  # noqa: N802
        if self.envelope.rcpt_tos and self.envelope.answer.breaks_off == "before":
            self.break_off()
        else:
            await super().smtp_DATA(arg)


class _Answers:
    """The replies of the server."""

    def __init__(self, server):
        self.server = server

    async def handle_MAIL(self, _smtp, session, envelope, address, options):  # noqa: N802
        if self.server.login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if self.server.to_sender.startswith("250"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.server.to_sender

    async def handle_RCPT(self, _smtp, _session, envelope, address, _options):  # noqa: N802
        if not envelope.rcpt_tos:
            envelope.answer = self.server.behaviour(self.server.begun)
            self.server.begun += 1
        if envelope.answer.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return envelope.answer.to_recipient

    async def handle_DATA(self, smtp, session, envelope):  # noqa: N802
        answer = envelope.answer
        if answer.to_mail.startswith("250"):
            self.server.mails.append(
                Mail(
                    sender=envelope.mail_from,
                    recipients=envelope.rcpt_tos,
                    content=envelope.content,
                    at=time.time(),
                    our_name=session.host_name,
                    is_encrypted=bool(smtp.transport.get_extra_info("ssl_object")),
                )
            )
        if answer.seconds:
            await asyncio.sleep(answer.seconds)
        if answer.breaks_off == "after":
            smtp.break_off()
            await asyncio.sleep(PATIENCE)  # until the lost connection ends this, too
        return answer.to_mail


def _check_login(smtp, _session, _envelope, _mechanism, login):
    server = smtp.mail_server
    server.logins.append(login.login.decode())
    is_right = (login.login.decode(), login.password.decode()) == server.login
    message = None if is_right else server.to_wrong_login
    return AuthResult(success=is_right, handled=False, message=message)
