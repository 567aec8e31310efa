"""Invalid links show nothing of a member, at every address; valid ones nothing of anybody else.

That a token opens only what it was signed for is tested in tests/test_links.py.
"""

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
ZOOM = "https://zoom.example.org/j/1"
A_YEAR, A_DAY = timedelta(days=365), timedelta(days=1)


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
    requests = [(method, address) for address in addresses for method in ("GET", "POST")]
    return {
        (method, address): client.open(address, method=method, headers=SAME_ORIGIN)
        for method, address in requests
    }


def paths_with(*, member, join, unsubscribe, list_):
    return [
        *(f"/r/{member}{below}" for below in BELOW),
        *(f"/join/{join}", f"/unsubscribe/{unsubscribe}", f"/list/{list_}"),
    ]


def paths(email, version=1, age=timedelta(), key=KEY, join=None):
    """The addresses that a member's links open; `join` is whose registration is joined."""
    id_ = find_member(email).id
    _, [registration] = stored_about(join or email)
    return paths_with(
        member=sign_token(key, Purpose.MEMBER, id_, version, (NOW - age).date().toordinal()),
        join=sign_token(key, Purpose.JOIN, id_, version, registration["id"]),
        unsubscribe=sign_token(key, Purpose.UNSUBSCRIBE, id_, "reminders"),
        list_=sign_token(key, Purpose.LIST, id_, version),
    )


def invalid_paths():
    token = member_path().split("/")[2]
    for garbage in ("x", "%00", "é", "WzFd", f"{token}x", f"x{token}", token[:-1], token.upper()):
        yield from paths_with(member=garbage, join=garbage, unsubscribe=garbage, list_=garbage)
    yield from paths(ADA, key="another key")
    yield from (path for path in paths(ADA, age=A_YEAR + A_DAY) if "/r/" in path)
    yield from (path for path in paths(ADA, join=GRACE) if "/join/" in path)
    for version in (0, 2):
        yield from (path for path in paths(ADA, version) if "/unsubscribe/" not in path)


@pytest.mark.slow
def test_an_invalid_link_shows_nothing_and_changes_nothing(client, people):
    before = stored()

    answers = every_answer(client, invalid_paths())

    wrong = {
        request: answer.status_code
        for request, answer in answers.items()
        if words(answer) or answer.status_code not in {404, 405}
    }
    assert wrong == {}
    assert stored() == before


def test_every_invalid_link_gets_the_same_page(client, people):
    addresses = [
        "/r/x",
        f"{member_path()}x",
        member_path(age=A_YEAR + A_DAY),
        paths(ADA, version=0)[0],
    ]

    answers = [client.get(address) for address in addresses]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    page = parse(answers[0])
    assert page.h1.get_text() == "This link no longer works"
    assert page.main.form["action"] == "/my-link"
    assert client.get(member_path(age=A_YEAR)).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("email", "other", "word"), [(ADA, GRACE, "graceword"), (GRACE, ADA, "adaword")]
)
def test_a_valid_link_shows_and_changes_nothing_of_anybody_else(client, people, email, other, word):
    before = stored_about(other)
    addresses = paths(email)
    harmless = [path for path in addresses if not path.endswith(("/erase", "/links"))]

    answers = every_answer(client, harmless)
    every_answer(client, addresses)

    shown = {request: words(answer) & {word, other} for request, answer in answers.items()}
    assert {request for request, found in shown.items() if found} == set()
    assert 200 in {answer.status_code for answer in answers.values()}
    assert stored_about(other) == before


def test_member_pages_cannot_be_framed(client, people):
    statuses = {
        client.get(path, headers={"Sec-Fetch-Dest": destination}).status_code
        for path in paths(ADA)
        for destination in ("iframe", "frame", "embed", "object")
    }

    assert statuses == {403}


def test_member_pages_are_neither_cached_nor_indexed(client, people):
    for address in paths(ADA):
        answer = client.get(address)

        assert answer.cache_control.no_store, address
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", address
        assert answer.headers["X-Robots-Tag"] == "noindex", address
        assert "Set-Cookie" not in answer.headers, address
