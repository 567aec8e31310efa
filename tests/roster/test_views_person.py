"""The page of one person on a roster, its actions, and adding a person by hand."""

from datetime import timedelta

import pytest

from cop.db.engine import write_tx
from cop.models.audit import AuditEntry, Viewing
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    JANUARY,
    SAME_ORIGIN,
    add_registrations,
    advance_clock,
    error_summary,
    find_member,
    member_path,
    outbox_emails,
    post,
    press_button,
    register,
    registration_statuses,
    rows,
    update_meeting,
)
from tests.page import parse

SESSION = f"/coordinator/sessions/{DECEMBER}"
ADD = f"{SESSION}/add"
ADA = "ada@example.org"


def path_of(email=ADA, session=SESSION):
    """The page of the registration that somebody made last."""
    member_id = find_member(email).id
    return f"{session}/people/{max(row['id'] for row in rows() if row['member_id'] == member_id)}"


def do(corin, what, whom=ADA, **sent):
    """Press a button of somebody's page."""
    path = path_of(whom)
    return post(corin, f"{path}/{what}", form_at="/coordinator/", **sent)


def token_of(corin):
    return corin.page("/coordinator/").find("input", attrs={"name": "csrf_token"})["value"]


def said(corin, response):
    """What the page that follows says was done."""
    assert response.status_code == 303
    return corin.page(response.location).select_one(".well").get_text(" ", strip=True)


def buttons(corin, email=ADA):
    return [button.get_text() for button in corin.page(path_of(email)).select("main form .button")]


def actions():
    return [row["action"] for row in rows(AuditEntry)]


MARK = ["Correct the address and mail a new link", "Mail to this address comes back"]


def test_a_person_s_page_shows_their_answers_but_not_their_access_needs(corin):
    add_registrations(DECEMBER, ADA, organization="Harbor Lab", access=["asl"], hats=["analyst"])
    add_registrations(DECEMBER, "grace@example.org", organization="Elsewhere")

    page = corin.page(path_of())

    text = page.main.get_text(" ", strip=True)
    assert page.h1.get_text() == "Ada"
    assert "Harbor Lab" in text
    assert "Data analyst" in text
    assert "ASL" not in text
    assert page.select_one(f"a[href='{SESSION}/access']:-soup-contains('See Access needs')")
    assert "Elsewhere" not in text
    assert "Notes about people are not kept here." in text
    assert [row["resource"] for row in rows(Viewing)] == ["person"]
    assert "you or somebody else" in corin.page(member_path()).find(id="viewings").parent.get_text()


@pytest.mark.parametrize(
    ("capacity", "status", "expected"),
    [
        (1, "held", ["Move them to the end of the waiting list", "Cancel their registration"]),
        (None, "held", ["Cancel their registration"]),
        (1, "waiting", ["Give them a place, one more than you offer",
                        "Cancel their registration"]),
        (9, "waiting", ["Give them a place", "Cancel their registration"]),
        (2, "cancelled", ["Restore it, at the end of the waiting list"]),
        (9, "cancelled", ["Restore it, at the end of the waiting list"]),
    ],
)  # fmt: skip
def test_the_buttons_fit_the_current_place(corin, capacity, status, expected):
    update_meeting(DECEMBER, capacity=capacity)
    add_registrations(DECEMBER, "katherine@example.org")
    add_registrations(
        DECEMBER, ADA, status=status, cancelled_at=NOW if status == "cancelled" else None
    )
    add_registrations(DECEMBER, "grace@example.org", "mallory@example.org", status="waiting")

    shown = buttons(corin)

    assert shown == [*expected, *MARK]


def test_after_the_session_only_the_address_can_be_changed(app, corin):
    add_registrations(DECEMBER, ADA)
    advance_clock(app, timedelta(minutes=30))
    update_meeting(DECEMBER, starts_at=NOW - timedelta(days=2), ends_at=NOW - timedelta(days=1))

    assert buttons(corin) == MARK


def test_a_place_above_capacity_is_given_once_confirmed(corin):
    update_meeting(DECEMBER, capacity=1)
    add_registrations(DECEMBER, "grace@example.org")
    add_registrations(DECEMBER, "katherine@example.org", ADA, status="waiting")

    refused = do(corin, "place")
    page = corin.page(path_of())
    done = said(corin, do(corin, "place", beyond="yes"))

    text = page.main.get_text(" ", strip=True)
    assert refused.status_code == 422
    assert "one more than you offer" in parse(refused).select_one(".summary").get_text()
    assert "The one place is taken" in text
    assert "1 person is ahead" in text
    assert page.find("input", attrs={"name": "beyond"})
    assert done == "They hold a place now. A mail tells them."
    assert registration_statuses()[-1] == (ADA, DECEMBER, "held")
    assert actions() == ["moved a person"]


def test_after_a_move_to_the_waiting_list_the_new_registration_is_shown(corin):
    update_meeting(DECEMBER, capacity=1)
    add_registrations(DECEMBER, ADA)
    add_registrations(DECEMBER, "grace@example.org", status="waiting")
    before = path_of()

    done = said(corin, do(corin, "wait"))

    assert done == (
        "They are at the end of the waiting list now. A mail tells them. "
        "1 person who waited has a place now, and gets a mail."
    )
    assert path_of() != before
    assert "on the roster once more" in corin.page(before).main.get_text()
    assert "moved to or from the waiting list" in corin.page(path_of()).main.get_text()
    assert [to for to, _ in outbox_emails("place", "promoted")] == ["grace@example.org", ADA]


@pytest.mark.parametrize(
    ("sent", "told"), [({}, "A mail tells them."), ({"silent": "yes"}, "No mail goes to them.")]
)
def test_a_place_is_canceled_and_restored_and_both_are_recorded(corin, sent, told):
    register(corin, DECEMBER)

    cancelled = said(corin, do(corin, "cancel", **sent))
    restored = said(corin, do(corin, "restore"))

    assert cancelled == f"Their registration is cancelled. {told}"
    assert restored == "They hold a place now. A mail tells them."
    assert len(outbox_emails("place")) == (1 if sent else 2)
    assert registration_statuses() == [(ADA, DECEMBER, "held")]
    assert actions() == ["cancelled a place", "restored a place"]
    assert {row["registration_id"] for row in rows(AuditEntry)} == {rows()[0]["id"]}


def test_a_refused_action_says_why_and_nothing_is_recorded(corin):
    add_registrations(DECEMBER, ADA, status="cancelled", cancelled_at=NOW - timedelta(days=31))

    refused = do(corin, "restore")
    again = do(corin, "cancel")

    assert "for 30 days" in parse(refused).select_one(".summary").get_text()
    assert "changed meanwhile" in parse(again).select_one(".summary").get_text()
    assert [answer.status_code for answer in (refused, again)] == [422, 422]
    assert "It can no longer be restored." in corin.page(path_of()).main.get_text()
    assert actions() == []


def test_after_a_correction_only_the_new_link_works(app, corin):
    slip = "ada@exmaple.org"
    register(corin, f"{DECEMBER}", email=slip)
    old_link = member_path(email=slip)

    done = said(corin, do(corin, "address", slip, email=" Ada@Example.org "))

    visitor = app.test_client()
    assert "A mail with a new link, for 1 session, is on its way." in done
    assert visitor.get(old_link).status_code == 404
    assert visitor.get(member_path()).status_code == 200
    assert [to for to, _ in outbox_emails()] == ["Ada@Example.org"]
    assert actions() == ["corrected an address"]


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("ada@", "Write an email address like name@example.org."),
        ("ada@example.org", "This is the address that we have."),
        ("grace@example.org", "registered for December 15 already"),
    ],
)
def test_a_refused_address_is_explained_at_its_field(corin, email, sentence):
    add_registrations(DECEMBER, ADA, "grace@example.org")

    response = do(corin, "address", email=email)

    page = parse(response)
    field = page.find(id="email")
    assert response.status_code == 422
    assert sentence in page.select_one(".summary a[href='#email']").get_text()
    assert sentence in page.find(id=field["aria-describedby"]).get_text()
    assert field["value"] == email
    assert actions() == []


def test_email_to_an_address_is_stopped_and_resumed(corin):
    register(corin, DECEMBER)
    add_registrations(JANUARY, "grace@example.org")

    noted = said(corin, do(corin, "undeliverable"))
    page, roster = corin.page(path_of()), corin.page(SESSION)
    stopped = [row["undeliverable_at"] for row in rows(Member)]
    states = [mail["state"] for mail in rows(OutboxEmail)]
    again = said(corin, do(corin, "undeliverable", works="yes"))

    assert "gets no more mail" in noted
    assert "came back on" in page.main.get_text()
    assert "mail comes back" in roster.select_one("table").get_text()
    assert (stopped, states) == ([NOW, None], ["withdrawn"])
    assert "works again" in again
    assert [row["undeliverable_at"] for row in rows(Member)] == [None, None]
    assert actions() == ["marked an address"] * 2


ACTS = ("address", "cancel", "place", "restore", "undeliverable", "wait")


@pytest.mark.parametrize("number", ["elsewhere", "99999", "2147483648"])
def test_a_person_of_another_roster_is_not_found(corin, number):
    add_registrations(JANUARY, "grace@example.org")
    add_registrations(DECEMBER, ADA)
    number = path_of("grace@example.org").rpartition("/")[2] if number == "elsewhere" else number
    path, token = f"{SESSION}/people/{number}", token_of(corin)

    sent = {"csrf_token": token, "email": "x@example.org", "beyond": "yes"}
    answers = [corin.post(f"{path}/{act}", data=sent, headers=SAME_ORIGIN) for act in ACTS]

    assert {answer.status_code for answer in (corin.get(path), *answers)} == {404}
    assert registration_statuses() == [
        ("grace@example.org", JANUARY, "held"),
        (ADA, DECEMBER, "held"),
    ]
    assert [row["undeliverable_at"] for row in rows(Member)] == [None, None]


def test_an_erased_person_is_not_found(corin):
    register(corin, DECEMBER)
    path = path_of()
    press_button(corin, member_path("/erase"))

    shown = corin.get(path).status_code
    restored = post(corin, f"{path}/restore", form_at="/coordinator/").status_code

    assert (shown, restored) == (404, 404)


def test_a_form_without_its_token_does_nothing(corin):
    add_registrations(DECEMBER, ADA)

    answers = [corin.post(f"{path_of()}/{act}", headers=SAME_ORIGIN) for act in ACTS]

    assert {answer.status_code for answer in answers} == {403}
    assert (registration_statuses(), actions()) == ([(ADA, DECEMBER, "held")], [])


def test_adding_a_person_asks_the_questions_of_the_form(corin):
    page = corin.page(ADD)

    asked = {control["name"] for control in page.select("main form [name]")}
    assert {"name", "email", "organization", "hats", "access", "first_time", "told"} <= asked
    assert not {"sessions", "list_opt_in", "prep_answer", "website"} & asked
    assert "they hold it at once" in page.main.get_text()


@pytest.mark.parametrize(
    ("told", "said_of_mail", "count"),
    [("mail", "A mail with their link is on its way.", 1), ("self", "please tell them.", 0)],
)
def test_an_added_person_is_emailed_only_if_that_was_chosen(corin, told, said_of_mail, count):
    response = post(corin, ADD, name="Ada", email=ADA, told=told, hats="analyst", pronouns="she")

    assert said_of_mail in said(corin, response)
    assert response.location == path_of()
    assert (rows()[0]["hats"], rows()[0]["pronouns"]) == (["analyst"], "she")
    assert len(outbox_emails()) == count
    assert actions() == ["added a person"]


def test_at_a_full_session_an_added_person_waits(corin):
    update_meeting(DECEMBER, capacity=1)
    add_registrations(DECEMBER, "grace@example.org")

    page = corin.page(ADD)
    response = post(corin, ADD, name="Ada", email=ADA, told="mail")

    assert "they join the waiting list" in page.main.get_text()
    assert "Add to the waiting list" in page.main.get_text()
    assert "on the waiting list" in said(corin, response)
    assert registration_statuses()[-1] == (ADA, DECEMBER, "waiting")


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"email": ADA, "name": "Ada"}, "This address is on the roster already."),
        ({"email": "ada@", "name": "Ada"}, "Write an email address"),
        ({"email": "b@example.org", "name": ""}, "Write the name"),
    ],
)
def test_a_refused_person_is_explained_and_the_form_keeps_its_values(corin, answers, sentence):
    add_registrations(DECEMBER, ADA)

    response = post(corin, ADD, told="self", organization="Harbor Lab", **answers)

    page = parse(response)
    assert response.status_code == 422
    assert any(sentence in refusal for refusal in error_summary(page))
    assert page.find(id="email")["value"] == answers["email"]
    assert page.find(id="organization")["value"] == "Harbor Lab"
    assert page.select_one("input[name=told][checked]")["value"] == "self"
    assert (len(registration_statuses()), actions()) == (1, [])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"status": "cancelled"}, "This session is cancelled."),
        ({"starts_at": NOW - timedelta(minutes=5), "capacity": 1}, "has begun and is full"),
    ],
)
def test_the_page_says_why_nobody_can_be_added(corin, values, sentence):
    add_registrations(DECEMBER, ADA)
    update_meeting(DECEMBER, **values)

    page = corin.page(ADD)

    assert sentence in page.main.get_text()
    assert not page.select("main form")


def test_nobody_is_added_to_a_session_that_is_over(app, corin):
    with write_tx() as db_session:
        db_session.query(Meeting).filter_by(slug=DECEMBER).update(
            {"starts_at": NOW - timedelta(days=2), "ends_at": NOW - timedelta(days=1)}
        )

    assert corin.get(ADD).status_code == 404
