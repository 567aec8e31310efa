"""The page of one's own account: password and signed-in devices."""

from datetime import timedelta

import pytest

from cop.accounts import sign_in as accounts_sign_in
from cop.db.engine import write_tx
from cop.models.audit import AuditEntry
from cop.models.coordinator import CoordinatorSession, SignInDelay
from tests.builders import CORIN, NOW, PASSWORD, a_coordinator
from tests.client import (
    advance_clock,
    error_summary,
    main_text,
    post,
    rows,
    sign_in,
    signed_in,
    text_of,
)
from tests.page import parse
from tests.statements import Statements

ACCOUNT, FRONT = "/coordinator/account", "/coordinator/"
NEW = "five green herons whistle"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Safari/604.1"


@pytest.fixture
def phone(app, corin):
    """A second device at which Corin is signed in."""
    return signed_in(app.test_client(), device="Safari on iPhone")


def change(client, old=PASSWORD, new=NEW):
    return post(client, f"{ACCOUNT}/password", form_at=ACCOUNT, old=old, password=new)


def devices(client):
    return [text_of(item) for item in client.page(ACCOUNT).select(".allowed li")]


def press(client, **answers):
    return post(client, f"{ACCOUNT}/devices", form_at=ACCOUNT, **answers)


def test_signing_in_records_the_device_and_the_action(app, corin):
    client = app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = PHONE

    sign_in(client)

    assert {row["device"] for row in rows(CoordinatorSession)} == {"", "Safari on iPhone"}
    assert [(act["coordinator_id"], act["action"]) for act in rows(AuditEntry)] == [
        (1, "signed in")
    ]


def test_the_list_starts_with_this_device(app, corin, phone):
    advance_clock(app, timedelta(minutes=5))

    first, second = devices(phone)

    assert first.startswith("Safari on iPhone this device Signed in Nov 22, 10:00 AM. Last used")
    assert second.startswith("Unknown device Signed in")


def test_other_people_s_devices_are_neither_listed_nor_signed_out(app, corin, phone):
    with write_tx() as db_session:
        dana = a_coordinator(db_session, "Dana").id
    signed_in(app.test_client(), dana)
    [hers] = [row for row in rows(CoordinatorSession) if row["coordinator_id"] == dana]

    answer = press(corin, device=hers["token_hash"])
    press(corin, others="yes")

    assert answer.status_code == 404
    assert hers in rows(CoordinatorSession)
    assert len(devices(corin)) == 1


def test_one_device_or_all_others_are_signed_out(app, corin, phone):
    others = [signed_in(app.test_client()) for _ in range(2)]
    [key] = [row["token_hash"] for row in rows(CoordinatorSession) if row["device"]]

    one = press(corin, device=key)
    text = main_text(corin.page(ACCOUNT))
    statuses = [client.get(FRONT).status_code for client in (phone, *others)]
    press(corin, others="yes")

    assert one.status_code == 303
    assert "Signed out 1 device." in text
    assert statuses == [303, 200, 200]
    assert "Signed out 2 devices." in main_text(corin.page(ACCOUNT))
    assert {client.get(FRONT).status_code for client in others} == {303}
    assert press(corin, device=key).status_code == 404
    assert press(corin).status_code == 404


def test_changing_the_password_takes_the_old_one_and_signs_out_other_devices(app, corin, phone):
    before = corin.get_cookie("cop").value

    answer = change(corin)
    after = corin.get_cookie("cop").value

    assert answer.location == ACCOUNT
    assert "Password changed." in main_text(corin.page(ACCOUNT))
    assert phone.get(FRONT).status_code == 303
    assert sign_in(app.test_client(), password=PASSWORD).status_code == 422
    assert sign_in(app.test_client(), password=NEW).status_code == 303
    corin.set_cookie("cop", before)
    assert corin.get(FRONT).status_code == 303
    assert before != after


INVALID = [
    ("five purple otters sing", NEW, "old"),
    ("", NEW, "old"),
    ("x" * 5000 + "\x00", NEW, "old"),
    (PASSWORD, "", "password"),
    (PASSWORD, "CorinCorinCorinCorin", "password"),
]


def test_an_invalid_change_of_password_changes_nothing(corin, phone):
    for old, new, field in INVALID:
        answer = change(corin, old, new)

        page = parse(answer)
        assert answer.status_code == 422, (old, new)
        assert page.find(id=f"{field}-refusal").get_text(strip=True) in error_summary(page)
        assert not page.select("input[type=password][value]")
    assert phone.get(FRONT).status_code == 200


def test_wrong_old_passwords_cause_a_delay(app, corin):
    with write_tx() as db_session:
        for _ in range(4):
            accounts_sign_in.begin(db_session, CORIN, network="127.0.0.1", now=NOW)

    fifth, delayed = change(corin, old="x"), change(corin)
    advance_clock(app, timedelta(seconds=int(delayed.headers["Retry-After"])))

    assert (fifth.status_code, delayed.status_code) == (422, 429)
    assert change(corin).status_code == 303
    assert 0 in [row["failures"] for row in rows(SignInDelay)]


def test_the_page_takes_five_statements_at_most(corin, phone):
    corin.get(FRONT)

    with Statements() as sent:
        corin.page(ACCOUNT)

    assert len(sent) <= 5, sent
