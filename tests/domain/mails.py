"""Looking into the outbox in tests."""

from uuid import uuid4

from sqlalchemy import select

from cop.domain import outbox
from cop.domain.outbox import Kind, Mail
from cop.mail.letter import Letter
from cop.models import OutboxEmail
from tests.world import NOW

LETTER = Letter("Hello", "Hello there.\n", "<p>Hello there.</p>")


def a_mail(db_session, to="ada@example.org", *, kind=Kind.LINK, now=NOW, **values):
    """Queue a mail, of which nothing matters but what is said."""
    values = {"dedup_key": uuid4().hex} | values
    outbox.queue(db_session, [Mail(LETTER, to, kind, **values)], now=now)
    return mails(db_session)[-1]


def mails(db_session, *kinds):
    """Every mail in the outbox, or those of some kinds, in the order of being queued."""
    query = select(OutboxEmail).order_by(OutboxEmail.id)
    query = query.where(OutboxEmail.kind.in_(kinds)) if kinds else query
    return list(db_session.scalars(query.execution_options(populate_existing=True)))


def told(db_session, *kinds):
    """Who is told what: `(address, subject)` of each mail."""
    return [(mail.to_address, mail.subject) for mail in mails(db_session, *kinds)]


def forget_mails(db_session):
    """Empty the outbox, so that a test sees only what comes next."""
    for mail in mails(db_session):
        db_session.delete(mail)
    db_session.flush()
