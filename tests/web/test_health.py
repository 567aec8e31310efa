"""Whether the site is ready: what a monitor, or a person, learns from one look."""

from cop.db import write_tx
from cop.domain import community
from tests.domain.mails import a_mail
from tests.world import NOW


def test_ready_says_since_when_mail_has_been_waiting(client):
    before = client.get("/readyz").json
    with write_tx() as db_session:
        a_mail(db_session)
        community.note_round(db_session, now=NOW)

    after = client.get("/readyz").json

    assert (before["mails_waiting"], before["mails_waiting_since"]) == (0, None)
    assert before["last_daily_round"] == "never"
    assert (after["mails_waiting"], after["mails_waiting_since"]) == (1, NOW.isoformat())
    assert after["last_daily_round"] == NOW.isoformat()


def test_ready_names_no_address(client):
    with write_tx() as db_session:
        a_mail(db_session, "ada@example.org")

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert "ada" not in answer.text
