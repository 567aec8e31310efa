"""The statistics page: numbers by session and by year, and suppressed hat counts."""

from datetime import timedelta

from cop.db.engine import write_tx
from cop.models.registration import Member
from cop.privacy import deletion
from tests.builders import NOW, a_meeting, a_registration
from tests.client import main_text
from tests.dashboard.test_views import a_past_meeting
from tests.statements import Statements

PATH = "/coordinator/numbers"
A_DAY = timedelta(days=1)


def a_lively_meeting(answered=14):
    """Twenty signed up, half of them attended, two of these for the first time."""
    with write_tx() as db_session:
        meeting = a_meeting(db_session, starts_at=NOW - 70 * A_DAY, slug="2026-09-13")
        for number in range(20):
            hats = ["analyst", *["researcher"] * (number < 3)] if number < answered else []
            email, attended = f"{number}@example.org", number < 10
            a_registration(db_session, meeting, email, hats=hats, attended=attended)
        first = meeting.starts_at.date()
        for number, member in enumerate(db_session.query(Member).order_by(Member.id)):
            member.first_attended_on = first if number < 2 else first - 30 * A_DAY


def table(page, labelled_by):
    rows = page.select(f"[aria-labelledby={labelled_by}] tbody tr")
    return [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in rows]


def hats(page):
    return {row.th.get_text(): row.td.get_text() for row in page.select(".is-narrow tbody tr")}


def test_the_page_is_the_same_before_and_after_registrations_are_deleted(corin):
    a_lively_meeting()
    before = corin.page(PATH)
    with write_tx() as db_session:
        erased = deletion.run(db_session, now=NOW)

    page = corin.page(PATH)

    assert erased.registrations == 20
    assert before.main == page.main
    assert table(page, "sessions") == [["September 13", "20", "10", "2", "8", "0"]]
    drawn = [
        [text.get_text() for text in svg.find_all("text")] for svg in page.main.find_all("svg")
    ]
    assert drawn == [["20", "Sep", "2026"], ["10", "Sep", "2026"]]
    assert (
        "20 people were asked about their role for September 13. 14 answered, 6 didn't."
        in main_text(page)
    )
    [analysts, (others, few)] = hats(page).items()
    assert analysts == ("Data analyst", "everyone or nearly everyone")
    assert others.startswith("Evaluator, Researcher, ")  # in the order of the form
    assert len(others.split(", ")) == 7
    assert few == "fewer than 6 each, maybe none"


def test_where_few_answered_no_hat_is_shown(corin):
    a_lively_meeting(answered=11)

    page = corin.page(PATH)

    assert hats(page) == {}
    assert "at least 12 people answered" in main_text(page)


def test_the_hats_of_another_session_can_be_chosen(corin):
    a_lively_meeting()
    a_past_meeting(2 * A_DAY, "2026-11-20", people=3)

    latest, chosen = corin.page(PATH), corin.page(f"{PATH}?session=2026-09-13")

    assert "3 people were asked about their role for November 20" in main_text(latest)
    assert "20 people were asked about their role for September 13" in main_text(chosen)
    assert chosen.find("option", selected=True)["value"] == "2026-09-13"
    assert corin.get(f"{PATH}?session=1999-01-01").status_code == 404


def test_years_show_sums_and_what_is_unknown(corin):
    a_past_meeting(5 * A_DAY, "a", registered_count=30, attended_count=20)
    a_past_meeting(9 * A_DAY, "b", registered_count=10)
    a_past_meeting(400 * A_DAY, "c", registered_count=7, attended_count=5, new_count=1)

    years = table(corin.page(PATH), "years")

    unknown = "not recorded"
    assert years == [
        ["2026", "2", "for 1 session", "40", "20", unknown, unknown, unknown],
        ["2025", "1", "for 1 session", "7", "5", "1", unknown, unknown],
    ]


def test_before_the_first_session_the_page_shows_it(corin):
    page = corin.page(PATH)

    assert "No statistics yet." in main_text(page)
    assert page.main.find("table") is None


def test_the_page_takes_at_most_five_statements(corin):
    for number in range(12):
        a_past_meeting((number + 3) * A_DAY, f"past-{number}", people=1, attended=True)
    corin.get(PATH)  # records the activity of the session once a minute

    with Statements() as sent:
        corin.get(PATH)

    assert 0 < len(sent) <= 5
