"""The pages of two-factor sign-in: set-up, sign-in, turning it off, requiring it."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pyotp import TOTP

from cop.accounts import accounts, two_factor
from cop.db.engine import write_tx
from cop.models.audit import AuditEntry
from cop.models.coordinator import Coordinator, CoordinatorSession, SignInDelay
from tests.builders import CORIN, NOW, PASSWORD
from tests.client import (
    DECEMBER,
    HTMX,
    SAME_ORIGIN,
    advance_clock,
    error_summary,
    main_text,
    post,
    rows,
    sign_in,
    signed_in,
)
from tests.page import parse

ACCOUNT, FRONT, SIGN_IN = "/coordinator/account", "/coordinator/", "/coordinator/sign-in"
SET_UP, OFF, CODE = f"{ACCOUNT}/two-factor", f"{ACCOUNT}/two-factor/off", f"{SIGN_IN}/code"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def code(secret=SECRET, ahead=timedelta()):
    return TOTP(secret).at(NOW + ahead)


@pytest.fixture
def phone(corin):
    """Corin's second factor: the recovery codes."""
    then = NOW - timedelta(hours=1)
    typed = code(ahead=-timedelta(hours=1))
    with write_tx() as db_session:
        by = db_session.get(Coordinator, 1)
        return two_factor.set_up(db_session, by, secret=SECRET, typed=typed, now=then)


@pytest.fixture
def pending(app, phone):
    """A client whose password was right, and that has not written a code."""
    return signed_in(app.test_client(), awaits_code=True)


def count_wrong_codes(times):
    with write_tx() as db_session:
        for _ in range(times):
            two_factor.count_attempt(db_session, 1, now=NOW)


def new_key(client):
    """The key that the page to set it up shows."""
    return client.page(SET_UP).select_one(".secret").get_text().replace(" ", "")


def test_set_up_shows_the_key_in_three_ways_and_the_recovery_codes_once(app, corin):
    other, page, key = signed_in(app.test_client()), corin.page(SET_UP), new_key(corin)
    address = page.select_one("main a[href^='otpauth:']")["href"]
    picture = corin.get(page.select_one("main img")["src"])

    shown = post(corin, SET_UP, code=code(key), old=PASSWORD)
    codes = [item.get_text() for item in parse(shown).select(".codes li")]

    assert parse_qs(urlsplit(address).query)["secret"] == [key]
    assert "Equity%20in%20Data:corin%40example.org" in address
    assert picture.mimetype == "image/svg+xml"
    assert "no-store" in picture.headers["Cache-Control"]
    assert (shown.status_code, len(set(codes))) == (200, 10)
    assert "no-store" in shown.headers["Cache-Control"]
    assert "You have 10 recovery codes left." in main_text(corin.page(ACCOUNT))
    assert other.get(FRONT).status_code == 303
    assert corin.get(SET_UP).status_code == 303
    assert corin.get(f"{SET_UP}/qr.svg").status_code == 404
    assert not any(code in str(rows(Coordinator)) for code in codes)
    assert [act["action"] for act in rows(AuditEntry)] == ["changed second factor"]


def test_a_wrong_code_or_password_leaves_two_factor_off_and_keeps_the_key(app, corin):
    other, key = signed_in(app.test_client()), new_key(corin)
    wrong = [
        *[("", PASSWORD), ("000000", PASSWORD), ("\x00", PASSWORD)],
        *[(code(key), ""), (code(key), "five purple otters sing")],
    ]

    for typed, password in wrong:
        answer = post(corin, SET_UP, code=typed, old=password)

        assert answer.status_code == 422
        assert error_summary(parse(answer))
        assert new_key(corin) == key
    assert rows(Coordinator)[0]["totp_secret"] is None
    assert other.get(FRONT).status_code == 200


def test_the_password_alone_opens_the_page_for_the_code_only(app, corin, pending):
    assert pending.get(FRONT).status_code == 303
    assert pending.post(f"{ACCOUNT}/devices", headers=SAME_ORIGIN).status_code == 403
    assert "Corin" not in main_text(pending.page(CODE))
    assert [client.get(CODE).location for client in (corin, app.test_client())] == [SIGN_IN] * 2


def test_the_code_signs_in_with_a_new_cookie_and_redirects_to_the_page_asked_for(app, phone):
    client, wanted = app.test_client(), f"/coordinator/sessions/{DECEMBER}"
    first = post(client, f"{SIGN_IN}?next={wanted}", email=CORIN, password=PASSWORD)
    before = client.get_cookie("cop").value
    form = client.page(first.location).select_one("main form")

    answer = post(client, form["action"], code=f" {code()[:3]} {code()[3:]} ")
    after = client.get_cookie("cop").value
    client.set_cookie("cop", before)

    assert first.location.startswith(f"{CODE}?next=")
    assert (answer.status_code, answer.location) == (303, wanted)
    assert client.get(FRONT).status_code == 303
    client.set_cookie("cop", after)
    assert client.get(FRONT).status_code == 200
    assert [act["action"] for act in rows(AuditEntry)] == ["changed second factor", "signed in"]


def test_a_recovery_code_works_once_and_shows_how_many_are_left(app, phone, pending):
    answer = post(pending, CODE, code=phone[0].upper().replace("-", " "))
    again = post(signed_in(app.test_client(), awaits_code=True), CODE, code=phone[0])

    assert (answer.status_code, again.status_code) == (303, 422)
    assert "You used one of your recovery codes. You have 9 codes left." in main_text(
        pending.page(FRONT)
    )


def test_wrong_codes_delay_sign_in_from_any_network_and_a_new_sign_in_does_not_help(app, pending):
    elsewhere = app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "192.0.2.9"
    count_wrong_codes(4)

    wrong = post(pending, CODE, code="000000")
    sign_in(elsewhere)
    delayed = post(elsewhere, CODE, code=code())
    seconds = int(delayed.headers["Retry-After"])
    advance_clock(app, timedelta(seconds=seconds))
    in_time = post(elsewhere, CODE, code=code(ahead=timedelta(seconds=seconds)))

    assert (wrong.status_code, delayed.status_code) == (422, 429)
    assert 0 < seconds <= 60
    assert "Wait a minute" in error_summary(parse(delayed))[0]
    assert in_time.status_code == 303
    assert {row["failures"] for row in rows(SignInDelay)} == {0}


def test_a_late_code_redirects_to_sign_in(app, pending):
    token = pending.page(CODE).find("input", attrs={"name": "csrf_token"})["value"]
    advance_clock(app, timedelta(minutes=11))

    answer = pending.post(CODE, data={"csrf_token": token, "code": code()}, headers=SAME_ORIGIN)

    assert (answer.status_code, answer.location) == (303, SIGN_IN)
    assert "Your sign-in timed out." in main_text(pending.page(SIGN_IN))
    assert pending.get(CODE).status_code == 303


def test_turning_it_off_takes_the_password_and_a_code(app, corin, phone):
    typed = phone[3]

    refused = [
        post(corin, OFF, old=old, code=sent).status_code
        for old, sent in ((PASSWORD, ""), ("", typed), ("wrong", typed), (PASSWORD, "000000"))
    ]
    unchanged = rows(Coordinator)[0]["totp_secret"]
    done = post(corin, OFF, old=PASSWORD, code=typed)

    assert refused == [422] * 4
    assert unchanged == SECRET
    assert (done.status_code, done.location) == (303, ACCOUNT)
    assert [rows(Coordinator)[0][name] for name in ("totp_secret", "totp_step")] == [None, None]
    assert rows(Coordinator)[0]["recovery_hashes"] == []
    assert [act["action"] for act in rows(AuditEntry)] == ["changed second factor"] * 2
    assert sign_in(app.test_client()).location == FRONT
    assert corin.get(OFF).status_code == 303


def test_wrong_codes_to_turn_it_off_cause_a_delay(corin, phone):
    count_wrong_codes(4)

    wrong, delayed = (post(corin, OFF, old=PASSWORD, code="000000") for _ in range(2))

    assert (wrong.status_code, delayed.status_code) == (422, 429)


def test_a_reset_password_still_takes_the_code(app, corin, phone):
    with write_tx() as db_session:
        accounts.change_password(db_session, CORIN, password="five green herons whistle")

    answer = sign_in(app.test_client(), password="five green herons whistle")

    assert answer.location == CODE
    assert [row["awaits_code"] for row in rows(CoordinatorSession)] == [True]


def test_where_required_coordinators_set_it_up_or_sign_out_before_anything_else(app, corin):
    other = signed_in(app.test_client())
    post(corin, "/coordinator/settings/coordinators/two-factor",
         form_at="/coordinator/settings/coordinators", needed="yes")  # fmt: skip
    wanted = f"/coordinator/sessions/{DECEMBER}"

    redirected = corin.get(wanted)
    htmx = corin.get(wanted, headers=HTMX)
    export = corin.get("/coordinator/export.csv")
    form = corin.page(redirected.location).select_one("main form")
    posted = corin.post("/coordinator/mail/try-again", headers=SAME_ORIGIN)
    left = post(other, "/coordinator/sign-out", form_at=SET_UP)
    done = parse(post(corin, form["action"], code=code(new_key(corin)), old=PASSWORD))

    assert urlsplit(redirected.location).path == urlsplit(export.location).path == SET_UP
    assert htmx.headers["HX-Redirect"] == SET_UP
    assert posted.status_code == 403
    assert (left.status_code, left.location) == (303, SIGN_IN)
    assert done.select_one("main a.button")["href"] == wanted
    assert corin.get(wanted).status_code == 200
    assert "Two-factor sign-in is required." in main_text(corin.page("/coordinator/settings"))
