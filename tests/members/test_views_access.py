"""Invalid links show nothing of a member, at every address and by every method."""

from datetime import timedelta

import pytest

from cop.db.engine import write_tx
from cop.links import Purpose, sign_token
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration
from tests.builders import NOW, a_registration
from tests.client import (
    ADA,
    DECEMBER,
    GRACE,
    HTMX,
    JANUARY,
    SAME_ORIGIN,
    find_member,
    member_path,
    owner,
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


def paths(member, join, stop, list_):
    """Every address of a member, with these tokens."""
    return [
        *(f"/r/{member}{below}" for below in BELOW),
        *(f"/join/{join}", f"/unsubscribe/{stop}", f"/list/{list_}"),
    ]


@pytest.fixture
def people(app):
    """Ada in December, Grace in January; every text of theirs begins with a word of their own."""
    update_meeting(DECEMBER, join_url=ZOOM)
    update_meeting(JANUARY, join_url=ZOOM)
    texts = ("organization", "pronouns", "hats_other", "access_language", "access_other")
    with write_tx() as db_session:
        for email, slug, mark in ((ADA, DECEMBER, "adamark"), (GRACE, JANUARY, "gracemark")):
            meeting = db_session.query(Meeting).filter_by(slug=slug).one()
            values = {name: f"{mark} {name}" for name in (*texts, "name", "prep_answer")}
            a_registration(db_session, meeting, email, **values)
        db_session.query(Member).update({"token_version": 1, "list_requested_at": NOW})


def stored():
    return rows(Member), rows(Registration), rows(OutboxEmail)


def marks(answer):
    """Whose words are in an answer, its headers too."""
    text = answer.get_data(as_text=True) + str(answer.headers)
    return {mark for mark in ("adamark", "gracemark", ADA, GRACE, ZOOM) if mark in text}


def every_answer(client, addresses):
    for address in addresses:
        for method in METHODS:
            for more in ({}, HTMX):
                answer = client.open(address, method=method, headers=SAME_ORIGIN | more)
                yield f"{method} {address}", answer


def of(email, version=1, age=timedelta()):
    """The tokens of somebody's links: of their page, a way in, a stop, a yes."""
    member_id = find_member(email).id
    with write_tx() as db_session:
        place = db_session.query(Registration).filter_by(member_id=member_id).one().id
    made_on = (NOW - age).date().toordinal()
    return (
        sign_token(KEY, Purpose.MEMBER, member_id, version, made_on),
        sign_token(KEY, Purpose.JOIN, member_id, version, place),
        sign_token(KEY, Purpose.UNSUBSCRIBE, member_id, "reminders"),
        sign_token(KEY, Purpose.LIST, member_id, version),
    )


def dead_links():
    """Tokens that open nothing, by what is wrong with them."""
    member, join, stop, list_ = of(ADA)
    ada, grace = owner().member_id, owner(GRACE).member_id
    garbage = ("x", "%00", "é", "WzFd", f"{member}x", f"x{member}", member[:-1], member.upper())
    forged = sign_token("another key", Purpose.MEMBER, ada, 1, NOW.date().toordinal())
    graces_place = of(GRACE)[1]
    with write_tx() as db_session:
        her_place = db_session.query(Registration).filter_by(member_id=grace).one().id
    return {
        "none": ["/r/", "/join/", "/unsubscribe/", "/list/"],
        "garbage": [path for token in garbage for path in paths(*[token] * 4)],
        "another key's": paths(*[forged] * 4),
        "expired": [path for path in paths(*of(ADA, age=timedelta(days=366))) if "/r/" in path],
        "another purpose's": [
            *paths(join, stop, list_, member),
            *paths(stop, list_, member, join),
            *paths(list_, member, join, graces_place),
        ],
        "an older version's": [
            path for path in paths(*of(ADA, version=0)) if "/unsubscribe/" not in path
        ],
        "a version's to come": [
            path for path in paths(*of(ADA, version=2)) if "/unsubscribe/" not in path
        ],
        "another's place": [f"/join/{sign_token(KEY, Purpose.JOIN, ada, 1, her_place)}"],
    }


@pytest.mark.parametrize(
    "kind",
    [
        *("none", "garbage", "another key's", "expired", "another purpose's"),
        *("an older version's", "a version's to come", "another's place"),
    ],
)
@pytest.mark.slow
def test_an_invalid_link_shows_nothing_and_changes_nothing(client, people, kind):
    before = stored()
    addresses = dead_links()[kind]

    answers = list(every_answer(client, addresses))

    assert answers
    assert {name: marks(answer) for name, answer in answers if marks(answer)} == {}
    assert {answer.status_code for _, answer in answers} <= {404, 405}
    assert stored() == before


def test_every_invalid_link_gets_the_same_page(client, people):
    member = of(ADA)[0]
    expired = of(ADA, age=timedelta(days=366))[0]
    older = of(ADA, version=0)[0]

    pages = {client.get(f"/r/{token}").text for token in ("x", f"{member}x", expired, older)}

    assert len(pages) == 1
    page = parse(client.get("/r/x"))
    assert page.h1.get_text() == "This link does not work any more"
    assert page.main.form["action"] == "/my-link"


def test_a_link_is_good_for_a_year(client, people):
    assert client.get(member_path(age=timedelta(days=365))).status_code == 200
    assert client.get(member_path(age=timedelta(days=366))).status_code == 404


@pytest.mark.parametrize(("email", "foreign"), [(ADA, "gracemark"), (GRACE, "adamark")])
@pytest.mark.slow
def test_a_valid_link_shows_nothing_of_anybody_else(client, people, email, foreign):
    addresses = paths(*of(email))
    addresses = [address for address in addresses if not address.endswith(("/erase", "/links"))]
    other = ADA if email == GRACE else GRACE

    answers = list(every_answer(client, addresses))

    shown = {name: marks(answer) & {foreign, other} for name, answer in answers}
    assert {name: seen for name, seen in shown.items() if seen} == {}
    assert 200 in {answer.status_code for _, answer in answers}


@pytest.mark.parametrize(("email", "other"), [(ADA, GRACE), (GRACE, ADA)])
@pytest.mark.slow
def test_a_valid_link_changes_nothing_of_anybody_else(client, people, email, other):
    theirs = find_member(other).id
    before = [row for row in rows(Registration) if row["member_id"] == theirs]
    them = [row for row in rows(Member) if row["id"] == theirs]

    list(every_answer(client, paths(*of(email))))

    assert [row for row in rows(Registration) if row["member_id"] == theirs] == before
    assert [row for row in rows(Member) if row["id"] == theirs] == them


@pytest.mark.parametrize("destination", ["iframe", "frame", "embed", "object"])
def test_member_pages_cannot_be_framed(client, people, destination):
    addresses = [address for address in paths(*of(ADA)) if client.get(address).status_code == 200]

    answers = [client.get(path, headers={"Sec-Fetch-Dest": destination}) for path in addresses]

    assert len(addresses) == 9
    assert {answer.status_code for answer in answers} == {403}


def test_member_pages_are_neither_cached_nor_indexed(client, people):
    for address in paths(*of(ADA)):
        answer = client.get(address)

        assert answer.cache_control.no_store, address
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", address
        assert answer.headers["X-Robots-Tag"] == "noindex", address
        assert "Set-Cookie" not in answer.headers, address
