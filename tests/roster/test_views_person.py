"""The page of one person on a roster, its actions, and adding a person by hand."""

from datetime import timedelta

import pytest

from cop.models.audit import AuditEntry, Viewing
from cop.models.email import OutboxEmail
from cop.models.registration import Member
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    JANUARY,
    add_registrations,
    advance_clock,
    error_summary,
    find_member,
    main_text,
    member_path,
    outbox_emails,
    post,
    register,
    registration_statuses,
    rows,
    text_of,
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


def notice(corin, response):
    """The notice on the page that follows."""
    assert response.status_code == 303
    return corin.page(response.location).select_one(".well").get_text(" ", strip=True)


def buttons(corin, email=ADA):
    return [button.get_text() for button in corin.page(path_of(email)).select("main form .button")]


def actions():
    return [row["action"] for row in rows(AuditEntry)]


def test_a_person_s_page_shows_their_answers_but_not_their_access_needs(corin):
    add_registrations(DECEMBER, ADA, organization="Harbor Lab", access=["asl"], hats=["analyst"])
    add_registrations(DECEMBER, "grace@example.org", organization="Elsewhere")

    page = corin.page(path_of())

    text = main_text(page)
    assert page.h1.get_text() == "Ada"
    assert "Harbor Lab" in text
    assert "Data analyst" in text
    assert "ASL" not in text
    assert page.select_one(f"a[href='{SESSION}/access']:-soup-contains('See access needs')")
    assert "Elsewhere" not in text
    assert "We don't keep notes about people." in text
    assert [row["resource"] for row in rows(Viewing)] == ["person"]
    assert (
        "That person may be you." in corin.page(member_path()).find(id="viewings").parent.get_text()
    )


MOVE, CANCEL = "Move them to the end of the waiting list", "Yes, cancel it"
CORRECT, MARK = "Correct email and send new link", "Stop emailing this address"


def test_the_buttons_fit_the_current_place(app, corin):
    add_registrations(DECEMBER, "katherine@example.org", ADA)
    grace, mallory = "grace@example.org", "mallory@example.org"
    add_registrations(DECEMBER, grace, "nora@example.org", status="waiting")
    add_registrations(DECEMBER, mallory, status="cancelled", cancelled_at=NOW)
    shown = {}

    for capacity in (1, 9, None):
        update_meeting(DECEMBER, capacity=capacity)
        shown |= {(capacity, whom): buttons(corin, whom) for whom in (ADA, grace, mallory)}
    advance_clock(app, timedelta(minutes=30))
    update_meeting(DECEMBER, starts_at=NOW - timedelta(days=2), ends_at=NOW - timedelta(days=1))

    assert {buttons[-2:] == [CORRECT, MARK] for buttons in shown.values()} == {True}
    assert {key: buttons[:-2] for key, buttons in shown.items()} == {
        (1, ADA): [MOVE, CANCEL],
        (9, ADA): [CANCEL],
        (None, ADA): [CANCEL],
        (1, grace): ["Give them an extra spot", CANCEL],
        (9, grace): ["Give them a spot", CANCEL],
        (None, grace): ["Give them a spot", CANCEL],
        (1, mallory): ["Put them back on the waiting list"],
        (9, mallory): ["Put them back on the waiting list"],
        (None, mallory): ["Restore their registration"],
    }
    assert buttons(corin) == [CORRECT, MARK]  # after the session


def test_canceling_says_what_it_does_before_its_button_can_be_seen(corin):
    add_registrations(DECEMBER, ADA)

    confirmation = corin.page(path_of()).select_one("details.confirm:not([open])")

    assert text_of(confirmation.summary) == "Cancel their registration"
    assert "You can undo it for 30 days." in text_of(confirmation)
    assert text_of(confirmation.form.button) == CANCEL


def test_a_place_above_capacity_is_given_once_confirmed(corin):
    update_meeting(DECEMBER, capacity=1)
    add_registrations(DECEMBER, "grace@example.org")
    add_registrations(DECEMBER, "katherine@example.org", ADA, status="waiting")

    refused = do(corin, "place")
    page = corin.page(path_of())
    done = notice(corin, do(corin, "place", beyond="yes"))

    text = main_text(page)
    assert refused.status_code == 422
    assert (
        "You can still give them an extra spot." in parse(refused).select_one(".summary").get_text()
    )
    assert "No spots are left" in text
    assert "1 person is ahead" in text
    assert page.find("input", attrs={"name": "beyond"})
    assert done == "They're registered now. They'll get an email."
    assert [status for *_, status in registration_statuses()] == ["held", "waiting", "held"]
    assert outbox_emails() == [(ADA, "You now have a spot on December 15")]
    assert actions() == ["moved a person"]


def test_after_a_move_to_the_waiting_list_the_new_registration_is_shown(corin):
    update_meeting(DECEMBER, capacity=1)
    add_registrations(DECEMBER, ADA)
    add_registrations(DECEMBER, "grace@example.org", "katherine@example.org", status="waiting")
    add_registrations(JANUARY, "mallory@example.org", status="waiting")
    before = path_of()

    done = notice(corin, do(corin, "wait"))

    assert done == (
        "They're at the end of the waiting list now. They'll get an email. "
        "1 person from the waiting list got a spot, and we're emailing them."
    )
    assert path_of() != before
    assert "on the roster again with a newer one" in main_text(corin.page(before))
    assert "Moved to or from the waiting list by Corin" in main_text(corin.page(path_of()))
    assert [status for *_, status in registration_statuses()] == [
        "cancelled", "held", "waiting", "waiting", "waiting",
    ]  # fmt: skip
    assert outbox_emails() == [
        ("grace@example.org", "You now have a spot on December 15"),
        (ADA, "You're now on the waiting list for December 15"),
    ]


def test_a_place_is_canceled_and_restored_and_both_are_recorded(corin):
    register(corin, DECEMBER)

    cancelled = notice(corin, do(corin, "cancel"))
    restored = notice(corin, do(corin, "restore"))
    emails, row = outbox_emails("place"), rows()[0]
    silently = notice(corin, do(corin, "cancel", silent="yes"))

    assert cancelled == "Their registration is canceled. They'll get an email."
    assert restored == "They're registered now. They'll get an email."
    assert silently == "Their registration is canceled. They won't get an email."
    assert (row["status"], row["cancelled_at"]) == ("held", None)
    assert emails == [
        (ADA, "Your registration for December 15 is canceled"),
        (ADA, "You're registered for December 15"),
    ]
    assert outbox_emails("place") == emails[:1]  # the confirmation is withdrawn
    assert registration_statuses() == [(ADA, DECEMBER, "cancelled")]
    assert actions() == ["cancelled a place", "restored a place", "cancelled a place"]
    assert {row["registration_id"] for row in rows(AuditEntry)} == {rows()[0]["id"]}


def test_a_refused_action_says_why_and_nothing_is_recorded(corin):
    add_registrations(DECEMBER, ADA, status="cancelled", cancelled_at=NOW - timedelta(days=31))

    refused = do(corin, "restore")
    again = do(corin, "cancel")

    assert "for 30 days only" in parse(refused).select_one(".summary").get_text()
    assert "registration has changed" in parse(again).select_one(".summary").get_text()
    assert [answer.status_code for answer in (refused, again)] == [422, 422]
    assert "It's too late to restore this registration." in main_text(corin.page(path_of()))
    assert actions() == []


def test_after_a_correction_only_the_new_link_works(app, corin):
    slip = "ada@exmaple.org"
    register(corin, DECEMBER, email=slip)
    old_link = member_path(email=slip)

    done = notice(corin, do(corin, "address", slip, email=" Ada@Example.org "))

    visitor = app.test_client()
    assert "We're sending them a new link for 1 session." in done
    assert visitor.get(old_link).status_code == 404
    assert visitor.get(member_path()).status_code == 200
    assert [to for to, _ in outbox_emails()] == ["Ada@Example.org"]
    assert actions() == ["corrected an address"]


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("ada@", "Enter an email address, like name@example.org."),
        ("grace@example.org", "already registered for December 15"),
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

    noted = notice(corin, do(corin, "undeliverable"))
    page, roster = corin.page(path_of()), corin.page(SESSION)
    stopped = [row["undeliverable_at"] for row in rows(Member)]
    states = [email["state"] for email in rows(OutboxEmail)]
    again = notice(corin, do(corin, "undeliverable", works="yes"))

    assert "We won't email this address anymore" in noted
    assert "marked as not working on" in main_text(page)
    assert "Email doesn't work" in roster.select_one("table").get_text()
    assert (stopped, states) == ([NOW, None], ["withdrawn"])
    assert "We'll email this address again" in again
    assert [row["undeliverable_at"] for row in rows(Member)] == [None, None]
    assert actions() == ["marked an address"] * 2


ACTS = ("address", "cancel", "place", "restore", "undeliverable", "wait")


def test_a_person_of_another_roster_is_not_found(corin):
    add_registrations(JANUARY, "grace@example.org")
    add_registrations(DECEMBER, ADA)
    path = f"{SESSION}/people/{path_of('grace@example.org').rpartition('/')[2]}"

    sent = {"form_at": "/coordinator/list", "email": "x@example.org", "beyond": "yes"}
    answers = [post(corin, f"{path}/{act}", **sent) for act in ACTS]
    answers += [corin.get(f"{SESSION}/people/{id_}") for id_ in ("99999", "2147483648")]

    assert {answer.status_code for answer in (corin.get(path), *answers)} == {404}
    assert registration_statuses() == [
        ("grace@example.org", JANUARY, "held"),
        (ADA, DECEMBER, "held"),
    ]
    assert [row["undeliverable_at"] for row in rows(Member)] == [None, None]


def test_adding_a_person_asks_the_questions_of_the_form(corin):
    page = corin.page(ADD)

    asked = {control["name"] for control in page.select("main form [name]")}
    assert {"name", "email", "organization", "hats", "access", "first_time", "told"} <= asked
    assert not {"sessions", "list_opt_in", "prep_answer", "leave_blank"} & asked
    assert "they'll be registered right away" in main_text(page)


def test_an_added_person_is_emailed_only_if_that_was_chosen(corin):
    answers = {"hats": "analyst", "pronouns": "she"}

    added = post(corin, ADD, name="Ada", email=ADA, told="mail", **answers)
    emailed = notice(corin, added)
    silent = notice(corin, post(corin, ADD, name="Grace", email="grace@example.org", told="self"))

    assert added.location == path_of()
    assert (rows()[0]["hats"], rows()[0]["pronouns"]) == (["analyst"], "she")
    assert "We're emailing them their link." in emailed
    assert "please tell them." in silent
    assert [to for to, _ in outbox_emails()] == [ADA]
    assert actions() == ["added a person"] * 2


def test_at_a_full_session_an_added_person_waits(corin):
    update_meeting(DECEMBER, capacity=1)
    add_registrations(DECEMBER, "grace@example.org")

    page = corin.page(ADD)
    response = post(corin, ADD, name="Ada", email=ADA, told="mail")

    assert "they'll go to the end of the waiting list" in main_text(page)
    assert "Add to the waiting list" in main_text(page)
    assert "on the waiting list" in notice(corin, response)
    assert registration_statuses()[-1] == (ADA, DECEMBER, "waiting")


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"email": "ADA@example.org", "name": "Other"}, "This email is already on the roster."),
        ({"email": "b@example.org", "name": ""}, "Enter your name"),
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
        ({"status": "cancelled"}, "This session is canceled."),
        ({"starts_at": NOW - timedelta(minutes=5), "capacity": 1}, "has started and is full"),
    ],
)
def test_the_page_says_why_nobody_can_be_added(corin, values, sentence):
    add_registrations(DECEMBER, ADA)
    update_meeting(DECEMBER, **values)

    page = corin.page(ADD)

    assert sentence in main_text(page)
    assert not page.select("main form")


def test_nobody_is_added_to_a_session_that_is_over(corin):
    update_meeting(DECEMBER, starts_at=NOW - timedelta(days=2), ends_at=NOW - timedelta(days=1))

    assert corin.get(ADD).status_code == 404
