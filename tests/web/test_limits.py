"""The limit of forms that one network may send in an hour."""

import os
import re
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import redis

from cop import create_app
from cop.db.engine import db
from tests.client import (
    DECEMBER,
    HTMX,
    SeparateRequests,
    form_token,
    register,
    registration_statuses,
    update_community,
)
from tests.page import parse

REDIS = "redis://127.0.0.1:6379/15"
TYPED = {"name": 'Ada "&" Example', "hats": ["analyst", "evaluator"], "organization": "A & B"}
# In this order, with one form an hour.
FROM = [
    ("192.0.2.7", 303),
    ("192.0.2.8", 303),
    ("::ffff:192.0.2.7", 429),
    ("2001:db8:1:2::a", 303),
    ("2001:db8:1:2:ffff::b", 429),
    ("2001:db8:1:3::a", 303),
]


@pytest.fixture
def redis_server():
    """A Redis server without any counts."""
    try:
        redis.Redis.from_url(REDIS, socket_connect_timeout=1).flushdb()
    except redis.exceptions.ConnectionError:
        if os.environ.get("COP_TEST_ALL") == "1":
            pytest.fail("Redis does not answer, and nothing may be skipped here.")
        pytest.skip("Redis does not answer at 127.0.0.1:6379. Start one to test shared limits.")


@contextmanager
def another_process(app, settings):
    """A client of a process of the same site with these settings."""
    other = create_app(settings)
    other.extensions["cop.clock"] = app.extensions["cop.clock"]
    other.test_client_class = SeparateRequests
    yield other.test_client()
    with other.app_context():
        db.engine.dispose()


def send(client, number, network="192.0.2.7", token=None, headers=(), **answers):
    answers = {"email": f"ada{number}@example.org", "sessions": DECEMBER} | answers
    fields = {"name": "Ada Example", "token": token or form_token(client)} | answers
    remote = {"REMOTE_ADDR": network}
    return client.post("/register", data=fields, headers=headers, environ_overrides=remote)


@pytest.mark.settings(posts_per_hour=2)
def test_over_the_limit_the_page_has_the_form_and_says_when_to_send_it_again(client):
    update_community(contact_email="contact@example.org")
    token = form_token(client)

    answers = [send(client, number, token=token, **TYPED) for number in range(3)]
    fragment = send(client, 3, token=token, headers=HTMX)

    refused = answers[2]
    page = parse(refused)
    preserved = {(field["name"], field["value"]) for field in page.select("main [type=hidden]")}
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert 3500 < int(refused.headers["Retry-After"]) <= 3601
    assert re.search("in 6[01] minutes", page.main.get_text())
    assert "Sarah Eisele-Dyrli" in page.main.get_text()
    assert page.select_one("main a[href='mailto:contact@example.org']")
    assert preserved == {("name", TYPED["name"]), ("organization", "A & B"), ("token", token)} | {
        *(("hats", "analyst"), ("hats", "evaluator"), ("sessions", DECEMBER)),
        ("email", "ada2@example.org"),
    }
    assert fragment.status_code == 429
    assert fragment.headers["HX-Retarget"] == "#problem"
    assert "Too many forms" in parse(fragment).h2.get_text()
    assert len(registration_statuses()) == 2
    assert client.get("/register").status_code == 200


@pytest.mark.settings(posts_per_hour=2)
def test_forms_sent_in_a_frame_and_on_the_site_count_together(client):
    paths = ["/embed/register", "/register", "/embed/register?theme=dark&else=mallory", "/register"]

    answers = [
        register(client, DECEMBER, path=path, email=f"ada{number}@example.org")
        for number, path in enumerate(paths)
    ]

    assert [answer.status_code for answer in answers] == [303, 303, 429, 429]
    assert parse(answers[2]).select_one("main form")["action"] == "/embed/register?theme=dark"


@pytest.mark.settings(posts_per_hour=1)
def test_refused_forms_have_a_limit_of_their_own_ten_times_as_large(client):
    token = form_token(client)

    mistakes = [send(client, 0, token=token, email="nowhere").status_code for _ in range(10)]
    accepted, over = send(client, 1, token=token), send(client, 2, token=token)

    assert mistakes == [422] * 10
    assert (accepted.status_code, over.status_code) == (429, 429)


@pytest.mark.settings(posts_per_hour=1)
def test_mistakes_do_not_use_up_the_limit_of_accepted_forms(client):
    token = form_token(client)

    mistakes = [send(client, 0, token=token, email="nowhere").status_code for _ in range(9)]
    statuses = [send(client, number, token=token).status_code for number in (1, 2)]

    assert mistakes == [422] * 9
    assert statuses == [303, 429]


@pytest.mark.settings(posts_per_hour=1)
def test_a_network_is_an_ipv4_address_or_an_ipv6_64(client):
    token = form_token(client)

    statuses = [
        (address, send(client, number, address, token=token).status_code)
        for number, (address, _) in enumerate(FROM)
    ]

    assert statuses == FROM


@pytest.mark.processes
@pytest.mark.settings(posts_per_hour=1, redis_url=REDIS)
def test_two_processes_count_together_in_redis(redis_server, app, client, settings):
    with another_process(app, settings) as other:
        accepted, refused = send(client, 1), send(other, 2)

    assert (accepted.status_code, refused.status_code) == (303, 429)
    assert 3500 < int(refused.headers["Retry-After"]) <= 3601


def test_without_redis_each_process_counts_for_itself(app, settings):
    without_redis = replace(settings, posts_per_hour=2, redis_url="redis://127.0.0.1:1/0")

    with another_process(app, without_redis) as client:
        statuses = [send(client, number).status_code for number in range(3)]

    assert statuses == [303, 303, 429]


@pytest.mark.settings(posts_per_hour=1)
def test_the_limit_ends_after_an_hour(client, monkeypatch):
    token = form_token(client)
    send(client, 1, token=token)
    later = time.time() + timedelta(hours=1, seconds=2).total_seconds()

    monkeypatch.setattr(time, "time", lambda: later)

    assert send(client, 2, token=token).status_code == 303
