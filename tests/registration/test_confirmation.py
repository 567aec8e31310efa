"""The confirmation page: it corrects the email and takes more answers, and reveals nothing."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from cop.audit import withdrawals
from cop.db.engine import write_tx
from cop.models.email import OutboxEmail
from cop.models.registration import Member, Registration, Submission, Withdrawal
from cop.outbox.outbox import EmailKind
from cop.registration import confirmation
from tests.builders import LINKS, NOW, a_coordinator
from tests.client import (
    ADA,
    DECEMBER,
    GRACE,
    HTMX,
    JANUARY,
    SAME_ORIGIN,
    add_registrations,
    advance_clock,
    error_summary,
    find_member,
    form_values,
    main_text,
    member_path,
    outbox_emails,
    press_button,
    register,
    registration_statuses,
    rows,
    text_of,
    update_meeting,
)
from tests.page import parse
from tests.statements import Statements

pytestmark = pytest.mark.both

SLIP = "ada@gmial.com"
RIGHT = "ada@gmail.com"
HALF_AN_HOUR = timedelta(minutes=30)
HOUR = timedelta(hours=1)


def change_email(client, path, email=RIGHT, headers=()):
    """Send the form that corrects the email."""
    path = path.replace("/registered?", "/registered/email?")
    return client.post(path, data={"email": email}, headers=SAME_ORIGIN | dict(headers))


def save(client, path, **answers):
    """Save optional answers."""
    return client.post(path, data=answers, headers=SAME_ORIGIN)


def test_it_repeats_the_address_as_typed_and_hints_at_a_slip(client):
    slip = client.page(register(client, DECEMBER, email="Ada@Gmial.com").location)
    right = client.page(register(client, DECEMBER, email="Grace@example.org").location)

    assert "Ada@Gmial.com" in main_text(slip)
    assert "Did you mean Ada@gmail.com?" in main_text(slip)
    assert slip.find(id="email")["value"] == "Ada@gmail.com"
    assert slip.details.has_attr("open")
    assert "Grace@example.org" in main_text(right)
    assert "Did you mean" not in main_text(right)
    assert not right.details.has_attr("open")


def test_the_corrected_address_gets_the_same_sessions_and_the_mistyped_one_is_forgotten(client):
    update_meeting(JANUARY, capacity=1)
    add_registrations(JANUARY, GRACE)
    path = register(client, [DECEMBER, JANUARY], email=SLIP).location
    link = member_path(email=SLIP)

    response = change_email(client, path)

    page = client.page(response.location)
    assert response.status_code == 303
    assert RIGHT in main_text(page)
    assert not page.details
    assert registration_statuses() == [
        (GRACE, JANUARY, "held"),
        (RIGHT, DECEMBER, "held"),
        (RIGHT, JANUARY, "waiting"),
    ]
    assert [row["name"] for row in rows()] == ["Grace", "Ada Example", "Ada Example"]
    assert {to for to, _ in outbox_emails()} == {RIGHT}
    assert client.get(link).status_code == 404
    assert SLIP not in str(rows(Submission))


def test_htmx_gets_the_corrected_confirmation_in_place(client):
    path = register(client, DECEMBER, email=SLIP).location

    response = change_email(client, path, headers=HTMX)

    soup = parse(response)
    assert response.status_code == 200
    assert RIGHT in text_of(soup.find(id="registration"))
    assert soup.select_one("#registration [autofocus]")


def test_answers_saved_before_the_correction_are_asked_for_again(client):
    note = "If you saved answers before you changed the email, add them again."
    path = register(client, DECEMBER, email=SLIP).location
    save(client, path, access="asl")

    before, after = client.page(path), client.page(change_email(client, path).location)

    assert note not in main_text(before)
    assert note in main_text(after)
    assert [row["access"] for row in rows()] == [[]]


def test_the_last_spot_goes_to_the_corrected_address_unless_somebody_waits_for_it(client):
    for slug in (DECEMBER, JANUARY):
        update_meeting(slug, capacity=1)
    path = register(client, [DECEMBER, JANUARY], email=SLIP).location
    add_registrations(JANUARY, GRACE, status="waiting")

    response = change_email(client, path)

    statuses = [("grace@example.org", JANUARY, "held"), (RIGHT, DECEMBER, "held")]
    assert registration_statuses() == [*statuses, (RIGHT, JANUARY, "waiting")]
    assert "On the waiting list" in main_text(client.page(response.location))
    assert [to for to, _ in outbox_emails(EmailKind.PROMOTED)] == ["grace@example.org"]


def test_a_registration_that_was_there_before_is_not_touched(client):
    add_registrations(DECEMBER, SLIP)
    path = register(client, [DECEMBER, JANUARY], email=SLIP).location

    change_email(client, path)

    assert registration_statuses() == [
        (SLIP, DECEMBER, "held"),
        (SLIP, JANUARY, "cancelled"),
        (RIGHT, DECEMBER, "held"),
        (RIGHT, JANUARY, "held"),
    ]


def test_what_its_owner_has_acted_on_stays(app, client):
    path = register(client, DECEMBER, email=SLIP).location
    advance_clock(app, timedelta(minutes=1))
    press_button(client, member_path(email=SLIP))

    change_email(client, path)

    assert registration_statuses() == [(SLIP, DECEMBER, "held"), (RIGHT, DECEMBER, "held")]


def test_a_registration_that_was_asked_for_again_since_stays(app, client):
    path = register(client, DECEMBER, name="Mallory").location
    advance_clock(app, timedelta(minutes=1))
    register(client, DECEMBER)

    change_email(client, path)

    assert registration_statuses() == [(ADA, DECEMBER, "held"), (RIGHT, DECEMBER, "held")]


def test_it_tells_nobody_whether_the_first_address_was_known(client):
    add_registrations(DECEMBER, ADA)

    known = change_email(client, register(client, DECEMBER, email=ADA).location)
    unknown = change_email(client, register(client, DECEMBER, email=SLIP).location, "b@gmail.com")

    pages = [main_text(client.page(response.location)) for response in (known, unknown)]
    assert pages[0].replace(RIGHT, "b@gmail.com") == pages[1]


def test_the_email_is_corrected_once_and_a_double_click_changes_nothing(client):
    path = register(client, DECEMBER, email=SLIP).location

    first = change_email(client, path)
    again = change_email(client, path)
    other = change_email(client, path, "somebody@example.org")
    after = change_email(client, first.location, "somebody@example.org")

    assert again.location == first.location
    assert (other.status_code, after.status_code) == (422, 422)
    assert registration_statuses() == [(RIGHT, DECEMBER, "held")]


@pytest.mark.parametrize(
    ("email", "error"),
    [
        ("ada", "Enter an email address, like name@example.org."),
        ("", "Enter an email address, like name@example.org."),
        ("ADA@gmial.com", "This is the email we already have. Enter the correct one."),
    ],
)
def test_a_refused_email_is_kept_and_nothing_changes(client, email, error):
    path = register(client, DECEMBER, email=SLIP).location

    response = change_email(client, path, email)

    soup = parse(response)
    assert response.status_code == 422
    assert error_summary(soup) == [error]
    assert soup.find(id="email")["value"] == email
    assert registration_statuses() == [(SLIP, DECEMBER, "held")]


def test_a_session_canceled_meanwhile_refuses_the_correction_as_a_whole(client):
    path = register(client, DECEMBER, email=SLIP).location
    update_meeting(DECEMBER, status="cancelled")

    response = change_email(client, path)

    assert response.status_code == 422
    assert registration_statuses() == [(SLIP, DECEMBER, "held")]


def test_answers_are_saved_for_the_sessions_of_this_form_only(client):
    update_meeting(DECEMBER, prep_question="A?")
    update_meeting(JANUARY, prep_question="B?")
    add_registrations(DECEMBER, ADA, GRACE)
    path = register(client, [DECEMBER, JANUARY]).location

    response = save(client, path, organization="Harbor Lab", prep_answer="Renters.")

    page = client.page(response.location)
    answers = [(row["organization"], row["prep_answer"]) for row in rows()]
    assert response.status_code == 303
    assert page.h1.get_text() == "Thank you for your answers"
    assert "Were you registered before? Use the link in our email to add them there." in main_text(
        page
    )
    assert not page.select_one(".panel")
    # The question was that of December, where she was registered before.
    assert answers == [("", ""), ("", ""), ("Harbor Lab", "")]


def test_the_preparation_answer_belongs_to_the_soonest_session_that_asks(client):
    update_meeting(DECEMBER, prep_question="A?")
    update_meeting(JANUARY, prep_question="B?")
    path = register(client, [JANUARY, DECEMBER]).location

    questions = [text_of(tag) for tag in client.page(path).select(".prep-question")]
    save(client, path, prep_answer="to A", prep_visibility="group")

    stored = {row["prep_answer"]: row["prep_visibility"] for row in rows()}
    assert questions == ["Tuesday, December 15: A?"]
    assert [row["prep_answer"] for row in rows()] == ["to A", ""]
    assert stored == {"to A": "group", "": "hosts"}


def test_a_form_that_created_nothing_looks_the_same_and_saves_nothing(client):
    created = register(client, DECEMBER).location
    nothing = register(client, DECEMBER).location

    first, second = (save(client, path, organization="Lab") for path in (created, nothing))

    pages = [main_text(client.page(response.location)) for response in (first, second)]
    assert pages[0] == pages[1]
    assert [row["organization"] for row in rows()] == ["Lab"]


def test_saving_for_nothing_takes_as_many_statements_as_saving(client):
    with write_tx() as db_session:
        a_coordinator(db_session, "Dana")
    paths = [register(client, "all").location for _ in range(2)]

    counts = []
    for path in paths:
        with Statements() as sent:
            save(client, path, access="asl", pronouns="she/her")
        counts.append(Counter(statement.split()[0] for statement in sent))

    assert counts[0]["INSERT"] == counts[1]["INSERT"] > 0
    assert counts[0]["UPDATE"] == counts[1]["UPDATE"] > 0
    assert counts[0]["SELECT"] == counts[1]["SELECT"]


def test_answers_saved_again_replace_the_first_unless_the_owner_changed_them(app, client):
    path = register(client, DECEMBER).location
    save(client, path, organization="First")
    save(client, path, organization="Second")
    again = [row["organization"] for row in rows()]
    advance_clock(app, timedelta(minutes=1))
    press_button(client, member_path(f"/sessions/{DECEMBER}"), name="Ada", organization="Mine")

    save(client, path, organization="Third")

    assert again == ["Second"]
    assert [row["organization"] for row in rows()] == ["Mine"]


def test_who_opened_their_link_meanwhile_can_still_answer(app, client):
    path = register(client, DECEMBER).location
    advance_clock(app, timedelta(minutes=1))
    press_button(client, member_path())

    save(client, path, organization="Lab")

    assert [row["organization"] for row in rows()] == ["Lab"]


def test_the_mailing_list_is_always_confirmed_by_email_even_if_nothing_was_created(client):
    register(client, DECEMBER)
    path = register(client, DECEMBER).location

    save(client, path, list_opt_in="yes")

    assert find_member().list_requested_at == NOW
    assert find_member().list_confirmed_at is None
    assert [to for to, _ in outbox_emails(EmailKind.LIST)] == [ADA]


def test_coordinators_hear_of_access_needs_for_each_session_once(client):
    with write_tx() as db_session:
        a_coordinator(db_session, "Dana")
    path = register(client, [DECEMBER, JANUARY]).location

    save(client, path, access="asl")
    save(client, path, access="asl", pronouns="she/her")

    subjects = [subject for to, subject in outbox_emails(EmailKind.COORDINATORS) if "dana" in to]
    assert len(subjects) == 2
    assert "December 15" in subjects[0]
    assert "January 19" in subjects[1]


def test_after_half_an_hour_nothing_typed_is_shown_or_changed(app, client):
    path = register(client, DECEMBER, email=SLIP).location
    advance_clock(app, HALF_AN_HOUR)

    page = client.page(path)
    answers = save(client, path, organization="Lab")
    email = change_email(client, path)

    assert "You're registered" in main_text(page)
    assert SLIP not in str(page)
    assert not page.select("main form")
    assert (answers.status_code, email.status_code) == (422, 422)
    assert form_values(parse(answers))["organization"] == ["Lab"]
    assert "more than 30 minutes" in error_summary(parse(answers))[0]
    assert registration_statuses() == [(SLIP, DECEMBER, "held")]
    assert [row["organization"] for row in rows()] == [""]


def test_what_was_typed_is_deleted_after_half_an_hour_and_not_before(db_session):
    for key, age in (("young", HALF_AN_HOUR - timedelta(seconds=1)), ("old", HALF_AN_HOUR)):
        values = {"held": ["it"], "waiting": [], "name": "Ada", "email": ADA, "member_id": 1}
        created_at = NOW - age
        db_session.add(Submission(key=key, created_at=created_at, registration_ids=[1], **values))
    db_session.flush()

    erased = confirmation.closed_submissions(now=NOW).erase_all(db_session)

    columns = (Submission.key, Submission.email, Submission.name, Submission.member_id)
    query = select(*columns, Submission.registration_ids).order_by(Submission.key)
    assert erased == 1
    assert db_session.execute(query).all() == [
        ("old", "", "", None, []),
        ("young", ADA, "Ada", 1, [1]),
    ]


def test_an_erased_member_leaves_no_form_behind(client):
    path = register(client, DECEMBER).location
    register(client, DECEMBER, email=GRACE)

    press_button(client, member_path("/erase"))
    answers = client.post(path, data={"pronouns": "she"}, headers=SAME_ORIGIN | HTMX)

    assert client.get(path).status_code == answers.status_code == 404
    assert answers.headers["HX-Retarget"] == "body"  # since it is a whole page
    assert [row["email"] for row in rows(Submission)] == [GRACE]
    assert [row["email"] for row in rows(Member)] == [GRACE]
    assert len(rows(Registration)) == 1


def test_a_session_that_ends_meanwhile_refuses_every_correction_alike(app, client):
    update_meeting(DECEMBER, starts_at=NOW - HOUR, ends_at=NOW + timedelta(minutes=10))
    add_registrations(DECEMBER, ADA)
    add_registrations(JANUARY, GRACE)
    paths = [register(client, DECEMBER, email=email).location for email in (ADA, GRACE, SLIP)]
    advance_clock(app, timedelta(minutes=10))

    responses = [change_email(client, path) for path in paths]

    errors = [error_summary(parse(response)) for response in responses]
    assert errors == [["The session on November 22 is over. Choose another one below."]] * 3
    assert len(registration_statuses()) == 4


@pytest.mark.parametrize("is_known", [True, False])
def test_correcting_an_address_again_and_again_cannot_flood_it_with_email(client, is_known):
    if is_known:
        add_registrations(JANUARY, SLIP)
    with write_tx() as db_session:
        db_session.execute(update(Member).values(verified_at=NOW - HOUR))

    seen = set()
    for number in range(9):
        path = register(client, DECEMBER, email=SLIP, list_opt_in="yes").location
        seen |= {row["id"] for row in rows(OutboxEmail) if row["to_address"] == SLIP}
        change_email(client, path, f"ada{number}@example.org")
        seen |= {row["id"] for row in rows(OutboxEmail) if row["to_address"] == SLIP}

    # Two confirmations and two of the mailing list, one cancellation, five links.
    assert len(seen) <= 10


def test_a_corrected_address_does_not_come_back_with_a_restored_backup(client):
    path = register(client, DECEMBER, email=SLIP).location

    change_email(client, path)

    key = withdrawals.key_of(SLIP, LINKS.secret_key)
    assert (key, withdrawals.EVERYTHING) in {(r["key"], r["scope"]) for r in rows(Withdrawal)}


def test_a_page_from_before_the_correction_goes_on_with_the_corrected_registration(client):
    path = register(client, DECEMBER, email=SLIP).location
    change_email(client, path)

    page = client.page(path)
    save(client, path, organization="Harbor Lab")

    assert RIGHT in main_text(page)
    assert [row["organization"] for row in rows()] == ["Harbor Lab"]
    assert registration_statuses() == [(RIGHT, DECEMBER, "held")]
