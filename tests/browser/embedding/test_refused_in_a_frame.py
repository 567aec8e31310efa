"""Forms that are refused, sent twice or do not arrive, inside another site's page."""

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from tests.browser.embedding.front import COP, HOST
from tests.browser.embedding.guests import click, is_inside_the_view, opened, send, settled
from tests.browser.test_lost_connections import FAILED_SEND, is_all_still_there
from tests.browser.visits import fill_in, has_focus, is_confirmed

HEADER = 88


class YesterdaysSigner(TimestampSigner):
    def get_timestamp(self):
        return super().get_timestamp() - 24 * 3600


def a_token_of_yesterday(site):
    key = (site.instance / "secret-key").read_text().strip()
    return URLSafeTimedSerializer(key, salt="registration form", signer=YesterdaysSigner).dumps(
        "nonce"
    )


@pytest.fixture
def page(guest):
    return guest(f"{HOST}/squarespace.html", expecting=FAILED_SEND)


@pytest.fixture
def typed(page, site):
    """The frame in which somebody is about to send the form."""

    def typed(email):
        frame = opened(settled(page), site.upcoming[2])
        fill_in(frame, email)
        return frame

    return typed


def test_a_refused_form_keeps_every_answer_and_shows_what_is_missing(page, typed):
    frame = typed("nowhere")

    send(frame)

    summary = frame.locator(".summary")
    has_focus(summary)
    is_all_still_there(frame, "nowhere")
    is_inside_the_view(page, summary, below=HEADER)
    click(summary.get_by_role("link"))
    has_focus(frame.get_by_label("Email", exact=True))


def test_a_form_that_was_open_for_a_day_keeps_every_answer_and_is_accepted_at_once(typed, site):
    frame = typed("yesterday@ada.example.org")
    frame.locator("input[name=token]").evaluate(
        "(input, token) => { input.value = token }", a_token_of_yesterday(site)
    )
    send(frame)
    has_focus(frame.locator(".summary"))
    is_all_still_there(frame, "yesterday@ada.example.org")
    assert site.registrations("yesterday@ada.example.org") == []

    send(frame)

    is_confirmed(frame)
    assert site.registrations("yesterday@ada.example.org") == [(site.upcoming[2], "held")]


def test_a_form_that_is_sent_again_as_it_was_is_answered_as_before(typed, site):
    frame = typed("framed-replayed@ada.example.org")

    answers = frame.locator(".registration-form").evaluate(
        """async (form) => {
             const body = new URLSearchParams(new FormData(form)), found = [];
             for (let time = 0; time < 2; time += 1) {
               const answer = await fetch(form.action, {method: "POST", body});
               found.push([answer.status, answer.url]);
             }
             return found;
           }"""
    )

    assert answers[0] == answers[1]
    assert answers[0][0] == 200
    assert answers[0][1].startswith(f"{COP}/embed/registered?form=")
    assert site.registrations("framed-replayed@ada.example.org") == [(site.upcoming[2], "held")]
    query = "SELECT count(*) FROM outbox_email WHERE to_address = 'framed-replayed@ada.example.org'"
    assert site.rows(query) == [(1,)]


def test_offline_what_was_typed_stays_and_the_failure_is_shown(page, typed, site):
    frame = typed("framed-offline@ada.example.org")
    page.context.set_offline(True)

    send(frame)

    problem = frame.locator("#problem .summary")
    has_focus(problem)
    is_inside_the_view(page, problem, below=HEADER)
    is_all_still_there(frame, "framed-offline@ada.example.org")
    page.context.set_offline(False)
    send(frame)
    is_confirmed(frame)
    assert site.registrations("framed-offline@ada.example.org") == [(site.upcoming[2], "held")]
