"""The secret key of a site: known by its fingerprint, and what becomes of emails with another one."""

import re

from cop import links
from cop.links import Purpose
from cop.models.community import Community
from cop.operations import signing_key
from cop.outbox.outbox import EmailKind
from tests.builders import (
    ADA,
    GRACE,
    KATHERINE,
    LINKS,
    MALLORY,
    NOW,
    an_email,
    find_member,
    outbox_emails,
    register,
)

DECEMBER = "2026-12-15"
OLD, NEW = LINKS.secret_key, "n" * 40
KINDS = {
    Purpose.MEMBER: (int, int, int),
    Purpose.JOIN: (int, int, int),
    Purpose.CALENDAR: (int, int),
    Purpose.UNSUBSCRIBE: (int, str),
    Purpose.LIST: (int, int),
}


def opened(mail, key):
    """What the links in an email open with a key: the parts of each token, by the field."""
    fields = {
        "text": mail.text,
        "html": mail.html,
        "unsubscribe_url": mail.unsubscribe_url or "",
        "calendar": (mail.calendar or "").replace("\r\n ", ""),
    }
    return {
        name: [
            (purpose, *parts)
            for token in re.findall(r"[\w-]{6,}\.[\w-]{20,}", text)
            for purpose, kinds in KINDS.items()
            if (parts := links.read_token(key, purpose, token, kinds))
        ]
        for name, text in fields.items()
    }


def accept_new_key(db_session):
    signing_key.store_fingerprint(db_session, OLD)
    signing_key.accept(db_session, NEW, now=NOW)
    db_session.flush()


def test_the_first_key_is_remembered_and_another_one_is_not_the_sites(db_session):
    before = signing_key.is_known(db_session, NEW)  # as in a database from an earlier release

    first = signing_key.store_fingerprint(db_session, OLD)
    other = signing_key.store_fingerprint(db_session, NEW)

    assert (before, first, other) == (True, True, False)
    assert signing_key.is_known(db_session, OLD)
    assert not signing_key.is_known(db_session, NEW)


def test_a_key_that_is_accepted_is_the_sites_and_the_old_one_is_not(db_session):
    signing_key.store_fingerprint(db_session, OLD)

    own = signing_key.accept(db_session, OLD, now=NOW)
    unchanged = db_session.query(Community.key_changed_at).scalar()
    first, again = (signing_key.accept(db_session, NEW, now=NOW) for _ in range(2))

    assert (own, unchanged, first, again) == (False, None, True, False)
    assert signing_key.is_known(db_session, NEW)
    assert not signing_key.is_known(db_session, OLD)
    assert db_session.query(Community.key_changed_at).scalar() == NOW


def test_where_no_key_was_stored_only_a_new_one_is_another(db_session):
    known = signing_key.accept(db_session, OLD, now=NOW)
    changed_at = db_session.query(Community.key_changed_at).scalar()
    is_stored = not signing_key.is_known(db_session, NEW)
    db_session.query(Community).update({"key_fingerprint": None})
    new = signing_key.accept(db_session, NEW, now=NOW, is_new=True)

    assert (known, changed_at, is_stored) == (False, None, True)
    assert new
    assert not signing_key.is_known(db_session, OLD)
    assert db_session.query(Community.key_changed_at).scalar() == NOW


def test_links_in_unsent_emails_are_signed_with_the_accepted_key(db_session):
    people = (ADA, GRACE, KATHERINE, MALLORY)
    states = ("queued", "retrying", "sending", "failed")
    for person, state in zip(people, states, strict=True):
        register(db_session, DECEMBER, person)
        email = outbox_emails(db_session)[-1]
        email.state = state
        email.unsubscribe_url = LINKS.unsubscribe(email.member_id, "reminders")
    db_session.flush()
    before = [opened(email, OLD) for email in outbox_emails(db_session)]

    accept_new_key(db_session)

    emails = outbox_emails(db_session)
    assert all(links for links in before[0].values())
    assert [opened(email, NEW) for email in emails] == before
    assert not any(links for email in emails for links in opened(email, OLD).values())
    lines = emails[0].calendar.encode().split(b"\r\n")
    assert max(len(line) for line in lines) <= 75


def test_an_email_that_went_out_stays_as_it_was(db_session):
    register(db_session, DECEMBER, ADA)
    [email] = outbox_emails(db_session)
    email.state = "sent"
    text = email.text

    accept_new_key(db_session)

    assert email.text == text


def test_a_link_to_somebody_else_that_an_email_quotes_is_not_signed(db_session):
    register(db_session, DECEMBER, ADA)
    register(db_session, DECEMBER, GRACE)
    forged = links.sign_token(
        "m" * 40, Purpose.MEMBER, find_member(db_session, GRACE.email).id, 0, 740000
    )
    mail = outbox_emails(db_session)[0]
    mail.text += f"\nMallory wrote: see https://cop.example.org/r/{forged}\n/r/not.atoken"

    accept_new_key(db_session)

    assert mail.to_address == ADA.email
    assert f"/r/{forged}\n/r/not.atoken" in mail.text


def test_links_that_cannot_be_signed_anew_do_not_go_out(db_session):
    for kind in (EmailKind.PASSWORD, EmailKind.INVITATION, EmailKind.COORDINATORS):
        an_email(db_session, "corin@example.org", kind=kind)

    accept_new_key(db_session)

    states = [email.state for email in outbox_emails(db_session)]
    assert states == ["withdrawn", "withdrawn", "queued"]
