"""The console's front page makes the next sessions exist, and then only reads."""

from datetime import timedelta

from cop.models.meeting import Meeting
from tests.client import DECEMBER, advance_clock, rows, sign_in, update_meeting
from tests.statements import Statements

FRONT = "/coordinator/"
LATER = timedelta(days=60)


def test_opening_the_console_makes_the_next_six_dates_exist(app, corin):
    before = len(rows(Meeting))
    advance_clock(app, LATER)
    sign_in(corin)

    page = corin.page(FRONT)

    assert len(rows(Meeting)) == before + 2
    assert "July 20" in page.main.get_text()


def test_opening_it_again_writes_nothing(corin):
    corin.get(FRONT)

    with Statements() as sent:
        corin.get(FRONT)

    assert sent
    assert not [statement for statement in sent if not statement.startswith("SELECT")]


def test_a_date_that_was_moved_or_cancelled_is_not_made_again(corin):
    update_meeting(DECEMBER, status="cancelled")
    before = len(rows(Meeting))

    corin.get(FRONT)

    assert len(rows(Meeting)) == before
