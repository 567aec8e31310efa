"""Edit conflicts: of two coordinators on the same page, neither overwrites the other unknowingly."""

from datetime import timedelta
from functools import partial

import pytest

from cop.accounts import login_sessions
from cop.accounts.access_control import TOKEN
from cop.db.engine import write_tx
from cop.models.audit import AuditEntry
from cop.models.coordinator import Coordinator
from cop.models.meeting import Meeting
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    add_registrations,
    error_summary,
    form_values,
    post,
    register,
    rows,
    submit,
    update_meeting,
)
from tests.concurrency import at_once
from tests.page import parse

SESSION = f"/coordinator/sessions/{DECEMBER}"
EDIT, CANCEL, RESTORE = f"{SESSION}/edit", f"{SESSION}/cancel", f"{SESSION}/restore"
TAKEAWAYS, RHYTHM = f"{SESSION}/takeaways", "/coordinator/rhythm"

BY_CORIN = "Corin changed this while you were editing."
AGAIN = "Save again to put yours in its place."


@pytest.fixture
def dorothy(app, corin):
    """A client that is signed in as Dorothy, who coordinates as well."""
    address, client = "dorothy@example.org", app.test_client()
    with write_tx() as db_session:
        dorothy = Coordinator(email=address, email_key=address, name="Dorothy", password_hash="")
        db_session.add(dorothy)
        db_session.flush()
        token = login_sessions.start_session(db_session, dorothy.id, now=NOW)
    with client.session_transaction("/coordinator/") as cookie:
        cookie[TOKEN] = token
    return client


@pytest.fixture
def december(app):
    def december(name):
        return next(row for row in rows(Meeting) if row["slug"] == DECEMBER)[name]

    return december


def send(client, page, path=EDIT, **answers):
    return submit(client, page, path, **answers)


def test_a_field_that_both_changed_shows_the_other_value_and_whose_it_is(corin, dorothy, december):
    earlier = dorothy.page(EDIT)
    send(corin, corin.page(EDIT), topic="Who counts?", guests="A guest")

    response = send(dorothy, earlier, topic="Who is counted?", summary="Mine")

    page = parse(response)
    assert response.status_code == 422
    assert error_summary(page) == [f"{BY_CORIN} Now it says “Who counts?”. {AGAIN}"]
    assert error_summary(page)[0] in page.find(id="topic-refusal").get_text()
    assert [form_values(page.main)[name][0].strip() for name in ("topic", "guests", "summary")] == [
        "Who is counted?", "A guest", "Mine",
    ]  # fmt: skip
    assert (december("topic"), december("summary")) == ("Who counts?", None)


def test_sending_again_replaces_only_the_conflicting_value(corin, dorothy, december):
    earlier = dorothy.page(EDIT)
    send(corin, corin.page(EDIT), topic="Who counts?", guests="A guest")
    conflict = parse(send(dorothy, earlier, topic="Who is counted?", summary="Mine"))

    response = send(dorothy, conflict)

    assert response.status_code == 303
    assert (december("topic"), december("guests"), december("summary")) == (
        "Who is counted?", "A guest", "Mine",
    )  # fmt: skip


def test_a_third_change_meanwhile_is_shown_again(corin, dorothy, december):
    earlier = dorothy.page(EDIT)
    send(corin, corin.page(EDIT), topic="Who counts?")
    conflict = parse(send(dorothy, earlier, topic="Who is counted?"))
    send(corin, corin.page(EDIT), topic="Who decides?")

    response = send(dorothy, conflict)

    assert response.status_code == 422
    assert error_summary(parse(response)) == [f"{BY_CORIN} Now it says “Who decides?”. {AGAIN}"]
    assert december("topic") == "Who decides?"


def test_a_conflict_with_an_emptied_field_says_so(corin, dorothy):
    update_meeting(DECEMBER, topic="Who counts?")
    earlier = dorothy.page(EDIT)
    send(corin, corin.page(EDIT), topic="")

    response = send(dorothy, earlier, topic="Who is counted?")

    assert error_summary(parse(response)) == [f"{BY_CORIN} Now it is empty. {AGAIN}"]


def test_changes_of_different_fields_are_merged(corin, dorothy, december):
    earlier = dorothy.page(EDIT)
    send(corin, corin.page(EDIT), topic="Who counts?", capacity="9")

    response = send(dorothy, earlier, guests="A guest", ends="13:30")

    assert response.status_code == 303
    assert (december("topic"), december("guests"), december("capacity")) == (
        "Who counts?", "A guest", 9,
    )  # fmt: skip
    assert december("ends_at").hour == 18


def test_the_same_change_by_both_is_no_conflict(corin, dorothy, december):
    earlier = dorothy.page(EDIT)
    send(corin, corin.page(EDIT), topic="Who counts?")

    response = send(dorothy, earlier, topic="Who counts?")

    assert response.status_code == 303
    assert december("topic") == "Who counts?"


def test_registrations_meanwhile_are_no_conflict(corin, december):
    update_meeting(DECEMBER, capacity=3)
    add_registrations(DECEMBER, "ada@example.org", "grace@example.org")
    earlier = corin.page(EDIT)
    lock = december("lock_version")
    register(corin.application.test_client(), DECEMBER, email="katherine@example.org")

    response = send(corin, earlier, capacity="9")

    assert response.status_code == 303
    assert december("lock_version") > lock + 1
    assert december("capacity") == 9


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (None, "Somebody else changed this while you were editing."),
        ("self", "You changed this in another window while you were editing here."),
    ],
    ids=["nobody known", "oneself"],
)
def test_a_conflict_names_the_other_editor_if_known(corin, december, by, expected):
    earlier = corin.page(EDIT)
    if by:
        send(corin, corin.page(EDIT), topic="Who counts?")
    else:
        update_meeting(DECEMBER, topic="x")

    response = send(corin, earlier, topic="Who is counted?")

    assert error_summary(parse(response))[0].startswith(expected)


@pytest.mark.parametrize(
    "hidden",
    [{"before": ""}, {"before": "topic:"}, {"before": "\x00<b>" * 500}],
    ids=["empty", "wrong", "hostile"],
)  # fmt: skip
def test_forged_digests_cannot_hide_a_conflict(corin, december, hidden):
    update_meeting(DECEMBER, topic="Who counts?")

    response = send(corin, corin.page(EDIT), topic="Who is counted?", **hidden)

    assert response.status_code == 422
    assert "Now it says “Who counts?”" in error_summary(parse(response))[0]
    assert december("topic") == "Who counts?"


def test_of_two_simultaneous_edits_one_is_a_conflict(app, corin, dorothy, december):
    for number in range(5):
        pages = [(client, client.page(EDIT)) for client in (corin, dorothy)]

        responses = at_once(
            app,
            *(
                partial(send, client, page, topic=f"{client is corin} {number}")
                for client, page in pages
            ),
        )

        kept = next(r for r in responses if r.status_code == 303)
        assert sorted(response.status_code for response in responses) == [303, 422]
        assert december("topic") == f"{kept is responses[0]} {number}"


@pytest.fixture
def over(corin):
    update_meeting(DECEMBER, starts_at=NOW - timedelta(days=1), ends_at=NOW - timedelta(hours=22))


def test_takeaways_have_edit_conflicts(corin, dorothy, over, december):
    earlier = dorothy.page(TAKEAWAYS)
    long = f"We met.\n\n{'<b>word</b> ' * 50}".strip()
    send(corin, corin.page(TAKEAWAYS), TAKEAWAYS, takeaways=long)

    response = send(dorothy, earlier, TAKEAWAYS, takeaways="We agreed.")
    conflict = parse(response)
    again = send(dorothy, conflict, TAKEAWAYS, recording_url="https://video.example.com/1")

    assert response.status_code == 422
    assert error_summary(conflict)[0].startswith(f"{BY_CORIN} Now it says “We met. <b>word</b>")
    assert conflict.select_one(".stands blockquote").get_text() == long
    assert again.status_code == 303
    assert (december("takeaways"), december("recording_url")) == (
        "We agreed.", "https://video.example.com/1",
    )  # fmt: skip


def test_canceling_a_session_that_was_just_canceled_is_refused(corin, dorothy, december):
    dorothy.page(CANCEL)
    post(corin, CANCEL, reason="Snow")

    response = post(dorothy, CANCEL, form_at=EDIT, reason="Ice")

    page = parse(response)
    assert response.status_code == 422
    assert "It is cancelled already, and everybody reads: “Snow”" in error_summary(page)[0]
    assert not page.main.find("form")
    assert december("reason") == "Snow"
    assert [act["action"] for act in rows(AuditEntry)] == ["cancelled a session"]


def test_restoring_a_session_that_was_just_restored_is_refused(corin, dorothy, december):
    post(corin, CANCEL, reason="Snow")
    post(corin, RESTORE)

    response = post(dorothy, RESTORE, form_at=EDIT)

    assert response.status_code == 422
    assert "It takes place: there is nothing to restore." in parse(response).main.get_text()
    assert december("sequence") == 2


def test_the_recurrence_rule_has_edit_conflicts(corin, dorothy):
    earlier = dorothy.page(RHYTHM)
    send(corin, corin.page(RHYTHM), RHYTHM, weekday="WE", ends="13:30")

    response = send(dorothy, earlier, RHYTHM, weekday="TH", planned_ahead="3")
    conflict = parse(response)
    again = send(dorothy, conflict, RHYTHM)

    form = form_values(dorothy.page(RHYTHM).main)
    assert (response.status_code, again.status_code) == (422, 303)
    assert error_summary(conflict) == [f"{BY_CORIN} Now it says “Wednesday”. {AGAIN}"]
    assert (form["weekday"], form["ends"], form["planned_ahead"]) == (["TH"], ["13:30"], ["3"])
