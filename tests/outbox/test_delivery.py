"""Delivering the outbox to a real server: what arrived, and which result was stored."""

from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.headerregistry import Address

import pytest
from sqlalchemy import select, text, update

from cop.accounts import accounts, notifications
from cop.db.engine import db, read_tx, write_tx
from cop.mail.smtp import SmtpTransport
from cop.models.email import OutboxEmail
from cop.models.registration import Member
from cop.outbox import retries
from cop.outbox.delivery import Delivery
from cop.outbox.outbox import EmailKind
from cop.smtp_url import parse_server
from tests.builders import ADA, GRACE, LINKS, NOW, PASSWORD, an_email, outbox_emails, register
from tests.concurrency import at_once
from tests.smtp_server import (
    BREAKS_OFF_AFTER,
    BREAKS_OFF_BEFORE,
    LATER,
    NO_SUCH_USER,
    SPAM,
    TAKEN,
    MailServer,
)
from tests.tokens import without_tokens

pytestmark = pytest.mark.both

SENDER = Address("Equity in Data", "no-reply", "cop.example.org")
MINUTE = timedelta(minutes=1)


@dataclass
class Clock:
    """A clock that a test sets."""

    now: object = NOW

    def __call__(self):
        return self.now


@dataclass
class Rig:
    """A mail server, and a delivery to it at a time that the test sets."""

    server: MailServer
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self):
        transport = SmtpTransport(parse_server(self.server.url), sender=SENDER)
        self.delivery = Delivery(
            transport, SENDER, LINKS, self.clock, on_failure=notifications.notify_first_failure
        )

    def run(self, later=timedelta()):
        self.clock.now += later
        return self.delivery.run()


@pytest.fixture
def rig(app):
    with MailServer() as server:
        rig = Rig(server)
        yield rig
        rig.delivery.transport.close()


def queue(*addresses):
    """Queue an email to each, a second apart: PostgreSQL takes those due at once in any order."""
    first = NOW - timedelta(seconds=len(addresses))
    with write_tx() as db_session:
        return [
            an_email(db_session, address, now=first + timedelta(seconds=number)).message_id
            for number, address in enumerate(addresses)
        ]


def states():
    with read_tx() as db_session:
        return [mail.state for mail in outbox_emails(db_session)]


def column(attribute):
    with read_tx() as db_session:
        return list(db_session.scalars(select(attribute).order_by(OutboxEmail.id)))


def test_due_emails_go_out_in_order_and_once(rig):
    queue("ada@example.org", "grace@example.org")

    usable = [rig.run(), rig.run()]

    assert usable == [True, True]
    assert rig.server.recipients == ["ada@example.org", "grace@example.org"]
    assert rig.server.connections == 1
    assert states() == ["sent", "sent"]
    assert column(OutboxEmail.server_reply)[0].startswith("250")
    assert column(OutboxEmail.done_at) == [NOW, NOW]


def test_a_temporary_refusal_is_retried_and_holds_up_no_other_email(rig):
    rig.server.behaviour = lambda number: LATER if number == 0 else TAKEN
    queue("ada@example.org", "grace@example.org")

    rig.run()
    first = states()
    rig.run(MINUTE)

    assert first == ["retrying", "sent"]
    assert states() == ["sent", "sent"]
    assert rig.server.recipients == ["grace@example.org", "ada@example.org"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(NO_SUCH_USER, ["failed", "withdrawn"]), (SPAM, ["failed", "sent"])],
    ids=["no such user", "spam"],
)
def test_a_permanent_refusal_fails_and_a_bad_address_gets_no_more_email(rig, answer, expected):
    rig.server.behaviour = lambda number: TAKEN if number else answer
    with write_tx() as db_session:
        register(db_session, "2026-12-15", ADA, now=NOW - timedelta(seconds=1))
        register(db_session, "2027-01-19", ADA)

    rig.run()

    assert states() == expected
    with read_tx() as db_session:
        undeliverable_at = db_session.scalar(select(Member.undeliverable_at))
    assert undeliverable_at == (NOW if answer is NO_SUCH_USER else None)


@pytest.mark.parametrize("broken", [BREAKS_OFF_BEFORE, BREAKS_OFF_AFTER], ids=["before", "after"])
def test_a_broken_connection_loses_nothing_and_only_an_unknown_outcome_doubles(rig, broken):
    rig.server.behaviour = lambda number: broken if number == 0 else TAKEN
    [message_id] = queue("ada@example.org")

    rig.run()
    rig.run(MINUTE)

    is_unknown = broken is BREAKS_OFF_AFTER
    assert states() == ["sent"]
    assert len(rig.server.mails) == 1 + is_unknown
    assert column(OutboxEmail.unknown_outcomes) == [int(is_unknown)]
    ids = {message_from_bytes(mail.content)["Message-ID"] for mail in rig.server.mails}
    assert ids == {f"<{message_id}@cop.example.org>"}
    assert len({mail.content for mail in rig.server.mails}) == 1


def test_emails_wait_for_an_unavailable_server_which_is_tried_with_one_at_a_time(rig):
    queue("ada@example.org", "grace@example.org")
    rig.server.stop()

    usable = [rig.run()]
    attempts = column(OutboxEmail.attempts)
    usable += [rig.run(timedelta(days=1)) for _ in range(7)]
    while_down = set(states())
    rig.server.start()
    rig.run(timedelta(hours=1))

    assert not any(usable)
    assert attempts == [1, 0]
    assert while_down <= {"retrying", "queued"}
    assert sorted(rig.server.recipients) == ["ada@example.org", "grace@example.org"]
    assert states() == ["sent", "sent"]


def test_concurrent_deliveries_send_each_email_once(app, rig):
    queue(*[f"person{number}@example.org" for number in range(20)])
    others = [Rig(rig.server) for _ in range(3)]

    at_once(app, rig.run, *[other.run for other in others])
    for other in others:
        other.delivery.transport.close()

    assert len(rig.server.mails) == len(set(rig.server.recipients)) == 20


def test_coordinators_are_notified_of_the_first_failure_only(rig):
    rig.server.behaviour = lambda number: NO_SUCH_USER if number < 2 else TAKEN
    with write_tx() as db_session:
        accounts.add(db_session, "corin@example.org", name="Corin", password=PASSWORD)
        register(db_session, "2026-12-15", ADA)
        register(db_session, "2026-12-15", GRACE)

    rig.run()
    rig.run(MINUTE)

    assert rig.server.recipients == ["corin@example.org"]
    with read_tx() as db_session:
        [mail] = outbox_emails(db_session, EmailKind.COORDINATORS)
    assert mail.subject == "An email could not be delivered"
    assert "ada" not in without_tokens(mail.text + mail.html).lower()


def test_a_failing_notification_causes_no_other(rig):
    rig.server.behaviour = lambda _number: NO_SUCH_USER
    with write_tx() as db_session:
        accounts.add(db_session, "corin@example.org", name="Corin", password=PASSWORD)
        an_email(db_session, "corin@example.org", kind=EmailKind.COORDINATORS)

    for _ in range(3):
        rig.run(MINUTE)

    assert states() == ["failed"]


def test_an_email_that_cannot_be_composed_holds_up_no_other(rig):
    queue("ada@example.org", "grace@example.org")
    with write_tx() as db_session:
        broken = update(OutboxEmail).where(OutboxEmail.to_address == "ada@example.org")
        db_session.execute(broken.values(language="e\nn"))

    rig.run()

    assert states() == ["retrying", "sent"]
    assert column(OutboxEmail.server_reply)[0] == "It could not be composed: ValueError."


def test_a_result_is_stored_when_the_database_is_back(rig):
    queue("ada@example.org")
    rename = "ALTER TABLE {} RENAME TO {}"

    class LosesDatabase:
        """A transport during whose work the database goes away."""

        def send(self, message, *, to):
            answer = transport.send(message, to=to)
            with db.engine.begin() as connection:
                connection.execute(text(rename.format("outbox_email", "renamed")))
            return answer

    transport, rig.delivery.transport = rig.delivery.transport, LosesDatabase()
    with pytest.raises(Exception, match="outbox_email"):
        rig.run()
    with db.engine.begin() as connection:
        connection.execute(text(rename.format("renamed", "outbox_email")))
    rig.delivery.transport = transport
    rig.run()

    assert states() == ["sent"]
    assert len(rig.server.mails) == 1


def test_stopping_finishes_the_current_email_and_starts_no_other(rig):
    queue("ada@example.org", "grace@example.org")
    answers = iter([False, True, True])

    rig.delivery.run(stopping=lambda: next(answers))

    assert sorted(states()) == ["queued", "sent"]  # either is first: both are due at once


def test_an_unfinished_email_is_put_back_with_an_unknown_outcome(rig):
    queue("ada@example.org")
    with write_tx() as db_session:
        rig.delivery._leased = retries.claim(db_session, now=NOW)

    rig.delivery.put_back()

    with read_tx() as db_session:
        [email] = outbox_emails(db_session)
    assert (email.state, email.unknown_outcomes, email.lease) == ("retrying", 1, None)


def test_a_reply_that_came_before_putting_back_is_stored_as_sent(rig):
    queue("ada@example.org")
    with write_tx() as db_session:
        rig.delivery._leased = retries.claim(db_session, now=NOW)
    rig.delivery._result = "250 OK"

    rig.delivery.put_back()
    rig.delivery.put_back()

    assert states() == ["sent"]
