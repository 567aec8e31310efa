"""Using the links in the mail as their owners do."""

from datetime import timedelta

from sqlalchemy import select

from cop.db import read_tx
from cop.links import Links, Owner
from cop.models import Member, OutboxEmail, Registration
from tests.web.posting import SAME_ORIGIN
from tests.world import NOW

ADA, GRACE = "ada@example.org", "grace@example.org"
LINKS = Links("", "k" * 40)  # as paths: the tests' site has the same key


def the_member(email=ADA):
    with read_tx() as db_session:
        return db_session.scalars(select(Member).where(Member.email_key == email)).one()


def owner(email=ADA):
    found = the_member(email)
    return Owner(found.id, found.token_version)


def own(below="", email=ADA, age=timedelta()):
    """The address of a member's own page, or of one below it, from a mail of some age."""
    return LINKS.member(owner(email), below, on=(NOW - age).date())


def way_in(email=ADA):
    """The way into the first meeting that a member registered for."""
    with read_tx() as db_session:
        query = select(Registration.id).join(Member).where(Member.email_key == email)
        id_ = db_session.scalars(query.order_by(Registration.id)).first()
    return LINKS.join(owner(email), id_)


def stop(kind, email=ADA):
    return LINKS.unsubscribe(the_member(email).id, kind)


def yes_to_list(email=ADA):
    return LINKS.confirm_list(owner(email))


def press(client, path, **sent):
    """Press a button."""
    return client.post(path, data=sent, headers=SAME_ORIGIN)


def mails(*kinds):
    """(to, subject) of each mail in the outbox, or of those of some kinds."""
    query = select(OutboxEmail.to_address, OutboxEmail.subject).order_by(OutboxEmail.id)
    query = query.where(OutboxEmail.kind.in_(kinds)) if kinds else query
    with read_tx() as db_session:
        return [tuple(row) for row in db_session.execute(query)]


def said(page):
    """What a page says, without what every page has around it."""
    return words(page.main)


def words(tag):
    """The words inside of a tag, with one space between them."""
    return " ".join(tag.get_text(" ").split())


def feed(email=ADA):
    """The address of a member's own calendar."""
    found = the_member(email)
    return LINKS.calendar(found.id, found.calendar_version)
