"""Edit conflicts: of two coordinators on the same page, neither overwrites the other unknowingly."""

from datetime import timedelta
from functools import partial

import pytest

from cop.db.engine import write_tx
from cop.models.audit import AuditEntry
from cop.models.meeting import Meeting
from tests.builders import NOW, a_coordinator
from tests.client import (
    DECEMBER,
    add_registrations,
    error_summary,
    post,
    rows,
    signed_in,
    submit,
    update_meeting,
)
from tests.concurrency import at_once
from tests.page import parse

SESSION = f"/coordinator/sessions/{DECEMBER}"
EDIT, CANCEL, RESTORE = f"{SESSION}/edit", f"{SESSION}/cancel", f"{SESSION}/restore"
TAKEAWAYS, RHYTHM = f"{SESSION}/takeaways", "/coordinator/rhythm"

BY_CORIN = "Corin changed this to “{}” while you were editing. Save again to use yours."


@pytest.fixture
def dorothy(app, corin):
    """A client that is signed in as Dorothy, who coordinates as well."""
    with write_tx() as db_session:
        dorothy = a_coordinator(db_session, "Dorothy")
    return signed_in(app.test_client(), dorothy.id)


@pytest.fixture
def december(app):
    """Read columns of the meeting: one as its value, several as a tuple."""

    def december(*names):
        values = tuple(rows(Meeting)[0][name] for name in names)
        return values if len(values) > 1 else values[0]

    return december


def send(client, page, path=EDIT, **answers):
    return submit(client, page, path, **answers)


def test_a_conflict_shows_each_change_meanwhile_and_sending_again_replaces_only_it(
    corin, dorothy, december
):
    earlier = dorothy.page(EDIT)
    send(corin, corin.page(EDIT), topic="Who counts?", guests="A guest")
    first = send(dorothy, earlier, topic="Who is counted?", summary="Mine")
    send(corin, corin.page(EDIT), topic="Who decides?")
    second = send(dorothy, parse(first))
    between = december("topic", "summary")

    saved = send(dorothy, parse(second))

    for response, topic in ((first, "Who counts?"), (second, "Who decides?")):
        page = parse(response)
        assert response.status_code == 422
        assert error_summary(page) == [BY_CORIN.format(topic)]
        assert error_summary(page)[0] in page.find(id="topic-refusal").get_text()
    assert between == ("Who decides?", None)
    assert saved.status_code == 303
    assert december("topic", "guests", "summary") == ("Who is counted?", "A guest", "Mine")


def test_a_conflict_with_an_emptied_field_of_an_unknown_editor_says_so(corin):
    update_meeting(DECEMBER, topic="Who counts?")
    earlier = corin.page(EDIT)
    update_meeting(DECEMBER, topic=None)

    response = send(corin, earlier, topic="Who is counted?")

    assert error_summary(parse(response)) == [
        "Someone cleared this while you were editing. Save again to use yours."
    ]


def test_a_conflict_with_another_window_says_so(corin):
    earlier = corin.page(EDIT)
    send(corin, corin.page(EDIT), topic="Who counts?")

    response = send(corin, earlier, topic="Who is counted?")

    expected = "You changed this to “Who counts?” in another window."
    assert error_summary(parse(response))[0].startswith(expected)


def test_changes_of_different_fields_or_to_the_same_value_are_merged(corin, dorothy, december):
    earlier = dorothy.page(EDIT)
    send(corin, corin.page(EDIT), topic="Who counts?", capacity="9")

    response = send(dorothy, earlier, topic="Who counts?", guests="A guest", ends="13:30")

    assert response.status_code == 303
    assert december("topic", "guests", "capacity") == ("Who counts?", "A guest", 9)
    assert december("ends_at").hour == 18


def test_registrations_meanwhile_are_no_conflict(corin, december):
    earlier = corin.page(EDIT)
    add_registrations(DECEMBER, "katherine@example.org")

    response = send(corin, earlier, capacity="9")

    assert response.status_code == 303
    assert december("capacity") == 9


def test_forged_digests_cannot_hide_a_conflict(corin, december):
    update_meeting(DECEMBER, topic="Who counts?")
    page = corin.page(EDIT)

    for forged in ("", "topic:", "\x00<b>" * 500):
        response = send(corin, page, topic="Who is counted?", before=forged)

        assert response.status_code == 422
        assert "changed this to “Who counts?” while" in error_summary(parse(response))[0]
        assert december("topic") == "Who counts?"


def test_of_two_simultaneous_edits_one_is_a_conflict(app, corin, dorothy, december):
    for number in range(2):
        pages = [(client, client.page(EDIT)) for client in (corin, dorothy)]

        responses = at_once(
            app,
            *(
                partial(send, client, page, topic=f"{client is corin} {number}")
                for client, page in pages
            ),
        )

        saved = next(response for response in responses if response.status_code == 303)
        assert sorted(response.status_code for response in responses) == [303, 422]
        assert december("topic") == f"{saved is responses[0]} {number}"


def test_takeaways_have_edit_conflicts(corin, dorothy, december):
    update_meeting(DECEMBER, starts_at=NOW - timedelta(days=1), ends_at=NOW - timedelta(hours=22))
    earlier = dorothy.page(TAKEAWAYS)
    long = f"We met.\n\n{'<b>word</b> ' * 50}".strip()
    send(corin, corin.page(TAKEAWAYS), TAKEAWAYS, takeaways=long)

    response = send(dorothy, earlier, TAKEAWAYS, takeaways="We agreed.")

    conflict = parse(response)
    assert response.status_code == 422
    assert error_summary(conflict)[0].startswith("Corin changed this to “We met. <b>word</b>")
    assert conflict.select_one(".refused-field blockquote").get_text() == long
    assert december("takeaways") == long


def test_canceling_a_session_that_was_just_canceled_is_refused(corin, december):
    post(corin, CANCEL, reason="Snow")

    response = post(corin, CANCEL, form_at=EDIT, reason="Ice")

    page = parse(response)
    assert response.status_code == 422
    assert (
        "This session is already canceled, so nothing was changed. Everyone sees this reason: “Snow”"
        in error_summary(page)[0]
    )
    assert not page.main.find("form")
    assert december("reason", "sequence") == ("Snow", 1)
    assert [entry["action"] for entry in rows(AuditEntry)] == ["cancelled a session"]


def test_restoring_a_session_that_was_just_restored_is_refused(corin, december):
    update_meeting(DECEMBER, status="cancelled", cancelled_at=NOW)
    post(corin, RESTORE)

    response = post(corin, RESTORE, form_at=EDIT)

    assert response.status_code == 422
    assert (
        "This session isn't canceled, so there's nothing to undo."
        in parse(response).main.get_text()
    )
    assert december("sequence") == 1


def test_the_recurrence_rule_has_edit_conflicts_with_the_labels_of_its_choices(corin, dorothy):
    earlier = dorothy.page(RHYTHM)
    send(corin, corin.page(RHYTHM), RHYTHM, weekday="WE")

    response = send(dorothy, earlier, RHYTHM, weekday="TH")

    assert response.status_code == 422
    assert error_summary(parse(response)) == [BY_CORIN.format("Wednesday")]
