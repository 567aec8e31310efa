"""The mailing list in the console, and its CSV."""

from datetime import timedelta

import pytest

from cop.db.engine import write_tx
from cop.models.audit import Viewing
from cop.models.registration import Member
from tests.builders import NOW
from tests.client import post, rows, text_of, unsubscribe_path

LIST, CSV = "/coordinator/list", "/coordinator/list.csv"


def add_members(**values_by_name):
    with write_tx() as db_session:
        for name, values in values_by_name.items():
            email = f"{name}@example.org"
            db_session.add(Member(email=email, email_key=email, **values))


@pytest.fixture
def ada(app):
    """Ada has confirmed, in winter time; Grace has not yet; Mallory never asked."""
    confirmed = {"list_requested_at": NOW, "list_confirmed_at": NOW + timedelta(minutes=3)}
    add_members(mallory={}, grace={"list_requested_at": NOW}, ada=confirmed)


def test_the_list_shows_who_has_confirmed_and_counts_who_has_not(corin, ada):
    page = corin.page(LIST)

    text = text_of(page.main)
    assert [text_of(row) for row in page.select("tbody tr")] == ["ada@example.org Nov 22, 10:03 AM"]
    assert "1 person gets emails about future sessions." in text
    assert "1 person signed up but hasn't confirmed yet" in text
    assert "grace" not in text
    assert "mallory" not in text
    assert [(row["resource"], row["columns"]) for row in rows(Viewing)] == [("list", [])]


def test_an_empty_list_offers_no_file(corin):
    page = corin.page(LIST)

    assert "Nobody is on the list yet." in page.main.get_text()
    assert not page.select(f"a[href='{CSV}']")


def test_the_csv_has_the_documented_columns_and_is_recorded_as_viewed(corin, ada):
    response = corin.get(CSV)

    leave_url = f"http://localhost:8000{unsubscribe_path('list')}"
    assert response.data.decode() == (
        "\ufeffemail,confirmed_at,leave_url\r\n"
        f"ada@example.org,2026-11-22T10:03:00-05:00,{leave_url}\r\n"
    )
    assert response.mimetype == "text/csv"
    assert response.content_length == len(response.data)
    assert response.cache_control.no_store
    assert "filename=equity-in-data-mailing-list.csv" in response.headers["Content-Disposition"]
    columns = ["email", "confirmed_at", "leave_url"]
    assert [(row["resource"], row["columns"]) for row in rows(Viewing)] == [("list", columns)]


def test_addresses_that_look_like_formulas_are_guarded(corin):
    add_members(**{"=cmd": {"list_confirmed_at": NOW}})

    assert b"\n'=cmd@example.org," in corin.get(CSV).data


def test_the_list_is_for_coordinators_only(app, corin, ada):
    cookie = corin.get_cookie("cop").value
    post(corin, "/coordinator/sign-out", form_at="/coordinator/")
    corin.set_cookie("cop", cookie)

    answers = [client.get(path) for client in (app.test_client(), corin) for path in (LIST, CSV)]

    assert [answer.status_code for answer in answers] == [303] * 4
    assert not [answer for answer in answers if b"ada@" in answer.data]
    assert rows(Viewing) == []
