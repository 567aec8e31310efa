"""The page about small groups: mix, move by hand, copy and export."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from cop.audit.audit_log import Action
from cop.db.engine import write_tx
from cop.models.audit import AuditEntry, Viewing
from cop.models.coordinator import Coordinator
from cop.models.registration import Registration
from tests.client import (
    DECEMBER,
    add_registrations,
    advance_clock,
    error_summary,
    main_text,
    member_path,
    post,
    rows,
    update_meeting,
)
from tests.page import parse
from tests.statements import Statements

PAGE = f"/coordinator/sessions/{DECEMBER}/rooms"
MIX, GIVE, CSV = f"{PAGE}/mix", f"{PAGE}/give", f"{PAGE}.csv"


@pytest.fixture
def people(app):
    """Four hold a place, two of them from one place; one asked to stay in the main room."""
    add_registrations(
        DECEMBER, "ada@example.org", "grace@example.org", organization="Harbor Data Lab"
    )
    add_registrations(DECEMBER, "katherine@example.org", "nora@example.org")
    add_registrations(DECEMBER, "corin@example.org", access=["main-room"])
    add_registrations("2027-01-19", "bystander@example.org")


def mix(client, size="2", **answers):
    return post(client, MIX, form_at=PAGE, size=size, **answers)


def rooms():
    return {row["name"]: row["room"] for row in rows(Registration)}


def number_of(name):
    return next(row["id"] for row in rows(Registration) if row["name"] == name)


def actions():
    return [(row["action"], row["item_count"]) for row in rows(AuditEntry)]


def test_the_page_says_beforehand_how_many_would_get_a_room(corin, people):
    page = corin.page(PAGE)

    sentences = "4 people will get a room. 1 person asked to stay in the main room."
    assert sentences in main_text(page)
    assert page.find("input", id="size")["value"] == "4"
    assert not page.select(".room")


def test_rooms_are_made_and_shown_with_a_list_of_names_to_paste(corin, people):
    answer = mix(corin)

    page = corin.page(PAGE)
    shown = [
        [label.contents[0].strip() for label in room.select("label")]
        for room in page.select(".room")
    ]
    to_paste = page.find("textarea", id="to-paste").get_text().strip()
    assert answer.location == PAGE
    assert [len(room) for room in shown] == [2, 2, 1]
    assert not [room for room in shown if {"Ada", "Grace"} <= set(room)]
    assert to_paste == f"Room 1: {', '.join(shown[0])}\nRoom 2: {', '.join(shown[1])}"
    assert page.select_one(".room.on-screen h2").get_text() == "Staying in the main room"
    assert "4 people have a room." in main_text(page)
    assert actions() == [(Action.MADE_ROOMS, 4)]


def test_only_people_moved_on_this_page_are_moved(corin, people):
    mix(corin)
    shown = corin.page(PAGE).find("input", attrs={"name": "shown"})["value"]
    before = rooms()
    ada, grace = number_of("Ada"), number_of("Grace")
    post(corin, PAGE, **{f"person-{grace}": "3"})  # somebody else, meanwhile

    moves = {f"person-{ada}": "", f"person-{grace}": before["Grace"], "person-x": "1"}
    answer = post(corin, PAGE, shown=shown, **moves)

    assert answer.location == PAGE
    assert rooms() == before | {"Ada": None, "Grace": 3}
    assert actions()[1:] == [(Action.MADE_ROOMS, 1), (Action.MADE_ROOMS, 1)]
    assert "Saved. You moved 1 person." in main_text(corin.page(PAGE))


def test_late_registrants_are_listed_and_get_a_room(corin, people):
    mix(corin)
    before = rooms()
    add_registrations(DECEMBER, "olu@example.org", "pia@example.org")
    waiting = main_text(corin.page(PAGE))

    post(corin, GIVE, form_at=PAGE)

    assert "No room yet Olu" in waiting
    assert "2 people have no room yet. Everyone else keeps theirs." in waiting
    assert rooms() == before | {"Olu": 3, "Pia": 3}
    assert "no room yet" not in main_text(corin.page(PAGE))


def test_once_attendance_is_marked_the_form_asks_for_whom(corin, people):
    with write_tx() as db_session:
        came = Registration.name.in_(["Ada", "Nora"])
        db_session.execute(update(Registration).where(came).values(attended=True))
    page = corin.page(PAGE)

    mix(corin, who="came")

    assert "Only the 2 people who attended" in main_text(page)
    assert {name for name, room in rooms().items() if room} == {"Ada", "Nora"}


def test_an_export_is_recorded_and_visible_to_the_people_in_it(app, corin):
    add_registrations(DECEMBER, "ada@example.org", "=cmd@example.org")
    add_registrations(DECEMBER, "corin@example.org", access=["main-room"])
    mix(corin)

    answer = corin.get(CSV)

    assert answer.data.decode("utf-8-sig").splitlines() == [
        "Pre-assign Room Name,Email Address",
        "Room 1,'=cmd@example.org",
        "Room 1,ada@example.org",
    ]
    assert "equity-in-data-2026-12-15-rooms.csv" in answer.headers["Content-Disposition"]
    assert [row["resource"] for row in rows(Viewing)][-1] == "rooms"
    advance_clock(app, timedelta(minutes=1))
    assert "downloaded the small groups" in main_text(corin.page(member_path()))


def test_without_the_export_right_there_is_neither_file_nor_link(corin, people):
    mix(corin)
    with write_tx() as db_session:
        db_session.execute(update(Coordinator).values(may_export=False))

    page, answer = corin.page(PAGE), corin.get(CSV)

    assert not page.select(f"a[href='{CSV}']")
    assert answer.status_code == 403
    assert "rooms" not in {row["resource"] for row in rows(Viewing)}


def test_the_page_takes_five_statements_and_records_what_was_viewed(corin, people):
    add_registrations(DECEMBER, *(f"person{n}@example.org" for n in range(9)))
    mix(corin)

    with Statements() as sent:
        corin.page(PAGE)

    assert len(sent) <= 5, sent
    viewing = rows(Viewing)[-1]
    assert (viewing["resource"], viewing["columns"]) == ("roster", ["access"])


def test_an_impossible_size_is_refused_and_kept_in_the_form(corin, people):
    for size in ("", "1", "51", "four"):
        answer = mix(corin, size)

        page = parse(answer)
        assert answer.status_code == 422
        assert error_summary(page) == ["People per room: enter a number from 2 to 50."]
        assert page.find("input", id="size")["value"] == size
    assert set(rooms().values()) == {None}


def test_the_page_says_why_no_rooms_can_be_made(corin):
    empty = corin.page(PAGE)
    add_registrations(DECEMBER, "ada@example.org")
    update_meeting(DECEMBER, status="cancelled")
    cancelled = corin.page(PAGE)

    answers = [post(corin, path, form_at="/coordinator/", size="4") for path in (PAGE, MIX, GIVE)]

    assert "nobody to put in a room" in main_text(empty)
    assert "needs no rooms" in main_text(cancelled)
    assert empty.select("main form") == cancelled.select("main form") == []
    assert {answer.status_code for answer in answers} == {404}
    assert rooms() == {"Ada": None}
