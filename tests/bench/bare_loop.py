"""The least that sending mails takes: one connection, one ready message, a loop.

`python -m tests.bench.bare_loop PORT COUNT`
"""

import smtplib
import sys
from email.headerregistry import Address
from types import SimpleNamespace

from cop.mail.message import build_message
from tests.builders import NOW
from tests.mail.gallery import TO_MEMBERS


def main(port, count):
    letter = TO_MEMBERS["confirmation"]()
    row = {"to_address": "ada@example.org", "to_name": "", "message_id": "bare", "language": "en"}
    email = SimpleNamespace(**vars(letter), **row, created_at=NOW)
    sender = Address("", "no-reply", "cop.example.org")
    content = build_message(email, sender=sender, reply_to=None).as_bytes()
    with smtplib.SMTP("127.0.0.1", int(port), local_hostname="bench.test") as connection:
        for number in range(int(count)):
            connection.sendmail(sender.addr_spec, [f"p{number}@example.org"], content)


if __name__ == "__main__":
    main(*sys.argv[1:])
