"""The mailing list in the console, and its CSV."""

import csv
import io
from datetime import timedelta

import pytest

from cop.db.engine import write_tx
from cop.models.audit import Viewing
from cop.models.registration import Member
from tests.builders import NOW
from tests.client import find_member, post, rows, unsubscribe_path

LIST, CSV = "/coordinator/list", "/coordinator/list.csv"


@pytest.fixture
def ada(app):
    """Ada has confirmed, in winter time; Grace has not yet; Mallory never asked."""
    with write_tx() as db_session:
        confirmed = {"list_requested_at": NOW, "list_confirmed_at": NOW + timedelta(minutes=3)}
        for name, values in (
            ("mallory", {}),
            ("grace", {"list_requested_at": NOW}),
            ("ada", confirmed),
        ):
            address = f"{name}@example.org"
            db_session.add(Member(email=address, email_key=address, **values))


def test_the_list_shows_who_has_confirmed_and_counts_who_has_not(corin, ada):
    page = corin.page(LIST)

    text = page.main.get_text(" ", strip=True)
    [line] = [row.get_text(" ", strip=True) for row in page.select("tbody tr")]
    assert line == "ada@example.org Nov 22, 10:03 am"
    assert "1 person wants mail" in text
    assert "1 more has not confirmed it" in text
    assert "grace" not in text
    assert "mallory" not in text


def test_an_empty_list_offers_no_file(corin):
    page = corin.page(LIST)

    assert "0 people" in page.main.get_text()
    assert not page.select(f"a[href='{CSV}']")


def test_the_csv_has_the_documented_columns(corin, ada):
    response = corin.get(CSV)

    leave = f"http://localhost:8000{unsubscribe_path('list')}"
    assert response.data.decode() == (
        "\ufeffemail,confirmed_at,leave_url\r\n"
        f"ada@example.org,2026-11-22T10:03:00-05:00,{leave}\r\n"
    )
    assert response.mimetype == "text/csv"
    assert response.content_length == len(response.data)
    assert response.cache_control.no_store
    assert "filename=equity-in-data-mailing-list.csv" in response.headers["Content-Disposition"]


def test_the_leave_url_of_each_row_unsubscribes(corin, ada):
    [row] = csv.DictReader(io.StringIO(corin.get(CSV).data.decode("utf-8-sig"), newline=""))

    answer = corin.post(row["leave_url"].removeprefix("http://localhost:8000"))

    assert answer.status_code == 200
    assert find_member().list_confirmed_at is None


@pytest.mark.parametrize("address", ["=cmd@example.org", "+ada@example.org", "-a@example.org"])
def test_addresses_that_look_like_formulas_are_guarded(app, corin, address):
    with write_tx() as db_session:
        db_session.add(Member(email=address, email_key=address, list_confirmed_at=NOW))

    [row] = csv.DictReader(io.StringIO(corin.get(CSV).data.decode("utf-8-sig"), newline=""))

    assert row["email"] == f"'{address}"


@pytest.mark.parametrize(
    ("path", "columns"),
    [(LIST, []), (CSV, ["email", "confirmed_at", "leave_url"])],
    ids=["page", "file"],
)
def test_viewing_the_list_is_recorded(corin, ada, path, columns):
    corin.get(path)

    assert [(row["resource"], row["columns"]) for row in rows(Viewing)] == [("list", columns)]


@pytest.mark.parametrize("path", [LIST, CSV])
def test_the_list_is_for_coordinators_only(app, corin, ada, path):
    kept = corin.get_cookie("cop").value
    post(corin, "/coordinator/sign-out", form_at="/coordinator/")
    corin.set_cookie("cop", kept)

    answers = [client.get(path) for client in (app.test_client(), corin)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert not [answer for answer in answers if b"ada@" in answer.data]
    assert rows(Viewing) == []
