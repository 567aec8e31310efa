"""The secret key that the site's links are signed with: fingerprint, replacement.

A process with another key would email links that no other process accepts.
"""

import re
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cop import links
from cop.calendar import ical
from cop.models.community import Community
from cop.models.email import MailState, OutboxEmail
from cop.outbox.outbox import EmailKind
from cop.secret_key import fingerprint

_LINK = re.compile(r"/(r|join|calendar|unsubscribe|list)/(\.?[\w-]+\.[\w-]+)", re.ASCII)
_UNSENT = (MailState.QUEUED, MailState.RETRYING, MailState.SENDING, MailState.FAILED)


def store_fingerprint(db_session: Session, secret_key: str) -> bool:
    """Store the key's fingerprint if there is none; return whether it is this key's."""
    set_once = update(Community).where(Community.key_fingerprint.is_(None))
    db_session.execute(set_once.values(key_fingerprint=fingerprint(secret_key)))
    return is_known(db_session, secret_key)


def is_known(db_session: Session, secret_key: str) -> bool:
    """Whether links are signed with this key; True if no fingerprint is stored."""
    stored = db_session.scalar(select(Community.key_fingerprint))
    return stored is None or stored == fingerprint(secret_key)


def accept(db_session: Session, secret_key: str, *, now: datetime, is_new: bool = False) -> bool:
    """Accept another key: sign the links in unsent emails again, and store the time.

    Emails with password links and invitations cannot be signed again, and are withdrawn. Return
    False if this is the site's key already, which is also assumed if no fingerprint is stored and
    the key is not `is_new`, that is, was not just made.
    """
    if not is_new and store_fingerprint(db_session, secret_key):
        return False
    values = {"key_fingerprint": fingerprint(secret_key), "key_changed_at": now}
    db_session.execute(update(Community).values(values))
    for email in db_session.scalars(select(OutboxEmail).where(OutboxEmail.state.in_(_UNSENT))):
        if email.kind in {EmailKind.PASSWORD, EmailKind.INVITATION}:
            email.state = MailState.WITHDRAWN
        elif email.member_id is not None:
            _resign_links(email, secret_key)
    return True


def _resign_links(email: OutboxEmail, secret_key: str) -> None:
    def sign(match: re.Match[str]) -> str:
        """Sign only the recipient's own links: others may be in text that somebody typed."""
        page, token = match.groups()
        parts = links.read_token_unverified(token)
        if not parts or parts[0] != email.member_id:
            return match[0]
        purpose = links.Purpose.MEMBER if page == "r" else links.Purpose(page)
        return f"/{page}/{links.sign_token(secret_key, purpose, *parts)}"

    email.text = _LINK.sub(sign, email.text)
    email.html = _LINK.sub(sign, email.html)
    email.unsubscribe_url = email.unsubscribe_url and _LINK.sub(sign, email.unsubscribe_url)
    if email.calendar:
        lines = email.calendar.replace("\r\n ", "").splitlines()  # unfold: RFC 5545, section 3.1
        email.calendar = ical.serialize(_LINK.sub(sign, each) for each in lines).decode()
