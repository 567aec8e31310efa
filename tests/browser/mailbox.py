"""The mail of a running site that has no mail server: its folder, read as a mailbox."""

import re
import time
from email import message_from_bytes, policy

PATIENCE = 15  # seconds until a mail that does not come is a fault


def mail_to(site, address, *, subject=""):
    """The last mail to an address whose subject begins so, as soon as there is one."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = [mail for mail in _mails(site) if mail["To"] == address
                 and mail["Subject"].startswith(subject)]  # fmt: skip
        if found:
            return found[-1]
        time.sleep(0.05)
    raise AssertionError(f"no mail {subject!r} to {address}")


def _mails(site):
    files = sorted((site.instance / "outbox").glob("*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


def link_in(mail, beginning):
    """The path of the first link in a mail that begins so, like `/r/`."""
    text = mail.get_body(("plain",)).get_content()
    return re.search(rf"https?://[^/\s]+({re.escape(beginning)}\S*)", text)[1]
