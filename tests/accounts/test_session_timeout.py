"""A form that is sent after the session has timed out is shown again after signing in."""

import time
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace

import itsdangerous.timed
import pyotp
import pytest
from sqlalchemy import delete, select, update

from cop.db.engine import read_tx, write_tx
from cop.db.types import Base
from cop.models.coordinator import Coordinator, CoordinatorSession
from cop.web.forms import TOKEN_AGE, serializer
from cop.web.preserved_form import FIELD, OMITTED
from tests.attendance.reports import Row, report
from tests.builders import NOW, PASSWORD, a_coordinator, a_meeting, a_registration
from tests.client import (
    ADA,
    DECEMBER,
    GRACE,
    HTMX,
    PAST,
    SAME_ORIGIN,
    add_registrations,
    advance_clock,
    console_paths,
    form_values,
    main_text,
    post,
    signed_in,
    update_meeting,
)
from tests.page import parse

EDIT = f"/coordinator/sessions/{DECEMBER}/edit"
WRITE = f"/coordinator/sessions/{DECEMBER}/write"
SECRET = "JBSWY3DPEHPK3PXP" * 2
SIGNED_OUT = "You were signed out"
SEND_AGAIN = "Nothing was saved yet."
OF_SIGNING_IN = {"coordinator_session", "sign_in_delay", "audit_entry", "viewing"}
TYPED = {"text", "email", "url", "search", "date", "time", "number"}


def time_out():
    """Let all sessions end, and delete them as the next sign-in does."""
    with write_tx() as db_session:
        db_session.execute(delete(CoordinatorSession))


def stored():
    """Everything that is stored, apart from what signing in and looking at a page leave."""
    with read_tx() as db_session:
        return {
            table.name: db_session.execute(select(table)).all()
            for table in Base.metadata.sorted_tables
            if table.name not in OF_SIGNING_IN
        }


def send(client, path, data, **headers):
    return client.post(path, data=data, headers=SAME_ORIGIN | headers)


def send_sign_in(client, refused, email="corin@example.org", **answers):
    """Send the sign-in form of a page, and follow as a browser does; return the last answer."""
    form = parse(refused).select_one("main form")
    fields = form.select("input[name]")
    data = {field["name"]: field.get("value", "") for field in fields}
    data |= {"email": email, "password": PASSWORD} if "code" not in data else {}
    answer = send(client, form["action"], data | answers)
    while answer.status_code in {303, 307, 308}:
        if answer.status_code == 303:
            return client.get(answer.location)
        answer = send(client, answer.location, data | answers)
    return answer


def typed_values(form):
    """What a form would send, apart from its token and from secrets."""
    found = {}
    for field in form.select("input[name], textarea[name], select[name]"):
        kind = field.get("type", field.name)
        if kind in {"checkbox", "radio"}:
            if not field.has_attr("checked"):
                continue
            value = field.get("value", "on")
        elif kind == "textarea":
            value = field.get_text().removeprefix("\n")
        elif kind == "select":
            chosen = field.select_one("[selected]") or field.option
            value = chosen.get("value", chosen.get_text())
        else:
            value = field.get("value", "")
        if kind not in {"file", "password"} and field["name"] not in OMITTED:
            found.setdefault(field["name"], []).append(value)
    return found


def change(form):
    """Type into each field of a form, and choose differently."""
    for field in form.select("input[name], textarea[name], select[name]"):
        kind = field.get("type", field.name)
        if kind in TYPED or "inputmode" in field.attrs:
            field["value"] = f"typed {field['name']}"
        elif kind == "textarea":
            field.string = f"Typed {field['name']}.\n“é” & <b>"
        elif kind == "checkbox":
            field.attrs.pop("checked", None) if field.has_attr("checked") else field.attrs.update(
                checked=""
            )
        elif kind == "radio":
            for other in form.select(f"input[name='{field['name']}']"):
                other.attrs.pop("checked", None)
            field["checked"] = ""
        elif kind == "select":
            for option in field.select("[selected]"):
                del option["selected"]
            field.select("option")[-1]["selected"] = ""


@pytest.fixture(autouse=True)
def _people(app):
    """Ada and Grace, without whom there is nobody to write to."""
    add_registrations(DECEMBER, ADA, GRACE)


@pytest.fixture
def world(app, corin):
    """A site with something on each page of the console."""
    add_registrations(DECEMBER, "katherine@example.org", status="waiting")
    add_registrations(DECEMBER, "left@example.org", status="cancelled", cancelled_at=NOW)
    with write_tx() as db_session:
        past = a_meeting(db_session, slug=PAST, starts_at=NOW - timedelta(days=5))
        for email in (ADA, GRACE):
            a_registration(db_session, past, email)
        a_coordinator(db_session, "Mallory")
    file = (BytesIO(report([Row("Somebody"), Row("Else")])), "report.csv")
    page = f"/coordinator/sessions/{PAST}/attendance"
    post(corin, f"{page}/report", form_at=page, report=file)
    post(corin, f"/coordinator/sessions/{DECEMBER}/rooms/mix",
         form_at=f"/coordinator/sessions/{DECEMBER}/rooms", size="2")  # fmt: skip
    return corin


def forms(client, paths):
    """Each form of the pages and where it may be sent, once."""
    seen = set()
    for path in paths:
        answer = client.get(path)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            for form in parse(answer).select("main form[method=post]"):
                targets = [form["action"]]
                targets += [b["formaction"] for b in form.select("button[formaction]")]
                for target in targets:
                    names = tuple(sorted(typed_values(form)))
                    if (target, names) not in seen:
                        seen.add((target, names))
                        yield form, target


@pytest.mark.slow
def test_every_form_of_the_console_is_shown_again_as_it_was_filled_in(app, world):
    paths = [
        *console_paths(app, method="GET"),
        *(f"/coordinator/sessions/{DECEMBER}/people/{number}" for number in (2, 3, 4)),
    ]
    lost, actions = {}, set()

    for form, action in list(forms(world, paths)):
        change(form)
        expected, before = typed_values(form), stored()
        token = form.find("input", attrs={"name": "csrf_token"})["value"]
        time_out()
        refused = send(world, action, {**expected, "csrf_token": token})
        again = send_sign_in(world, refused)

        actions.add(action)
        assert (refused.status_code, SIGNED_OUT in main_text(parse(refused))) == (403, True), action
        assert again.status_code in {200, 422}, action
        assert SEND_AGAIN in main_text(parse(again)), action
        assert stored() == before, action
        shown = [typed_values(each) for each in parse(again).select("main form[method=post]")]
        if expected not in shown:
            lost[action] = (expected, shown)

    assert lost == {}
    assert len(actions) > 30


@pytest.mark.slow
def test_every_address_that_takes_a_form_leads_to_a_page_and_carries_nothing_out(app, world):
    before, paths = stored(), list(console_paths(app, method="POST"))

    for path in paths:
        token = csrf_token(world)
        time_out()
        again = send_sign_in(world, send(world, path, {"csrf_token": token, "name": "x"}))

        assert again.status_code in {200, 404, 422}, path
        assert stored() == before, path
    assert len(paths) > 40


def test_no_password_code_or_file_is_preserved(app, world):
    pages = map(world.get, console_paths(app, method="GET"))
    secrets = {
        field["name"]
        for page in pages
        if page.mimetype == "text/html"
        for field in parse(page).select("input[type=password], input[autocomplete=one-time-code]")
    }
    token = csrf_token(world)
    file = (BytesIO(b"secret"), "secret.csv")
    time_out()

    refused = send(
        world, EDIT, {"csrf_token": token, "file": file, **dict.fromkeys(secrets, "secret")}
    )

    assert secrets == {"old", "password", "code"} <= OMITTED
    assert preserved(app, refused) == []


def test_after_an_hour_without_use_the_form_is_sent_with_the_second_try(app, corin):
    page = corin.page(WRITE)
    typed = {"audience": "held", "subject": "Hello", "text": "Bring a chart.\n\n“é”"}
    token = {"csrf_token": csrf_token(corin)}
    advance_clock(app, timedelta(hours=2))

    refused = send(corin, WRITE, typed | token)
    again = parse(send_sign_in(corin, refused))
    sent = form_values(again.main)
    preview = send(corin, WRITE, {name: values[0] for name, values in sent.items()})

    assert page
    assert parse(refused).find(id="email").get("value", "") == ""
    assert again.find(id="subject")["value"] == "Hello"
    assert "“é”" in again.find(id="text").get_text()
    assert "Bring a chart." in main_text(parse(preview))


def test_a_wrong_password_and_a_second_factor_keep_the_form(app, corin):
    typed = {"subject": "Hello", "csrf_token": csrf_token(corin)}
    with write_tx() as db_session:
        db_session.execute(
            update(Coordinator).values(totp_secret=SECRET, totp_step=0, recovery_hashes=[])
        )
    time_out()
    refused = send(corin, WRITE, typed)

    wrong = send_sign_in(corin, refused, password="wrong")
    code = send_sign_in(corin, wrong)
    wrong_code = send_sign_in(corin, code, code="000000")
    again = send_sign_in(corin, wrong_code, code=pyotp.TOTP(SECRET).at(NOW))

    assert [answer.status_code for answer in (wrong, code, wrong_code)] == [422, 200, 422]
    assert "There is a problem" not in main_text(parse(code))
    assert parse(again).find(id="subject")["value"] == "Hello"


def test_a_code_that_comes_too_late_begins_the_sign_in_again_with_the_form(app, corin):
    typed = {"subject": "Hello", "csrf_token": csrf_token(corin)}
    with write_tx() as db_session:
        db_session.execute(
            update(Coordinator).values(totp_secret=SECRET, totp_step=0, recovery_hashes=[])
        )
    time_out()
    code = send_sign_in(corin, send(corin, WRITE, typed))
    advance_clock(app, timedelta(minutes=11))

    late = send_sign_in(corin, code, code="000000")
    code = send_sign_in(corin, late)
    later = pyotp.TOTP(SECRET).at(NOW + timedelta(minutes=11))
    again = send_sign_in(corin, code, code=later)

    assert "timed out" in main_text(parse(late))
    assert parse(again).find(id="subject")["value"] == "Hello"


def test_another_coordinator_gets_the_page_without_the_text(app, corin):
    with write_tx() as db_session:
        a_coordinator(db_session, "Mallory")
    token = csrf_token(corin)
    time_out()
    refused = send(corin, WRITE, {"subject": "Hello", "csrf_token": token})

    shown = send_sign_in(corin, refused, email="mallory@example.org")

    page = parse(shown)
    assert page.find(id="subject").get("value", "") == ""
    assert "Hello" not in shown.text
    assert SEND_AGAIN not in main_text(page)


def test_a_form_of_another_coordinator_is_not_preserved(app, corin):
    with write_tx() as db_session:
        mallory = a_coordinator(db_session, "Mallory").id
    token = csrf_token(corin)
    signed_in(corin, mallory)  # in the same browser: the old tab is still open
    with corin.session_transaction("/coordinator/") as cookie:
        del cookie["csrf_token"]
    time_out()

    refused = send(corin, WRITE, {"subject": "Hello", "csrf_token": token})

    assert refused.status_code == 403
    assert FIELD not in refused.text


def test_two_tabs_that_timed_out_both_keep_their_text(app, corin):
    token = csrf_token(corin)
    time_out()
    first = send(corin, WRITE, {"subject": "First", "csrf_token": token})
    second = send(corin, WRITE, {"subject": "Second", "csrf_token": token})

    shown = [parse(send_sign_in(corin, refused)) for refused in (first, second)]
    third = send(corin, WRITE, {"subject": "Third", "csrf_token": token})

    assert [page.find(id="subject")["value"] for page in shown] == ["First", "Second"]
    assert (third.status_code, parse(third).find(id="subject")["value"]) == (422, "Third")


def test_a_preserved_form_is_never_carried_out_even_if_it_is_forged(app, corin):
    update_meeting(DECEMBER, status="cancelled", cancelled_at=NOW)
    path, token = f"/coordinator/sessions/{DECEMBER}/restore", csrf_token(corin)
    time_out()
    refused = send(corin, path, {"csrf_token": token})
    field = parse(refused).find("input", attrs={"name": FIELD})["value"]
    send_sign_in(corin, refused)
    before = stored()

    for text in (field, "forged", ""):
        answer = send(corin, path, {"csrf_token": token, FIELD: text})

        assert answer.status_code == 200
        assert stored() == before
        assert (SEND_AGAIN in main_text(parse(answer))) is (text == field)
    assert send(corin, path, {"csrf_token": token}).status_code == 303


def test_a_sign_in_page_that_was_open_for_too_long_leads_to_the_empty_form(app, corin, monkeypatch):
    token = csrf_token(corin)
    time_out()
    refused = send(corin, WRITE, {"subject": "Hello", "csrf_token": token})
    future = SimpleNamespace(time=lambda: time.time() + TOKEN_AGE + 5)
    monkeypatch.setattr(itsdangerous.timed, "time", future)

    shown = send_sign_in(corin, refused)

    assert parse(shown).find(id="subject").get("value", "") == ""


def test_signed_out_or_never_signed_in_a_form_is_refused(app, corin):
    token = csrf_token(corin)
    post(corin, "/coordinator/sign-out", form_at="/coordinator/")

    answers = [
        send(client, WRITE, {"subject": "Hello", "csrf_token": token})
        for client in (corin, app.test_client())
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert all(FIELD not in answer.text for answer in answers)


def test_without_its_token_an_expired_form_is_refused(app, corin):
    csrf_token(corin)
    time_out()

    for token in ({}, {"csrf_token": "forged"}):
        refused = send(corin, WRITE, {"subject": "Hello", **token})

        assert refused.status_code == 403
        assert FIELD not in refused.text


def test_htmx_swaps_the_whole_page_for_the_sign_in(app, corin):
    token = csrf_token(corin)
    time_out()

    refused = send(corin, f"{EDIT}/preview", {"topic": "Maps", "csrf_token": token}, **HTMX)
    again = parse(send_sign_in(corin, refused))

    assert refused.status_code == 403
    assert refused.headers["HX-Retarget"] == "body"
    assert refused.text.startswith("<!doctype html>")
    assert again.find(id="topic")["value"] == "Maps"
    assert again.find("form", id="typed")["action"] == EDIT


def test_a_preview_that_htmx_asks_for_by_itself_changes_nothing_on_the_page(app, corin):
    token = csrf_token(corin)
    time_out()
    preview = {**HTMX, "HX-Source": "div"}

    refused = send(corin, f"{EDIT}/preview", {"topic": "Maps", "csrf_token": token}, **preview)

    assert (refused.status_code, refused.data) == (204, b"")
    assert "HX-Redirect" not in refused.headers


def test_the_longest_text_is_kept_and_a_longer_body_is_refused(app, corin):
    token = csrf_token(corin)
    update_meeting(DECEMBER, starts_at=NOW - timedelta(days=1), ends_at=NOW - timedelta(hours=20))
    path = f"/coordinator/sessions/{DECEMBER}/takeaways"
    text = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(20_000))
    time_out()

    refused = send(corin, path, {"takeaways": text, "csrf_token": token})
    again = send_sign_in(corin, refused)
    time_out()
    too_long = send(corin, path, {"takeaways": "x" * 300_000, "csrf_token": token})

    assert parse(again).find(id="takeaways").get_text().strip() == text
    assert too_long.status_code == 413


def csrf_token(client):
    """The token of the forms that the client's session may send."""
    return client.page("/coordinator/").find("input", attrs={"name": "csrf_token"})["value"]


def preserved(app, refused):
    """The fields in the sign-in page."""
    field = parse(refused).find("input", attrs={"name": FIELD})["value"]
    with app.test_request_context():
        _, fields = serializer(FIELD).loads(field)
    return fields
