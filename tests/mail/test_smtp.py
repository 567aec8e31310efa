"""Mail and a real server: what it takes, what it refuses, and how a connection can end."""

import os
import socket
import threading
from contextlib import contextmanager
from errno import ECONNREFUSED

import pytest

from cop.mail.errors import (
    DeliveryError,
    PermanentError,
    ServerUnavailableError,
    TransientError,
    UnknownOutcomeError,
)
from cop.mail.smtp import MAX_EMAILS_PER_CONNECTION, SmtpTransport, Timeouts
from cop.smtp_url import Security, SmtpServer
from tests.mail.gallery import EVERY
from tests.mail.messages import ADA, CALENDAR, SENDER, an_envelope, read, recipients
from tests.smtp_server import (
    BREAKS_OFF_AFTER,
    BREAKS_OFF_BEFORE,
    CLOSING,
    LATER,
    NO_SUCH_USER,
    RELAY_DENIED,
    SPAM,
    TAKEN,
    Answer,
    MailServer,
)

GRACE = "grace@example.org"
KATHERINE = "katherine@example.org"
# Whatever else a header of an email of ours were called, it could add somebody.
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
    return transport.send(an_envelope(to, **values), to=to)


def ending_of(transport, to=ADA, **values):
    """How sending a mail ended, other than well."""
    with pytest.raises(DeliveryError) as ending:
        send(transport, to, **values)
    return ending.value


def first(answer):
    """Behave like this to the first mail, and take the others."""
    return lambda number: TAKEN if number else answer


def test_a_mail_gets_to_its_recipient_as_it_was_sealed(server, transport):
    envelope = an_envelope(calendar=CALENDAR, text=".\n..\n.hidden\n")

    answer = transport.send(envelope, to=ADA)

    [mail] = server.mails
    assert answer == "250 2.0.0 OK queued"
    assert (mail.sender, mail.recipients) == ("no-reply@cop.example.org", [ADA])
    assert mail.content == envelope.as_bytes()
    assert mail.our_name == "cop.example.org"


def test_every_email_has_one_recipient_by_its_envelope_and_by_its_headers(server, transport):
    for compose in EVERY.values():
        send(transport, reply_to="corin@example.org", **vars(compose()))

    messages = [read(mail.content) for mail in server.mails]
    assert len(messages) == len(EVERY)
    assert server.recipients == [ADA] * len(EVERY)  # a list where there are two
    assert [recipients(message) for message in messages] == [[ADA]] * len(EVERY)
    assert set().union(*messages) == HEADERS


def test_mails_go_over_one_connection_until_it_has_carried_enough(server, transport):
    envelope = an_envelope()

    for _ in range(MAX_EMAILS_PER_CONNECTION + 1):
        transport.send(envelope, to=ADA)

    assert len(server.mails) == MAX_EMAILS_PER_CONNECTION + 1
    assert server.connections == 2


def test_a_domain_of_any_script_reaches_the_server_in_ascii(server, transport):
    send(transport, "ada@bücher.example")

    assert server.recipients == ["ada@xn--bcher-kva.example"]


def test_an_address_beyond_ascii_gets_mail_where_the_server_can_write_it(server, transport):
    send(transport, "ünal@example.org", name="Ünal")
    send(transport, GRACE)

    assert server.recipients == ["ünal@example.org", GRACE]
    assert "To: Ünal <ünal@example.org>".encode() in server.mails[0].content


def test_an_address_beyond_ascii_is_refused_for_good_where_the_server_cannot_write_it():
    with MailServer(knows_smtputf8=False) as server:
        transport = transport_to(server.port)
        ending = ending_of(transport, "ünal@example.org")
        send(transport, GRACE)
        transport.close()

    assert type(ending) is PermanentError
    assert ending.is_address_fault
    assert "knows only addresses that are ASCII before the @." in ending.server_reply
    assert server.recipients == [GRACE]
    assert server.connections == 1


@pytest.mark.parametrize(
    "said",
    [
        RELAY_DENIED.to_recipient,
        "550 Relaying denied",
        "551 Please authenticate first",
        "550 5.1.8 <no-reply@localhost>: Sender address rejected: Domain not found",
        "550 5.1.7 Bad reverse path",
        "550 Sender verify failed",
        "550 Verification failed for <no-reply@cop.example.org>",
        "553 5.7.1 Sender address rejected: not owned by user ada",
    ],
)
def test_what_is_wrong_with_us_loses_no_mail_and_blames_no_address(server, transport, said):
    server.behaviour = first(Answer(to_recipient=said))

    ending = ending_of(transport)
    send(transport, GRACE)

    assert type(ending) is ServerUnavailableError
    assert server.recipients == [GRACE]


@pytest.mark.parametrize(
    ("answer", "is_address_fault"),
    [
        (NO_SUCH_USER, True),
        (Answer(to_recipient="550 5.2.1 Mailbox disabled"), True),
        (Answer(to_recipient="552 5.2.2 Mailbox full"), False),
        (Answer(to_recipient="552 5.2.3 Message exceeds size limit"), False),
        (Answer(to_recipient="550 5.1.1 Recipient address rejected: User unknown"), True),
        (Answer(to_recipient="550 User unknown"), True),
        (Answer(to_recipient="553 Mailbox name not allowed"), True),
        (Answer(to_recipient="550 Blocked as spam"), False),
        (Answer(to_recipient="550 5.4.1 Access denied"), False),
        (Answer(to_recipient="554 Transaction failed"), False),
        (Answer(to_recipient="501 Syntax"), False),
        (SPAM, False),
        (Answer(to_mail="550 5.1.1 No such user after all"), False),
    ],
    ids=lambda value: "" if isinstance(value, bool) else value.to_recipient + value.to_mail,
)
def test_a_refusal_for_good_says_whether_the_address_is_at_fault(
    server, transport, answer, is_address_fault
):
    server.behaviour = first(answer)

    ending = ending_of(transport)
    send(transport, GRACE)

    assert type(ending) is PermanentError
    assert ending.is_address_fault is is_address_fault
    assert ending.server_reply in {answer.to_recipient, answer.to_mail}
    assert server.recipients == [GRACE]
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [LATER, Answer(to_mail="452 4.3.1 Disk full"), Answer(to_recipient="450 Greylisted")],
    ids=["at the recipient", "at the end", "without a code"],
)
def test_a_refusal_for_now_leaves_the_connection_to_the_next_mail(server, transport, answer):
    server.behaviour = first(answer)

    ending = ending_of(transport)
    send(transport)

    assert type(ending) is TransientError
    assert ending.server_reply in {answer.to_recipient, answer.to_mail}
    assert server.recipients == [ADA]
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [CLOSING, Answer(to_mail="421 4.3.0 Shutting down"), Answer(to_recipient="530 5.7.0 Log in")],
    ids=["421 at the recipient", "421 at the end", "530"],
)
def test_what_is_no_refusal_of_this_mail_stops_the_others_too(server, transport, answer):
    server.behaviour = first(answer)

    ending = ending_of(transport)
    send(transport)

    assert type(ending) is ServerUnavailableError
    assert ending.server_reply in {answer.to_recipient, answer.to_mail}
    assert server.connections == 2


def test_what_is_told_of_the_whole_server_names_no_recipient(server, transport):
    server.behaviour = first(Answer(to_recipient=f"421 4.7.28 Too much mail for <{ADA}>"))

    assert ending_of(transport).server_reply == "421 4.7.28 Too much mail for (an address)"


@pytest.mark.parametrize("answer", ["550 5.7.60 Not allowed to send as this", "451 4.3.0 Wait"])
def test_a_refused_sender_loses_no_mail_since_it_is_the_same_for_all(server, transport, answer):
    server.to_sender = answer

    ending = ending_of(transport)

    assert type(ending) is ServerUnavailableError
    assert ending.server_reply.endswith(f"takes no mail from no-reply@cop.example.org: {answer}")
    assert server.mails == []


def test_a_server_that_breaks_off_before_the_last_byte_has_not_got_the_mail(server, transport):
    server.behaviour = first(BREAKS_OFF_BEFORE)

    ending = ending_of(transport)
    send(transport)

    assert type(ending) is ServerUnavailableError
    assert ending.server_reply == f"The server at 127.0.0.1:{server.port} ended the connection."
    assert server.recipients == [ADA]


def test_a_server_that_breaks_off_after_the_last_byte_may_have_got_the_mail(server, transport):
    server.behaviour = first(BREAKS_OFF_AFTER)

    ending = ending_of(transport)
    send(transport)

    assert type(ending) is UnknownOutcomeError
    assert ending.server_reply.endswith("ended after the whole mail was sent and before the answer, so "
                                  "it may have arrived.")  # fmt: skip
    assert server.recipients == [ADA, ADA]
    assert server.mails[0].content == server.mails[1].content


def test_a_server_that_is_silent_after_the_last_byte_may_have_got_the_mail(server):
    server.behaviour = first(Answer(seconds=5))
    transport = transport_to(server.port, timeouts=SHORT)

    ending = ending_of(transport)

    assert type(ending) is UnknownOutcomeError
    assert server.recipients == [ADA]


def test_a_server_that_answers_late_but_in_time_has_got_the_mail(server, transport):
    server.behaviour = first(Answer(seconds=0.3))

    assert send(transport) == "250 2.0.0 OK queued"


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again_unnoticed(server, transport):
    send(transport)
    server.close_connections()
    send(transport, GRACE)

    assert server.recipients == [ADA, GRACE]
    assert server.connections == 2


def test_a_server_that_went_away_and_came_back_gets_the_next_mail(server, transport):
    send(transport)
    server.stop()
    ending = ending_of(transport, GRACE)
    server.start()
    send(transport, KATHERINE)

    assert type(ending) is ServerUnavailableError
    assert ending.server_reply == (
        f"The server at 127.0.0.1:{server.port} cannot be reached: {os.strerror(ECONNREFUSED)}."
    )
    assert server.recipients == [ADA, KATHERINE]


def test_a_connection_can_be_closed_at_any_time_and_more_than_once(server, transport):
    transport.close()
    send(transport)
    transport.close()
    transport.close()
    send(transport)
    server.close_connections()
    transport.close()

    assert server.connections == 2


def test_a_host_that_does_not_exist_is_named():
    server = SmtpServer("nowhere.invalid", 25, Security.NONE)

    ending = ending_of(SmtpTransport(server, sender=SENDER))

    assert type(ending) is ServerUnavailableError
    assert ending.server_reply.startswith("The server at nowhere.invalid:25 cannot be reached: ")


def test_a_server_that_does_not_greet_is_not_waited_for_long():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        ending = ending_of(transport_to(port, timeouts=SHORT))

    assert type(ending) is ServerUnavailableError
    assert ending.server_reply == f"The server at 127.0.0.1:{port} did not answer in time."


@contextmanager
def speaking(*answers):
    """A server that says these lines, one after each that it hears, and then goes."""

    def speak():
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as heard:
            for answer in answers:
                connection.sendall(answer)
                line = heard.readline()
                while answer.startswith(b"354") and line not in {b".\r\n", b""}:
                    line = heard.readline()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=speak)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)


OK = b"250 OK\r\n"
MANNERLY = (b"220 hello\r\n", OK, OK, OK, b"354 go on\r\n")


@pytest.mark.parametrize(
    ("answers", "ending", "says"),
    [
        ((b"554 No service for you\r\n",), ServerUnavailableError, "answered: 554 No service for you"),
        ((b"SSH-2.0-OpenSSH_9.6\r\n",), ServerUnavailableError, "ended the connection."),
        ((b"220 hello\r\n", b"500 What?\r\n", b"500 What?\r\n"), ServerUnavailableError, "500 What?"),
        ((*MANNERLY[:4], b"250 What data?\r\n"), ServerUnavailableError, "250 What data?"),
        ((*MANNERLY[:4], b"554 No valid recipients\r\n"), PermanentError, "554 No valid recipients"),
        ((*MANNERLY, b"gibberish\r\n"), UnknownOutcomeError, "so it may have arrived."),
        ((*MANNERLY, b"250 " + b"x" * 9000), UnknownOutcomeError, "so it may have arrived."),
        ((*MANNERLY, b"250-o\x1b[31m\r\n250"), UnknownOutcomeError, "so it may have arrived."),
    ],
    ids=["no service", "another protocol", "no greeting back", "no data", "no recipients",
         "gibberish", "too long", "half an answer"],
)  # fmt: skip
def test_a_server_without_manners_is_understood_on_the_safe_side(answers, ending, says):
    with speaking(*answers) as port:
        found = ending_of(transport_to(port, timeouts=SHORT))

    assert type(found) is ending
    assert found.server_reply.endswith(says)


def test_an_answer_is_told_in_one_short_printable_line():
    lines = b"".join(b"250-part %d \x1b[31m\xff\x00\r\n" % n for n in range(100))

    with speaking(*MANNERLY, lines + b"250 end\r\n", b"221 bye\r\n") as port:
        transport = transport_to(port)
        answer = send(transport)
        transport.close()

    assert answer.startswith("250 part 0 [31m\ufffd part 1 ")
    assert answer.isprintable()
    assert len(answer) == 500


def test_a_mail_that_breaks_off_half_way_has_not_arrived(server):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def break_off():
            connection, _ = listening.accept()
            for answer in MANNERLY:
                connection.sendall(answer)
                connection.recv(4096)
            connection.close()

        thread = threading.Thread(target=break_off)
        thread.start()
        ending = ending_of(transport_to(listening.getsockname()[1]), text="x" * 20_000_000)
        thread.join(10)

    assert type(ending) is ServerUnavailableError


def test_what_is_not_an_address_never_reaches_the_server(server, transport):
    with pytest.raises(PermanentError):
        transport.send(an_envelope(), to=f"{ADA}, {GRACE}")

    assert server.connections == 0
