"""What the site does with two more questions; test_registry.py runs it in a copy that has them."""

import csv
from datetime import timedelta

import pytest
from sqlalchemy import select

from cop.db.engine import write_tx
from cop.models.meeting import Meeting
from cop.privacy import deletion
from tests.client import (
    DECEMBER,
    SAME_ORIGIN,
    add_registrations,
    main_text,
    member_path,
    press_button,
    register,
    rows,
)
from tests.page import parse

FORM = f"/sessions/{DECEMBER}"
TYPED = "=Learn\nto count"


def answers():
    return [(row["goals"], row["experience"]) for row in rows()]


@pytest.fixture
def ada(client):
    add_registrations(DECEMBER, "ada@example.org", goals=TYPED, experience="old")
    return client


def test_the_confirmation_asks_both_and_stores_the_answers(client):
    path = register(client, DECEMBER).location
    page = parse(client.get(path))

    assert page.select_one("textarea[name=goals]")
    choices = [tag["value"] for tag in page.select("input[type=radio][name=experience]")]
    assert choices == ["new", "old"]
    for refused in ({"goals": "x" * 21}, {"experience": "none"}):
        assert client.post(path, data=refused, headers=SAME_ORIGIN).status_code == 422
    register(client, DECEMBER, email="grace@example.org")
    assert answers() == [("", ""), ("", "")]
    client.post(path, data={"goals": TYPED, "experience": "old"}, headers=SAME_ORIGIN)
    assert answers() == [(TYPED, "old"), ("", "")]


def test_both_are_explained_on_the_page_about_data(client):
    text = main_text(parse(client.get("/your-data")))

    assert "Your goals" in text
    assert "New to it; An old hand" in text


def test_the_member_sees_changes_and_deletes_them(ada):
    assert {"Your goals", "An old hand"} <= set(parse(ada.get(member_path())).stripped_strings)

    press_button(ada, member_path(FORM), name="Ada", goals="To draw", experience="new")
    assert answers() == [("To draw", "new")]
    for name in ("goals", "experience"):
        press_button(ada, member_path(f"{FORM}/delete/{name}"))
    assert answers() == [("", "")]


def test_the_csv_has_a_column_of_each_with_labels_and_a_guard(ada, corin):
    sent = corin.get("/coordinator/export.csv").get_data(as_text=True)

    [row] = csv.DictReader(sent.splitlines(keepends=True))
    assert (row["goals"], row["experience"]) == (f"'{TYPED}", "An old hand")


def test_each_is_deleted_at_its_date(ada):
    with write_tx() as db_session:
        ends_at = db_session.scalars(select(Meeting.ends_at).where(Meeting.slug == DECEMBER)).one()
        deletion.run(db_session, now=ends_at + timedelta(days=7))
    after_a_week = answers()
    with write_tx() as db_session:
        deletion.run(db_session, now=ends_at + timedelta(days=60))

    assert after_a_week == [("", "old")]
    assert answers() == []
