"""No email goes to another person, whatever names and addresses people type."""

import random
from collections import Counter

import pytest

from cop.mail.errors import PermanentError
from cop.mail.smtp import SmtpTransport
from cop.smtp_url import Security, SmtpServer
from tests.mail.messages import SENDER, a_message, read, recipients, text_of
from tests.smtp_server import MailServer

MALLORY = "mallory@evil.example"
PIECES = [
    "Ada", "Lovelace", "Ünal", "你好", "علي", "👩‍💻", "e\u0301", " ", "  ", "\t", "\r\n", "\n", "\r", "\x00",
    "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\u200f", "\ufeff", "\ud800",
    "\uffff", "\u00a0", ",", ";", ":", '"', "'", "<", ">", "(", ")", "[", "]", "@", "\\", ".", "..", "=", "?",
    "=?", "?=", "_", "%", "%0d%0a", "\\r\\n", "undisclosed-recipients:;", f"<{MALLORY}>", f"{MALLORY}, ",
    f'", <{MALLORY}>', f"\r\nBcc: {MALLORY}", f"\nTo: {MALLORY}\n\n", f"=?utf-8?q?x=0D=0ABcc:_{MALLORY}?=",
    "=?utf-8?b?DQpCY2M6IG1hbGxvcnlAZXZpbC5leGFtcGxl?=", f"=?utf-8?q?a=2C_{MALLORY}=2C?=",
    "=\u202e?utf-8?q?x=0ABcc:_a@b?=", "x" * 40, "x" * 200, "Smith, John " * 8, "Dr. J. Q. " * 9, "ü, " * 30, '", x' * 15, "\\\\, " * 20,
]  # fmt: skip
ADDRESSES = [
    "ada@example.org", "o'neil+cop@example.org", "a@b.co", "ada@bücher.example", "ünal@example.org",
    "x=y?z@example.org", "{a|b}!#$%&*/^~@example.org", f"{'a' * 64}@example.org",
    f"ada@{'b' * 60}.{'c' * 60}.{'d' * 50}.example.org", "ада@пример.example", "root@localhost", "a.b.c@test.test",
]  # fmt: skip


def hostile(seed, count):
    """Names and addresses made of pieces that have a meaning in headers."""
    chance = random.Random(seed)
    for _ in range(count):
        name = "".join(chance.choices(PIECES, k=chance.randint(1, 8)))
        address = chance.choice(ADDRESSES)
        if chance.random() < 0.3:
            cut = chance.randint(0, len(address))
            address = address[:cut] + chance.choice(PIECES) + address[cut:]
        yield name, address


def in_ascii(address):
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_no_name_and_no_address_adds_a_recipient_or_a_header(seed):
    expected = Counter(read(a_message().as_bytes()).keys())
    accepted = refused = 0

    for name, address in hostile(seed, count=1000):
        try:
            content = a_message(address, name).as_bytes()
        except PermanentError:
            refused += 1
            continue
        accepted += 1
        email = read(content)
        assert len(recipients(email)) == 1, (name, address)
        assert Counter(email.keys()) == expected, (name, address)
        assert max(map(len, content.split(b"\r\n"))) <= 998, (name, address)
        assert text_of(next(email.iter_parts())) == "Hello Ada,\n\nyou have a spot.\n"
        if address in ADDRESSES:
            assert recipients(email) == [in_ascii(address)], (name, address)

    assert accepted > 700
    assert refused > 100


def is_refused(address):
    try:
        a_message(address)
    except PermanentError:
        return True
    return False


def test_a_real_server_gets_each_email_for_one_recipient():
    sent = []

    with MailServer() as server:
        smtp = SmtpServer("127.0.0.1", server.port, Security.NONE)
        transport = SmtpTransport(smtp, sender=SENDER)
        for name, address in hostile(seed=1, count=60):
            if is_refused(address):
                continue
            transport.send(a_message(address, name), to=address)
            sent.append(address)
        transport.close()

    assert len(sent) > 40
    assert len(server.mails) == len(sent)
    assert not [
        email for email in server.mails if email.recipients != recipients(read(email.content))
    ]
    assert MALLORY not in server.recipients
    known = {address: in_ascii(address) for address in ADDRESSES}
    assert all(known.get(a, got) == got for a, got in zip(sent, server.recipients, strict=True))
