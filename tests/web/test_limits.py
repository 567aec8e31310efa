"""The limit of forms that one network may send in an hour."""

import os
import re
import time
from datetime import timedelta

import pytest
import redis

from cop import create_app
from cop.db.engine import db
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    HTMX,
    SeparateRequests,
    form_token,
    register,
    registration_statuses,
    update_community,
)
from tests.conftest import settings_for
from tests.page import parse

REDIS = "redis://127.0.0.1:6379/15"
TYPED = {"name": 'Ada "&" Example', "hats": ["analyst", "evaluator"], "organization": "A & B"}


def need_redis():
    try:
        redis.Redis.from_url(REDIS, socket_connect_timeout=1).flushdb()
    except redis.exceptions.ConnectionError:
        if os.environ.get("COP_TEST_ALL") == "1":
            pytest.fail("Redis does not answer, and nothing may be skipped here.")
        pytest.skip("Redis does not answer at 127.0.0.1:6379. Start one to test shared limits.")


@pytest.fixture
def clients(app, database_url):
    """Clients of other processes of the same site, with other settings."""
    made = []

    def clients(**values):
        made.append(other := create_app(settings_for(database_url, **values)))
        other.extensions["cop.clock"] = lambda: NOW
        other.test_client_class = SeparateRequests
        return other.test_client()

    yield clients
    for other in made:
        with other.app_context():
            db.engine.dispose()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.processes)])
def limited(request, clients):
    """A client of a site that takes two forms an hour from each network."""
    if request.param == "memory":
        return clients(posts_per_hour=2)
    need_redis()
    return clients(posts_per_hour=2, redis_url=REDIS)


def send(client, number, network="192.0.2.7", token=None, **answers):
    answers = {"email": f"ada{number}@example.org", "sessions": DECEMBER} | answers
    fields = {"name": "Ada Example", "token": token or form_token(client)} | answers
    return client.post("/register", data=fields, environ_overrides={"REMOTE_ADDR": network})


def test_over_the_limit_the_page_keeps_the_form_and_says_when_to_send_it_again(limited):
    update_community(contact_email="contact@example.org")
    token = form_token(limited)

    answers = [send(limited, number, token=token, **TYPED) for number in range(3)]

    refused = answers[2]
    page = parse(refused)
    kept = [(field["name"], field["value"]) for field in page.select("main input[type=hidden]")]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert 3500 < int(refused.headers["Retry-After"]) <= 3601
    assert re.search("in 6[01] minutes", page.main.get_text())
    assert "Sarah Eisele-Dyrli" in page.main.get_text()
    assert page.select_one("main a[href='mailto:contact@example.org']")
    assert set(kept) == {("name", TYPED["name"]), ("organization", "A & B"), ("token", token)} | {
        *(("hats", "analyst"), ("hats", "evaluator"), ("sessions", DECEMBER)),
        ("email", "ada2@example.org"),
    }
    assert len(registration_statuses()) == 2


def test_forms_sent_in_a_frame_and_on_the_site_count_together(limited):
    paths = ["/embed/register", "/register", "/embed/register?theme=dark&else=mallory", "/register"]

    answers = [
        register(limited, DECEMBER, path=path, email=f"ada{number}@example.org")
        for number, path in enumerate(paths)
    ]

    assert [answer.status_code for answer in answers] == [303, 303, 429, 429]
    assert parse(answers[2]).select_one("main form")["action"] == "/embed/register?theme=dark"


def test_over_the_limit_htmx_shows_the_error_beside_the_form(limited):
    for number in range(2):
        register(limited, DECEMBER, email=f"ada{number}@example.org")

    refused = register(limited, DECEMBER, headers=HTMX)

    assert refused.status_code == 429
    assert refused.headers["HX-Retarget"] == "#problem"
    assert "Too many forms" in parse(refused).h2.get_text()


@pytest.mark.parametrize(
    ("first", "other", "status"),
    [
        ("192.0.2.7", "192.0.2.8", 303),
        ("2001:db8:1:2::a", "2001:db8:1:2:ffff::b", 429),
        ("2001:db8:1:2::a", "2001:db8:1:3::a", 303),
        ("192.0.2.7", "::ffff:192.0.2.7", 429),
    ],
    ids=["two IPv4 addresses", "one IPv6 network", "two IPv6 networks", "IPv4 written as IPv6"],
)
def test_a_network_is_an_ipv4_address_or_an_ipv6_64(clients, first, other, status):
    client = clients(posts_per_hour=1)
    send(client, 1, first)

    answer = send(client, 2, other)

    assert answer.status_code == status


def test_get_requests_are_never_limited(clients):
    client = clients(posts_per_hour=1)

    statuses = {client.get("/register").status_code for _ in range(4)}

    assert statuses == {200}


def test_zero_means_no_limit(clients):
    client = clients(posts_per_hour=0)
    token = form_token(client)

    statuses = {send(client, number, token=token).status_code for number in range(70)}

    assert statuses == {303}


def test_the_default_is_sixty_an_hour(clients):
    client = clients()
    token = form_token(client)

    statuses = [send(client, 1, token=token).status_code for _ in range(61)]

    assert statuses == [303] * 60 + [429]


@pytest.mark.processes
def test_two_processes_count_together_in_redis(clients):
    need_redis()
    one, other = (clients(posts_per_hour=1, redis_url=REDIS) for _ in range(2))

    statuses = [send(one, 1).status_code, send(other, 2).status_code]

    assert statuses == [303, 429]


def test_without_redis_each_process_counts_for_itself(clients):
    client = clients(posts_per_hour=2, redis_url="redis://127.0.0.1:1/0")

    statuses = [send(client, number).status_code for number in range(3)]

    assert statuses == [303, 303, 429]


def test_the_limit_ends_after_an_hour(clients, monkeypatch):
    client = clients(posts_per_hour=1)
    token = form_token(client)
    send(client, 1, token=token)
    later = time.time() + timedelta(hours=1, seconds=2).total_seconds()

    monkeypatch.setattr(time, "time", lambda: later)

    assert send(client, 2, token=token).status_code == 303
