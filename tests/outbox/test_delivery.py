"""Delivering the outbox to a real mail server: what got there, and what was noted of it."""

from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.headerregistry import Address
from functools import partial

import pytest
from sqlalchemy import select, text, update

from cop.accounts import accounts, notifications
from cop.db.engine import db, read_tx, write_tx
from cop.mail.smtp import SmtpTransport
from cop.mail.transport import FolderTransport
from cop.models.email import OutboxEmail
from cop.models.registration import Member
from cop.outbox import leases
from cop.outbox.delivery import Delivery
from cop.outbox.outbox import EmailKind
from cop.smtp_url import smtp_server
from tests.builders import ADA, GRACE, LINKS, NOW, PASSWORD, a_mail, mails, register
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
A_MINUTE = timedelta(minutes=1)


@dataclass
class Clock:
    """A clock that a test sets."""

    now: object = NOW

    def __call__(self):
        return self.now


@dataclass
class Post:
    """A mail server, and a delivery to it at a time that the test sets."""

    server: MailServer
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self):
        transport = SmtpTransport(smtp_server(self.server.url), sender=SENDER)
        self.delivery = Delivery(
            transport, SENDER, LINKS, self.clock, on_failure=notifications.notify_first_failure
        )

    def run(self, later=timedelta()):
        self.clock.now += later
        return self.delivery.run()


@pytest.fixture
def post(app):
    with MailServer() as server:
        post = Post(server)
        yield post
        post.delivery.transport.close()


def queue(*addresses):
    with write_tx() as db_session:
        return [a_mail(db_session, address).message_id for address in addresses]


def states():
    with read_tx() as db_session:
        return [mail.state for mail in mails(db_session)]


def noted(column):
    with read_tx() as db_session:
        return list(db_session.scalars(select(column).order_by(OutboxEmail.id)))


def test_what_is_due_goes_out_in_order_and_once(post):
    queue("ada@example.org", "grace@example.org")

    usable = [post.run(), post.run()]

    assert usable == [True, True]
    assert post.server.recipients == ["ada@example.org", "grace@example.org"]
    assert post.server.connections == 1
    assert states() == ["sent", "sent"]
    assert noted(OutboxEmail.server_reply)[0].startswith("250")
    assert noted(OutboxEmail.done_at) == [NOW, NOW]


def test_a_registration_arrives_as_a_mail_with_its_calendar(post):
    with write_tx() as db_session:
        register(db_session, "2026-12-15", ADA)

    post.run()

    [mail] = post.server.mails
    message = message_from_bytes(mail.content, policy=policy.default)
    assert message["To"] == "ada@example.org"
    assert message["Subject"] == "You are registered: December 15"
    assert [part.get_content_type() for part in message.walk() if not part.is_multipart()] == [
        "text/plain", "text/html", "text/calendar"
    ]  # fmt: skip


def test_a_mail_refused_for_now_is_tried_again_and_holds_up_no_other(post):
    post.server.behaviour = lambda number: LATER if number == 0 else TAKEN
    queue("ada@example.org", "grace@example.org")

    post.run()
    first = states()
    post.run(A_MINUTE)

    assert first == ["retrying", "sent"]
    assert states() == ["sent", "sent"]
    assert post.server.recipients == ["grace@example.org", "ada@example.org"]


@pytest.mark.parametrize(
    ("answer", "stops"), [(NO_SUCH_USER, True), (SPAM, False)], ids=["no such user", "spam"]
)
def test_a_mail_refused_for_good_has_failed_and_a_bad_address_gets_no_more(post, answer, stops):
    post.server.behaviour = lambda _number: answer
    with write_tx() as db_session:
        register(db_session, "2026-12-15", ADA)

    post.run()
    post.server.behaviour = lambda _number: TAKEN
    with write_tx() as db_session:
        register(db_session, "2027-01-19", ADA)
    post.run(A_MINUTE)

    assert states() == (["failed"] if stops else ["failed", "sent"])
    with read_tx() as db_session:
        assert (db_session.scalar(select(Member.undeliverable_at)) is not None) == stops


@pytest.mark.parametrize("broken", [BREAKS_OFF_BEFORE, BREAKS_OFF_AFTER], ids=["before", "after"])
def test_a_connection_that_breaks_off_loses_nothing_and_only_an_unknown_ending_doubles(
    post, broken
):
    post.server.behaviour = lambda number: broken if number == 0 else TAKEN
    [message_id] = queue("ada@example.org")

    post.run()
    post.run(A_MINUTE)

    is_unknown = broken is BREAKS_OFF_AFTER
    assert states() == ["sent"]
    assert len(post.server.mails) == 1 + is_unknown
    assert noted(OutboxEmail.unknown_outcomes) == [int(is_unknown)]
    ids = {message_from_bytes(mail.content)["Message-ID"] for mail in post.server.mails}
    assert ids == {f"<{message_id}@cop.example.org>"}
    assert len({mail.content for mail in post.server.mails}) == 1


def test_without_a_server_mails_wait_and_go_out_when_it_is_back(post):
    queue("ada@example.org", "grace@example.org")
    post.server.stop()

    usable = [post.run(), *(post.run(timedelta(hours=1)) for _ in range(72))]
    while_down = set(states())
    post.server.start()
    post.run(timedelta(hours=1))

    assert not any(usable)
    assert while_down <= {"retrying", "queued"}
    assert sorted(post.server.recipients) == ["ada@example.org", "grace@example.org"]
    assert states() == ["sent", "sent"]


def test_where_no_mail_gets_out_only_one_is_tried_at_a_time(post):
    queue("ada@example.org", "grace@example.org", "katherine@example.org")
    post.server.stop()

    post.run()
    post.server.start()

    assert noted(OutboxEmail.attempts) == [1, 0, 0]


def test_two_deliveries_at_once_send_each_mail_once(app, post):
    from tests.concurrency import at_once

    queue(*[f"person{number}@example.org" for number in range(40)])
    others = [Post(post.server) for _ in range(3)]

    at_once(app, post.run, *[other.run for other in others])
    for other in others:
        other.delivery.transport.close()

    assert len(post.server.mails) == len(set(post.server.recipients)) == 40


def test_the_coordinators_hear_of_the_first_failure_only(post):
    post.server.behaviour = lambda number: NO_SUCH_USER if number < 2 else TAKEN
    with write_tx() as db_session:
        accounts.add(db_session, "corin@example.org", name="Corin", password=PASSWORD)
        register(db_session, "2026-12-15", ADA)
        register(db_session, "2026-12-15", GRACE)

    post.run()
    post.run(A_MINUTE)

    assert post.server.recipients == ["corin@example.org"]
    with read_tx() as db_session:
        [mail] = mails(db_session, EmailKind.COORDINATORS)
    assert mail.subject == "A mail could not be delivered"
    assert "ada" not in without_tokens(mail.text + mail.html).lower()


def test_a_failing_mail_to_a_coordinator_makes_no_more_of_them(post):
    post.server.behaviour = lambda _number: NO_SUCH_USER
    with write_tx() as db_session:
        accounts.add(db_session, "corin@example.org", name="Corin", password=PASSWORD)
        a_mail(db_session, "corin@example.org", kind=EmailKind.COORDINATORS)

    for _ in range(3):
        post.run(A_MINUTE)

    assert states() == ["failed"]


def test_a_broken_mail_is_put_aside_and_the_others_go_out(post):
    queue("ada@example.org", "grace@example.org")
    with write_tx() as db_session:
        broken = update(OutboxEmail).where(OutboxEmail.to_address == "ada@example.org")
        db_session.execute(broken.values(language="e\nn"))

    post.run()

    assert states() == ["retrying", "sent"]
    assert noted(OutboxEmail.server_reply)[0] == "It could not be put together: ValueError."


def test_how_a_mail_ended_is_written_down_when_the_database_is_back(post):
    queue("ada@example.org")
    rename = "ALTER TABLE {} RENAME TO {}"

    class Mislaid:
        """A transport in whose hands the database goes away."""

        def send(self, message, *, to):
            answer = transport.send(message, to=to)
            with db.engine.begin() as connection:
                connection.execute(text(rename.format("outbox_email", "mislaid")))
            return answer

    transport, post.delivery.transport = post.delivery.transport, Mislaid()
    with pytest.raises(Exception, match="outbox_email"):
        post.run()
    with db.engine.begin() as connection:
        connection.execute(text(rename.format("mislaid", "outbox_email")))
    post.delivery.transport = transport
    post.run()

    assert states() == ["sent"]
    assert len(post.server.mails) == 1


def test_stopping_finishes_the_mail_in_hand_and_begins_no_other(post):
    queue("ada@example.org", "grace@example.org")
    asked = iter([False, True, True])

    post.delivery.run(stopping=lambda: next(asked))

    assert sorted(states()) == ["queued", "sent"]  # either is first: both are due at once


def test_an_email_that_cannot_be_finished_is_put_back_as_an_unknown_ending(post):
    queue("ada@example.org")
    with write_tx() as db_session:
        post.delivery._leased = leases.claim(db_session, now=NOW)

    post.delivery.put_back()

    with read_tx() as db_session:
        [email] = mails(db_session)
    assert (email.state, email.unknown_outcomes, email.lease) == ("retrying", 1, None)


def test_an_email_whose_answer_came_while_putting_back_waited_is_noted_as_sent(post):
    queue("ada@example.org")
    with write_tx() as db_session:
        email = leases.claim(db_session, now=NOW)
    post.delivery._leased = email
    post.delivery._unstored = partial(post.delivery._store_sent, email, "250 OK")

    post.delivery.put_back()
    post.delivery.put_back()

    assert states() == ["sent"]


def test_a_full_folder_loses_nothing_and_says_so(app, tmp_path, caplog):
    folder = tmp_path / "outbox"
    folder.write_text("in the way")
    delivery = Delivery(FolderTransport(folder), SENDER, LINKS, Clock())
    queue("ada@example.org")

    usable = delivery.run()
    folder.unlink()
    delivery.clock.now += A_MINUTE

    assert (usable, delivery.run()) == (False, True)
    assert states() == ["sent"]
    assert [file.suffix for file in folder.iterdir()] == [".eml"]
    assert leases.BACKOFF[0] == A_MINUTE
