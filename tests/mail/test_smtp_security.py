"""The connection to the mail server: encrypted, verified, and no password is shown."""

import logging
import ssl
import traceback
from base64 import b64encode

import pytest
import trustme

from cop.mail.errors import ServerUnavailableError
from cop.mail.smtp import SmtpTransport, Timeouts
from cop.smtp_url import Security, SmtpServer
from tests.mail.messages import ADA, SENDER, a_message
from tests.smtp_server import MailServer

USER, PASSWORD = "cop@example.org", "correct horse"
CA = trustme.CA()
CERTIFICATE = CA.issue_cert("127.0.0.1")


def trusting(ca=CA):
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


def transport_to(server, security, *, context=None, user="", password="", seconds=1):
    server_address = SmtpServer("127.0.0.1", server.port, security, user, password)
    timeouts = Timeouts(connect=seconds, reply=5)
    return SmtpTransport(server_address, sender=SENDER, context=context, timeouts=timeouts)


def send(transport):
    try:
        return transport.send(a_message(), to=ADA)
    finally:
        transport.close()


def error_of(transport):
    with pytest.raises(ServerUnavailableError) as error:
        send(transport)
    return error.value


@pytest.fixture(params=["TLS", "STARTTLS"])
def security(request):
    return Security[request.param]


@pytest.fixture
def server(security):
    with MailServer(certificate=CERTIFICATE, is_implicit=security is Security.TLS) as server:
        yield server


def test_an_email_is_sent_encrypted(server, security):
    answer = send(transport_to(server, security, context=trusting()))

    assert answer == "250 2.0.0 OK queued"
    assert server.recipients == [ADA]
    assert server.mails[0].is_encrypted


def test_an_untrusted_certificate_is_refused(server, security):
    error = error_of(transport_to(server, security))

    assert "has a certificate that we can't trust: " in error.server_reply
    assert server.begun == 0


def test_a_certificate_for_another_name_is_refused(security):
    other = CA.issue_cert("mail.example.org")

    with MailServer(certificate=other, is_implicit=security is Security.TLS) as server:
        error = error_of(transport_to(server, security, context=trusting()))

    assert "not valid for '127.0.0.1'" in error.server_reply
    assert server.begun == 0


def test_without_starttls_nothing_is_sent():
    with MailServer(login=(USER, PASSWORD)) as server:
        error = error_of(transport_to(server, Security.STARTTLS, user=USER, password=PASSWORD))

    assert "doesn't offer encryption (STARTTLS), so nothing was sent." in error.server_reply
    assert (server.begun, server.logins) == (0, [])


def test_on_this_machine_encryption_is_used_if_offered():
    with MailServer(certificate=CERTIFICATE) as offering, MailServer() as plain:
        send(transport_to(offering, Security.IF_OFFERED, context=trusting()))
        send(transport_to(plain, Security.IF_OFFERED))
        error = error_of(transport_to(offering, Security.IF_OFFERED))

    assert [mail.is_encrypted for mail in offering.mails + plain.mails] == [True, False]
    assert error.server_reply.endswith(
        " It runs on this machine, so you can turn off encryption with ?tls=no."
    )


def test_disabled_encryption_is_not_used_even_if_offered():
    with MailServer(certificate=CERTIFICATE) as server:
        send(transport_to(server, Security.NONE))

    assert [mail.is_encrypted for mail in server.mails] == [False]


@pytest.mark.parametrize(
    ("is_implicit", "security", "seconds", "expected"),
    [
        (False, Security.TLS, 1, "couldn't be reached securely: WRONG_VERSION_NUMBER."),
        (True, Security.STARTTLS, 0.1, "didn't answer in time."),
    ],
    ids=["smtps at 587", "smtp at 465"],
)
def test_the_wrong_port_for_the_kind_of_encryption_is_reported(
    is_implicit, security, seconds, expected
):
    with MailServer(certificate=CERTIFICATE, is_implicit=is_implicit) as server:
        error = error_of(transport_to(server, security, context=trusting(), seconds=seconds))

    assert expected in error.server_reply


def test_a_correct_login_is_accepted(server, security):
    server.login = (USER, PASSWORD)

    send(transport_to(server, security, context=trusting(), user=USER, password=PASSWORD))

    assert server.recipients == [ADA]


@pytest.mark.parametrize("echo", [PASSWORD, b64encode(PASSWORD.encode()).decode(), ""])
def test_a_refused_login_is_reported_without_its_password(caplog, echo):
    caplog.set_level(logging.DEBUG, "cop")
    expected = f"535 5.7.8 Not accepted {echo}"
    with MailServer(login=(USER, "another"), to_wrong_login=expected) as server:
        transport = transport_to(server, Security.NONE, user=USER, password=PASSWORD)
        error = error_of(transport)

    output = "".join(traceback.format_exception(error)) + caplog.text
    output += f"{error!r} {transport!r} {vars(transport)!r}"
    assert error.server_reply.startswith(
        f"The server at 127.0.0.1:{server.port} refused the sign-in: 535 5.7.8 Not accepted"
    )
    assert server.begun == 0
    assert PASSWORD not in output
    assert b64encode(PASSWORD.encode()).decode() not in output


def test_a_server_without_login_is_reported():
    with MailServer() as server:
        error = error_of(transport_to(server, Security.NONE, user=USER, password=PASSWORD))

    assert error.server_reply == (
        f"The server at 127.0.0.1:{server.port} offers no way to sign in that we support."
    )


def test_a_missing_login_loses_no_email():
    with MailServer(login=(USER, PASSWORD)) as server:
        error = error_of(transport_to(server, Security.NONE))

    assert error.server_reply.endswith(": 530 5.7.0 Authentication required")
    assert server.begun == 0
