"""Sending to a real server: what it accepts and refuses, and how a connection can end."""

import os
import socket
import threading
from contextlib import contextmanager
from errno import ECONNREFUSED

import pytest

from cop.mail import errors
from cop.mail.errors import PermanentError, ServerUnavailableError, TransientError
from cop.mail.smtp import MAX_EMAILS_PER_CONNECTION, SmtpTransport, Timeouts
from cop.smtp_url import Security, SmtpServer
from tests import smtp_server
from tests.mail.gallery import EVERY
from tests.mail.messages import ADA, CALENDAR, SENDER, a_message, read, recipients
from tests.smtp_server import TAKEN, Answer, MailServer

GRACE = "grace@example.org"
# Any other header could add a recipient.
HEADERS = {
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"),
    *("Auto-Submitted", "X-Auto-Response-Suppress", "Content-Language"),
    *("List-Unsubscribe", "List-Unsubscribe-Post"),
}
SHORT = Timeouts(connect=0.5, reply=5, after_data=0.3, quit=0.2)


@pytest.fixture
def server():
    with MailServer() as server:
        yield server


@pytest.fixture
def transport(server):
    transport = transport_to(server.port)
    yield transport
    transport.close()


def transport_to(port, **values):
    return SmtpTransport(SmtpServer("127.0.0.1", port, Security.NONE), sender=SENDER, **values)


def send(transport, to=ADA, **values):
    return transport.send(a_message(to, **values), to=to)


def error_of(transport, to=ADA, **values):
    """The error that sending an email raises."""
    with pytest.raises(errors.DeliveryError) as error:
        send(transport, to, **values)
    return error.value


def first(answer):
    """Answer like this to the first email, and accept the others."""
    return lambda number: TAKEN if number else answer


def test_an_email_arrives_byte_for_byte(server, transport):
    message = a_message(calendar=CALENDAR, text=".\n..\n.hidden\n")

    reply = transport.send(message, to=ADA)

    [email] = server.mails
    assert reply == "250 2.0.0 OK queued"
    assert (email.sender, email.recipients) == ("no-reply@cop.example.org", [ADA])
    assert email.content == message.as_bytes()
    assert email.our_name == "cop.example.org"


def test_every_email_has_one_recipient_by_its_envelope_and_by_its_headers(server, transport):
    for compose in EVERY.values():
        send(transport, reply_to="corin@example.org", **vars(compose()))

    messages = [read(email.content) for email in server.mails]
    assert len(messages) == len(EVERY)
    assert server.recipients == [ADA] * len(EVERY)  # a list where there are two
    assert [recipients(message) for message in messages] == [[ADA]] * len(EVERY)
    assert set().union(*messages) == HEADERS


def test_a_connection_carries_a_limited_number_of_emails(server, transport):
    message = a_message()

    for _ in range(MAX_EMAILS_PER_CONNECTION + 1):
        transport.send(message, to=ADA)

    assert len(server.mails) == MAX_EMAILS_PER_CONNECTION + 1
    assert server.connections == 2


def test_an_address_beyond_ascii_gets_email_if_the_server_supports_it(server, transport):
    send(transport, "ünal@example.org", name="Ünal")
    send(transport, GRACE)

    assert server.recipients == ["ünal@example.org", GRACE]
    assert "To: Ünal <ünal@example.org>".encode() in server.mails[0].content


def test_an_address_beyond_ascii_fails_for_good_if_the_server_does_not_support_it(
    server, transport
):
    server.knows_smtputf8 = False

    error = error_of(transport, "ünal@example.org")
    send(transport, GRACE)

    assert type(error) is PermanentError
    assert error.is_address_fault
    assert "can't handle special characters before the @." in error.server_reply
    assert (server.recipients, server.connections) == ([GRACE], 1)


def test_an_invalid_address_never_reaches_the_server(server, transport):
    with pytest.raises(PermanentError):
        transport.send(a_message(), to=f"{ADA}, {GRACE}")

    assert server.connections == 0


BAD_ADDRESS, ABOUT_US = (PermanentError, True), (ServerUnavailableError, None)
REFUSED = (PermanentError, False)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("550 5.1.1 Recipient address rejected: User unknown", BAD_ADDRESS),
        ("550 5.2.1 Mailbox disabled", BAD_ADDRESS),
        ("550 User unknown", BAD_ADDRESS),
        ("553 Mailbox name not allowed", BAD_ADDRESS),
        ("552 5.2.2 Mailbox full", REFUSED),
        ("552 5.2.3 Message exceeds size limit", REFUSED),
        ("550 Blocked as spam", REFUSED),
        ("550 5.4.1 Access denied", REFUSED),
        ("554 Transaction failed", REFUSED),
        ("501 Syntax", REFUSED),
        ("550 5.7.1 Relay access denied", ABOUT_US),
        ("550 Relaying denied", ABOUT_US),
        ("551 Please authenticate first", ABOUT_US),
        ("550 5.1.8 <no-reply@localhost>: Sender address rejected: Domain not found", ABOUT_US),
        ("550 5.1.7 Bad reverse path", ABOUT_US),
        ("550 Verification failed for <no-reply@cop.example.org>", ABOUT_US),
        ("553 5.7.1 Sender address rejected: not owned by user ada", ABOUT_US),
        ("421 4.3.2 Closing down", ABOUT_US),
        ("530 5.7.0 Log in", ABOUT_US),
        ("450 Greylisted", (TransientError, None)),
    ],
)
def test_a_reply_to_the_recipient_says_what_is_at_fault(reply, expected):
    code, _, text = reply.partition(" ")

    error = errors.error_for_reply(int(code), text, to_recipient=True)

    assert (type(error), getattr(error, "is_address_fault", None)) == expected
    assert error.server_reply == reply


@pytest.mark.parametrize(
    ("answer", "expected", "connections"),
    [
        (smtp_server.NO_SUCH_USER, PermanentError, 1),
        (Answer(to_mail="550 5.1.1 No such user after all"), PermanentError, 1),
        (smtp_server.LATER, TransientError, 1),
        (smtp_server.CLOSING, ServerUnavailableError, 2),
        (Answer(to_mail="421 4.3.0 Shutting down"), ServerUnavailableError, 2),
    ],
    ids=lambda value: value.to_recipient + value.to_mail if isinstance(value, Answer) else "",
)
def test_a_refused_email_leaves_the_connection_to_the_next_unless_the_server_closes_it(
    server, transport, answer, expected, connections
):
    server.behaviour = first(answer)

    error = error_of(transport)
    send(transport, GRACE)

    assert type(error) is expected
    assert getattr(error, "is_address_fault", False) is (answer is smtp_server.NO_SUCH_USER)
    assert error.server_reply in {answer.to_recipient, answer.to_mail}
    assert (server.recipients, server.connections) == ([GRACE], connections)


def test_an_error_of_the_whole_server_names_no_recipient():
    error = errors.error_for_reply(421, f"4.7.28 Too much mail for <{ADA}>", to_recipient=True)

    assert error.server_reply == "421 4.7.28 Too much mail for (an address)"


@pytest.mark.parametrize("reply", ["550 5.7.60 Not allowed to send as this", "451 4.3.0 Wait"])
def test_a_refused_sender_loses_no_email_since_it_is_the_same_for_all(server, transport, reply):
    server.to_sender = reply

    error = error_of(transport)

    assert type(error) is ServerUnavailableError
    assert error.server_reply.endswith(
        f"doesn't accept email from no-reply@cop.example.org: {reply}"
    )
    assert server.mails == []


def test_an_email_has_not_arrived_if_the_connection_ends_before_its_last_byte(server, transport):
    server.behaviour = first(smtp_server.BREAKS_OFF_BEFORE)

    error = error_of(transport)
    send(transport)

    assert type(error) is ServerUnavailableError
    assert error.server_reply == f"The server at 127.0.0.1:{server.port} closed the connection."
    assert server.recipients == [ADA]


def test_an_email_may_have_arrived_if_the_connection_ends_after_its_last_byte(server, transport):
    server.behaviour = first(smtp_server.BREAKS_OFF_AFTER)

    error = error_of(transport)
    send(transport)

    assert type(error) is errors.UnknownOutcomeError
    assert error.server_reply.endswith("before the server confirmed it. It may have arrived.")
    assert server.recipients == [ADA, ADA]
    assert server.mails[0].content == server.mails[1].content


def test_an_email_may_have_arrived_if_the_final_reply_times_out(server):
    server.behaviour = first(Answer(seconds=5))

    error = error_of(transport_to(server.port, timeouts=SHORT))

    assert type(error) is errors.UnknownOutcomeError
    assert server.recipients == [ADA]


def test_an_idle_connection_that_the_server_closed_is_replaced(server, transport):
    send(transport)
    server.close_connections()
    send(transport, GRACE)

    assert (server.recipients, server.connections) == ([ADA, GRACE], 2)


def test_a_server_that_comes_back_gets_the_next_email(server, transport):
    send(transport)
    server.stop()
    error = error_of(transport)
    server.start()
    send(transport, GRACE)

    assert type(error) is ServerUnavailableError
    assert error.server_reply == (
        f"The server at 127.0.0.1:{server.port} can't be reached: {os.strerror(ECONNREFUSED)}."
    )
    assert server.recipients == [ADA, GRACE]


def test_a_connection_can_be_closed_at_any_time_and_more_than_once(server, transport):
    transport.close()
    send(transport)
    transport.close()
    transport.close()
    send(transport)
    server.close_connections()
    transport.close()

    assert server.connections == 2


def test_an_unknown_host_is_named():
    error = error_of(SmtpTransport(SmtpServer("nowhere.invalid", 25, Security.NONE), sender=SENDER))

    assert type(error) is ServerUnavailableError
    assert error.server_reply.startswith("The server at nowhere.invalid:25 can't be reached: ")


def test_the_greeting_is_not_awaited_for_long():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = error_of(transport_to(port, timeouts=SHORT))

    assert type(error) is ServerUnavailableError
    assert error.server_reply == f"The server at 127.0.0.1:{port} didn't answer in time."


@contextmanager
def scripted_server(*replies):
    """A server that sends these lines, one after each that it receives, and then closes."""

    def run():
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as received:
            for reply in replies:
                connection.sendall(reply)
                line = received.readline()
                while reply.startswith(b"354") and line not in {b".\r\n", b""}:
                    line = received.readline()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=run)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)


OK = b"250 OK\r\n"
UP_TO_DATA = (b"220 hello\r\n", OK, OK, OK, b"354 go on\r\n")
MAY_HAVE_ARRIVED = (errors.UnknownOutcomeError, "It may have arrived.")


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ((b"554 No service\r\n",), (ServerUnavailableError, "answered: 554 No service")),
        ((b"SSH-2.0-OpenSSH_9.6\r\n",), (ServerUnavailableError, "closed the connection.")),
        ((b"220 hello\r\n", b"500 What?\r\n", b"500 What?\r\n"), (ServerUnavailableError, "What?")),
        ((*UP_TO_DATA[:4], b"250 What data?\r\n"), (ServerUnavailableError, "250 What data?")),
        ((*UP_TO_DATA[:4], b"554 No recipients\r\n"), (PermanentError, "554 No recipients")),
        ((*UP_TO_DATA, b"gibberish\r\n"), MAY_HAVE_ARRIVED),
        ((*UP_TO_DATA, b"250 " + b"x" * 9000), MAY_HAVE_ARRIVED),
        ((*UP_TO_DATA, b"250-o\x1b[31m\r\n250"), MAY_HAVE_ARRIVED),
    ],
    ids=["no service", "not SMTP", "no EHLO", "no data", "no recipients", "gibberish", "long",
         "half a reply"],
)  # fmt: skip
def test_a_server_that_breaks_the_protocol_loses_no_email(replies, expected):
    with scripted_server(*replies) as port:
        error = error_of(transport_to(port, timeouts=SHORT))

    assert type(error) is expected[0]
    assert error.server_reply.endswith(expected[1])


def test_a_reply_is_stored_as_one_short_printable_line():
    text = b"".join(b"part %d \x1b[31m\xff\x00\r\n" % n for n in range(100))

    reply = errors.readable_reply(250, text)

    assert reply.startswith("250 part 0 [31m\ufffd part 1 ")
    assert reply.isprintable()
    assert len(reply) == 500


def test_an_email_that_breaks_off_half_way_has_not_arrived():
    message = a_message()
    message.as_bytes = lambda: (
        b"More than all buffers between us and the server hold.\r\n" * 200_000
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def break_off():
            connection, _ = listening.accept()
            for reply in UP_TO_DATA:
                connection.sendall(reply)
                connection.recv(4096)
            connection.close()

        thread = threading.Thread(target=break_off)
        thread.start()
        with pytest.raises(ServerUnavailableError):
            transport_to(listening.getsockname()[1]).send(message, to=ADA)
        thread.join(10)
