"""The page of the coordinators: invitations, rights and removal."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from cop.db.engine import write_tx
from cop.links import Purpose, sign_token
from cop.models.audit import AuditEntry
from cop.models.coordinator import Coordinator, CoordinatorSession, Invitation
from cop.models.email import OutboxEmail
from tests.builders import CORIN, NOW, a_coordinator
from tests.client import (
    LINKS,
    advance_clock,
    error_summary,
    main_text,
    post,
    rows,
    signed_in,
)
from tests.page import parse
from tests.statements import Statements

PAGE, FRONT = "/coordinator/settings/coordinators", "/coordinator/"
DANA = "dana@example.org"
DANAS = {"name": "Dana", "password": "five green herons whistle"}


def invite(client, email=DANA, **more):
    return post(client, PAGE, email=email, **more)


def links():
    """The paths in the mails, in the order of inviting."""
    found = (re.search(r"\S+/coordinator/invitation/\S+", m["text"]) for m in rows(OutboxEmail))
    return [urlsplit(link[0]).path for link in found if link]


@pytest.fixture
def dana(app, corin):
    """A client of a second coordinator, who may not take lists away."""
    with write_tx() as db_session:
        dana = a_coordinator(db_session, "Dana", may_export=False)
    return signed_in(app.test_client(), dana.id)


def press(client, below, **answers):
    return post(client, f"{PAGE}{below}", form_at=PAGE, **answers)


def rights():
    return {row["email"]: row["may_export"] for row in rows(Coordinator)}


def test_the_link_in_the_email_makes_an_account_once_and_signs_it_in(app, corin):
    invite(corin, may_export="yes")
    [email], [link], client = rows(OutboxEmail), links(), app.test_client()

    page = client.page(link)
    answer = post(client, link, **DANAS)
    used, again = client.get(link), post(client, link, form_at="/coordinator/account", **DANAS)

    assert (email["to_address"], email["kind"]) == (DANA, "invitation")
    assert "Corin invited you" in email["text"]
    assert DANA in main_text(page)
    assert (answer.status_code, answer.location) == (303, FRONT)
    assert "Sign out" in client.page(FRONT).header.get_text()
    assert (used.status_code, again.status_code) == (404, 404)
    assert "has been used, canceled or replaced" in main_text(parse(used))
    assert rights() == {CORIN: True, DANA: True}
    assert rows(Invitation) == []
    assert [(act["coordinator_id"], act["action"]) for act in rows(AuditEntry)] == [
        (1, "invited a coordinator"),
        (2, "signed in"),
    ]


def test_without_a_mail_server_the_page_alone_shows_the_link_once_to_pass_on(corin):
    answer = invite(corin)
    [email], [link] = rows(OutboxEmail), links()

    once, again = main_text(corin.page(answer.location)), main_text(corin.page(PAGE))
    logged = main_text(corin.page(f"/coordinator/mail/{email['id']}"))

    assert f"http://localhost:8000{link}" in once
    assert "/invitation/" not in again
    assert DANA in again
    assert "/coordinator/invitation/…" in logged
    assert link not in logged


def test_the_link_works_for_a_week(app, corin):
    invite(corin)
    [link], stranger = links(), app.test_client()

    statuses = []
    for ahead in (timedelta(days=7), timedelta(days=7, seconds=1)):
        advance_clock(app, ahead)
        statuses.append(stranger.get(link).status_code)

    assert statuses == [200, 404]


def test_inviting_again_replaces_the_older_link(app, corin):
    invite(corin)
    [older] = links()
    advance_clock(app, timedelta(minutes=1))
    invite(corin, "Dana@Example.org")
    [newer] = links()  # the older email had not gone out yet

    statuses = [app.test_client().get(link).status_code for link in (older, newer)]

    assert statuses == [404, 200]
    assert len(rows(Invitation)) == 1


def test_withdrawing_an_invitation_deletes_its_email(app, corin):
    invite(corin)
    [link], [row] = links(), rows(Invitation)

    answer = press(corin, "/withdraw", invitation=row["id"])

    assert answer.status_code == 303
    assert app.test_client().get(link).status_code == 404
    assert rows(OutboxEmail) == []
    assert press(corin, "/withdraw", invitation=row["id"]).status_code == 404
    assert press(corin, "/withdraw", invitation="x").status_code == 404


def test_forged_tokens_are_refused(app, corin):
    invite(corin)
    token, client = links()[0].rpartition("/")[2], app.test_client()
    invited_at = int(NOW.timestamp() * 1_000_000)
    forged = [
        *("%00", "é", token[:-1]),
        LINKS.invitation(1, 0).rpartition("/")[2],
        LINKS.invitation(2, invited_at).rpartition("/")[2],
        sign_token("another key", Purpose.INVITATION, 1, invited_at),
    ]

    statuses = [client.get(f"/coordinator/invitation/{each}").status_code for each in forged]

    assert statuses == [404] * len(forged)


def test_an_invalid_invitation_is_refused(corin):
    refused = {
        "": "Enter the email of the person you're inviting.",
        "dana": "Enter an email address, like name@example.org.",
        "Corin@Example.org": "This email already has an account.",
        "x" * 300 + "@example.org": "Use at most 254 characters. You have 312.",
    }

    for email, sentence in refused.items():
        answer = invite(corin, email)

        page = parse(answer)
        assert answer.status_code == 422, email
        assert sentence in error_summary(page)
        assert page.find(id="email")["value"] == email
    assert rows(Invitation) == rows(OutboxEmail) == []


def test_an_invalid_answer_leaves_the_link_usable(app, corin):
    invite(corin)
    [link], client = links(), app.test_client()
    invalid = ({"name": " "}, {"name": "x" * 201}, {"password": "DanaDanaDanaDana"})

    for answers in invalid:
        refused = post(client, link, **DANAS | answers)

        assert refused.status_code == 422, answers
        assert error_summary(parse(refused))
    assert post(client, link, **DANAS).status_code == 303


def test_an_account_created_meanwhile_ends_the_link(app, corin):
    invite(corin)
    with write_tx() as db_session:
        a_coordinator(db_session, "Dana")

    answer = post(app.test_client(), links()[0], **DANAS)

    assert answer.status_code == 404
    assert "This email already has an account." in main_text(parse(answer))


def test_a_coordinator_without_the_right_cannot_grant_it(corin, dana):
    answers = [
        press(dana, "/rights", coordinator=2, right="yes"),
        press(dana, "/rights", coordinator=1, right="no"),
        invite(dana, "dana2@example.org", may_export="yes"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert rights() == {CORIN: True, DANA: False}
    assert rows(Invitation) == []
    assert invite(dana, "dana2@example.org").status_code == 303
    assert [row["may_export"] for row in rows(Invitation)] == [False]


def test_granting_and_revoking_the_right_take_effect_at_once(corin, dana):
    press(corin, "/rights", coordinator=2, right="yes")
    given = dana.get("/coordinator/export.csv").status_code
    press(corin, "/rights", coordinator=2, right="no")
    taken = dana.get("/coordinator/export.csv").status_code

    refused = press(corin, "/rights", coordinator=1, right="no")

    assert (given, taken) == (200, 403)
    assert refused.status_code == 422
    assert "No one else can download lists." in main_text(parse(refused))
    assert press(corin, "/rights", coordinator=9, right="yes").status_code == 404
    changed = [act["action"] for act in rows(AuditEntry) if act["action"] == "changed rights"]
    assert len(changed) == 2


def test_removing_asks_first_and_signs_out_at_once(corin, dana):
    confirmation = corin.page(f"{PAGE}/2/remove")
    before = dana.get(FRONT).status_code

    answer = post(corin, f"{PAGE}/2/remove")

    assert DANA in main_text(confirmation)
    assert (before, dana.get(FRONT).status_code) == (200, 303)
    assert answer.location == PAGE
    assert rights() == {CORIN: True}
    assert "Dana is no longer a coordinator." in main_text(corin.page(PAGE))
    assert corin.get(f"{PAGE}/2/remove").status_code == 404
    assert press(corin, "/2/remove").status_code == 404


def test_the_last_account_stays_and_removing_oneself_signs_out(corin, dana):
    left = post(dana, f"{PAGE}/2/remove")
    alone = post(corin, f"{PAGE}/1/remove")

    assert left.location == "/coordinator/sign-in"
    assert alone.status_code == 422
    assert "This is the only account." in main_text(parse(alone))
    assert [row["coordinator_id"] for row in rows(CoordinatorSession)] == [1]


def test_the_list_shows_the_last_use_and_takes_five_statements(corin, dana):
    with write_tx() as db_session:
        for number in range(12):
            address = f"{number}@example.org"
            row = Invitation(email=address, email_key=address, created_at=NOW, coordinator_id=1)
            db_session.add(row)

    with Statements() as sent:
        page = corin.page(PAGE)

    text = "Dana dana@example.org Last active Nov 22, 10:00 AM. Can't download lists."
    assert text in main_text(page)
    assert main_text(page).count("No two-factor sign-in.") == 2
    assert len(page.select(".allowed li")) == 14
    assert len(sent) <= 5, sent
