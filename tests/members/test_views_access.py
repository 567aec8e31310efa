"""Invalid links show nothing of a member, at every address and by every method."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from cop.db.engine import write_tx
from cop.links import Purpose, sign_token
from cop.models.email import OutboxEmail
from cop.models.registration import Member, Registration
from tests.builders import NOW
from tests.client import (
    ADA,
    DECEMBER,
    GRACE,
    HTMX,
    JANUARY,
    SAME_ORIGIN,
    add_registrations,
    find_member,
    member_path,
    rows,
    update_meeting,
)
from tests.page import parse

KEY = "k" * 40
BELOW = (
    *("", "/sessions", "/mail", "/address", "/calendar", "/links", "/erase", "/mine.json"),
    *("/mine.csv", f"/sessions/{DECEMBER}", f"/sessions/{DECEMBER}/cancel"),
    *(f"/sessions/{JANUARY}", f"/sessions/{JANUARY}/cancel"),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
ZOOM = "https://zoom.example.org/j/1"
A_YEAR, A_DAY = timedelta(days=365), timedelta(days=1)


def paths(member, join, unsubscribe, list_):
    """Every address of a member, with these tokens."""
    return [
        *(f"/r/{member}{below}" for below in BELOW),
        *(f"/join/{join}", f"/unsubscribe/{unsubscribe}", f"/list/{list_}"),
    ]


@pytest.fixture
def people(app):
    """Ada in December, Grace in January; all their texts begin with a word of their own."""
    texts = ("organization", "pronouns", "hats_other", "access_language", "access_other")
    for email, slug, word in ((ADA, DECEMBER, "adaword"), (GRACE, JANUARY, "graceword")):
        update_meeting(slug, join_url=ZOOM)
        values = {name: f"{word} {name}" for name in (*texts, "name", "prep_answer")}
        add_registrations(slug, email, **values)
    with write_tx() as db_session:
        db_session.execute(update(Member).values(token_version=1, list_requested_at=NOW))


def stored():
    return rows(Member), rows(Registration), rows(OutboxEmail)


def stored_about(email):
    id_ = find_member(email).id
    registrations = [row for row in rows(Registration) if row["member_id"] == id_]
    return [row for row in rows(Member) if row["id"] == id_], registrations


def words(answer):
    """Whose words are in a response, its headers too."""
    text = answer.get_data(as_text=True) + str(answer.headers)
    return {word for word in ("adaword", "graceword", ADA, GRACE, ZOOM) if word in text}


def every_answer(client, addresses):
    return {
        f"{method} {address} {more}": client.open(
            address, method=method, headers=SAME_ORIGIN | more
        )
        for address in addresses
        for method in METHODS
        for more in ({}, HTMX)
    }


def registration_of(email):
    _, [registration] = stored_about(email)
    return registration["id"]


def tokens_of(email, version=1, age=timedelta()):
    """The tokens of a member's links: page, join, unsubscribe, mailing list."""
    id_ = find_member(email).id
    return (
        sign_token(KEY, Purpose.MEMBER, id_, version, (NOW - age).date().toordinal()),
        sign_token(KEY, Purpose.JOIN, id_, version, registration_of(email)),
        sign_token(KEY, Purpose.UNSUBSCRIBE, id_, "reminders"),
        sign_token(KEY, Purpose.LIST, id_, version),
    )


def invalid_links():
    """Addresses that open nothing, by what is wrong with their token."""
    member, join, unsubscribe, list_ = tokens_of(ADA)
    id_ = find_member().id
    garbage = ("x", "%00", "é", "WzFd", f"{member}x", f"x{member}", member[:-1], member.upper())
    forged = sign_token("another key", Purpose.MEMBER, id_, 1, NOW.date().toordinal())
    foreign = sign_token(KEY, Purpose.JOIN, id_, 1, registration_of(GRACE))
    versions = [path for version in (0, 2) for path in paths(*tokens_of(ADA, version))]
    return {
        "none": ["/r/", "/join/", "/unsubscribe/", "/list/"],
        "garbage": [path for token in garbage for path in paths(*[token] * 4)],
        "of another key": paths(*[forged] * 4),
        "expired": [path for path in paths(*tokens_of(ADA, age=A_YEAR + A_DAY)) if "/r/" in path],
        "of another purpose": [
            *paths(join, unsubscribe, list_, member),
            *paths(unsubscribe, list_, member, join),
            *paths(list_, member, join, tokens_of(GRACE)[1]),
        ],
        "of another version": [path for path in versions if "/unsubscribe/" not in path],
        "of somebody else's registration": [f"/join/{foreign}"],
    }


@pytest.mark.slow
def test_an_invalid_link_shows_nothing_and_changes_nothing(client, people):
    before = stored()

    for kind, addresses in invalid_links().items():
        answers = every_answer(client, addresses)

        assert {name for name, answer in answers.items() if words(answer)} == set(), kind
        assert {answer.status_code for answer in answers.values()} <= {404, 405}, kind
        assert stored() == before, kind


def test_every_invalid_link_gets_the_same_page(client, people):
    member, *_ = tokens_of(ADA)
    expired, *_ = tokens_of(ADA, age=A_YEAR + A_DAY)
    older, *_ = tokens_of(ADA, version=0)

    answers = [client.get(f"/r/{token}") for token in ("x", f"{member}x", expired, older)]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    page = parse(answers[0])
    assert page.h1.get_text() == "This link does not work any more"
    assert page.main.form["action"] == "/my-link"
    assert client.get(member_path(age=A_YEAR)).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("email", "other", "word"), [(ADA, GRACE, "graceword"), (GRACE, ADA, "adaword")]
)
def test_a_valid_link_shows_and_changes_nothing_of_anybody_else(client, people, email, other, word):
    before = stored_about(other)
    addresses = paths(*tokens_of(email))
    harmless = [path for path in addresses if not path.endswith(("/erase", "/links"))]

    answers = every_answer(client, harmless) | every_answer(client, addresses)

    shown = {name: words(answer) & {word, other} for name, answer in answers.items()}
    assert {name for name, found in shown.items() if found} == set()
    assert 200 in {answer.status_code for answer in answers.values()}
    assert stored_about(other) == before


def test_member_pages_cannot_be_framed(client, people):
    statuses = {
        client.get(path, headers={"Sec-Fetch-Dest": destination}).status_code
        for path in paths(*tokens_of(ADA))
        for destination in ("iframe", "frame", "embed", "object")
    }

    assert statuses == {403}


def test_member_pages_are_neither_cached_nor_indexed(client, people):
    for address in paths(*tokens_of(ADA)):
        answer = client.get(address)

        assert answer.cache_control.no_store, address
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", address
        assert answer.headers["X-Robots-Tag"] == "noindex", address
        assert "Set-Cookie" not in answer.headers, address
