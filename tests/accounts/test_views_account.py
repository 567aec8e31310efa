"""The page of one's own account: password and signed-in devices."""

from datetime import timedelta

import pytest

from cop.accounts import accounts, login_sessions
from cop.accounts.access_control import TOKEN
from cop.db.engine import write_tx
from cop.models.audit import AuditEntry
from cop.models.coordinator import CoordinatorSession, SignInDelay
from tests.builders import NOW, PASSWORD
from tests.client import advance_clock, error_summary, main_text, post, rows, sign_in, text_of
from tests.page import parse
from tests.statements import Statements

ACCOUNT, FRONT = "/coordinator/account", "/coordinator/"
NEW = "five green herons whistle"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Safari/604.1"


@pytest.fixture
def phone(app, corin):
    """A second device at which Corin is signed in."""
    return another(app, "Safari on iPhone")


def another(app, device=""):
    """One more device of Corin's, as signing in leaves it."""
    client = app.test_client()
    with write_tx() as db_session:
        token = login_sessions.start_session(db_session, 1, now=NOW, device=device)
    with client.session_transaction("/coordinator/") as cookie:
        cookie[TOKEN] = token
    return client


def change(client, old=PASSWORD, new=NEW):
    return post(client, f"{ACCOUNT}/password", form_at=ACCOUNT, old=old, password=new)


def items(page):
    return page.select(".allowed li")


def press(client, **answers):
    return post(client, f"{ACCOUNT}/devices", form_at=ACCOUNT, **answers)


def test_signing_in_records_the_device_and_the_action(app, corin):
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = PHONE

    sign_in(client)

    assert [row["device"] for row in rows(CoordinatorSession) if row["device"]] == [
        "Safari on iPhone"
    ]
    assert [(act["coordinator_id"], act["action"]) for act in rows(AuditEntry)] == [
        (1, "signed in")
    ]


def test_the_list_starts_with_this_device(app, corin, phone):
    advance_clock(app, timedelta(minutes=5))

    found = [text_of(item) for item in items(phone.page(ACCOUNT))]

    assert found[0].startswith("Safari on iPhone this one Signed in Nov 22, 10:00 am, last used")
    assert found[1].startswith("An unknown device Signed in")
    assert len(found) == 2


def test_other_people_s_devices_are_neither_listed_nor_signed_out(app, corin, phone):
    with write_tx() as db_session:
        dana = accounts.add(db_session, "dana@example.org", name="Dana", password=NEW)
        login_sessions.start_session(db_session, dana, now=NOW)
    hers = [row["token_hash"] for row in rows(CoordinatorSession) if row["coordinator_id"] == dana]

    answer = press(corin, device=hers[0])
    press(corin, others="yes")

    assert answer.status_code == 404
    assert [row["coordinator_id"] for row in rows(CoordinatorSession)].count(dana) == 1
    assert len(items(corin.page(ACCOUNT))) == 1


def test_one_device_is_signed_out_and_the_others_stay(corin, phone):
    [key] = [button["value"] for button in corin.page(ACCOUNT).select("button[name=device]")]

    answer = press(corin, device=key)

    assert answer.status_code == 303
    assert "1 device is signed out." in main_text(corin.page(ACCOUNT))
    assert phone.get(FRONT).status_code == 303
    assert press(corin, device=key).status_code == 404
    assert press(corin).status_code == 404


def test_all_others_are_signed_out_at_once(app, corin, phone):
    others = [another(app) for _ in range(2)]

    press(corin, others="yes")

    assert "3 devices are signed out." in main_text(corin.page(ACCOUNT))
    assert {client.get(FRONT).status_code for client in (phone, *others)} == {303}


def test_changing_the_password_takes_the_old_one_and_signs_out_other_devices(app, corin, phone):
    before = corin.get_cookie("cop").value

    answer = change(corin)
    after = corin.get_cookie("cop").value

    assert answer.location == ACCOUNT
    assert "You have a new password." in main_text(corin.page(ACCOUNT))
    assert phone.get(FRONT).status_code == 303
    assert sign_in(app.test_client(), password=PASSWORD).status_code == 422
    assert sign_in(app.test_client(), password=NEW).status_code == 303
    corin.set_cookie("cop", before)
    assert corin.get(FRONT).status_code == 303
    assert before != after


BAD = [
    ("five purple otters sing", NEW, "old"),
    ("", NEW, "old"),
    ("x" * 5000 + "\x00", NEW, "old"),
    (PASSWORD, "", "password"),
    (PASSWORD, "short", "password"),
    (PASSWORD, "CorinCorinCorinCorin", "password"),
]


def test_an_invalid_change_of_password_changes_nothing(corin, phone):
    for old, new, field in BAD:
        answer = change(corin, old, new)

        page = parse(answer)
        assert answer.status_code == 422, (old, new)
        assert page.find(id=f"{field}-refusal").get_text(strip=True) in error_summary(page)
        assert not page.select("input[type=password][value]")
    assert phone.get(FRONT).status_code == 200


def test_wrong_old_passwords_cause_a_delay(app, corin):
    statuses = [change(corin, old="x").status_code for _ in range(6)]

    delayed = change(corin)
    advance_clock(app, timedelta(seconds=int(delayed.headers["Retry-After"])))

    assert statuses == [422] * 5 + [429]
    assert delayed.status_code == 429
    assert change(corin).status_code == 303
    assert 0 in [row["failures"] for row in rows(SignInDelay)]


def test_the_page_takes_five_statements_at_most(corin, phone):
    corin.get(FRONT)

    with Statements() as sent:
        corin.page(ACCOUNT)

    assert len(sent) <= 5, sent
