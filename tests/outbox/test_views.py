"""The outbox in the console: counts, one email, and retrying what failed."""

from datetime import timedelta
from itertools import count

import pytest

from cop import smtp_url
from cop.db.engine import write_tx
from cop.models.audit import Viewing
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.outbox.outbox import EmailKind
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    add_registrations,
    main_text,
    post,
    register,
    rows,
    update_meeting,
)
from tests.conftest import settings_for
from tests.statements import Statements

FRONT, MAILS, TRY_AGAIN = "/coordinator/", "/coordinator/mail", "/coordinator/mail/try-again"
REFUSED = "The server at smtp.example.org:587 cannot be reached: Connection refused."
A_MINUTE = timedelta(minutes=1)
_numbers = count()


def add_emails(*states, **values):
    """Store an email for each of these states; return their ids."""
    with write_tx() as db_session:
        emails = [an_email_row(state, **values) for state in states]
        db_session.add_all(emails)
        db_session.flush()
        return [email.id for email in emails]


def a_mail(state="sent", **values):
    """Store one email; return its id."""
    return add_emails(state, **values)[0]


def an_email_row(state, **values):
    number = next(_numbers)
    defaults = {
        "dedup_key": f"mail:{number}",
        "message_id": f"m{number}",
        "kind": EmailKind.LINK,
        "language": "en",
        "to_address": f"ada{number}@example.org",
        "subject": "Your link",
        "text": "Hello.\n",
        "html": "<p>Hello.</p>",
        "created_at": NOW,
        "due_at": NOW,
        "done_at": NOW if state in {"sent", "failed"} else None,
        "server_reply": "250 OK" if state == "sent" else "",
    }
    return OutboxEmail(state=state, **defaults | values)


def figures(page):
    return {
        div.dt.get_text(): div.dd.a.find(string=True).strip() for div in page.select(".figures div")
    }


def states():
    return [mail["state"] for mail in rows(OutboxEmail)]


def to_do(corin):
    """The sentences under "To do" that are about email or the join link."""
    lines = [line.span.get_text(" ", strip=True) for line in corin.page(FRONT).select(".to-do li")]
    others = ("COP_SMTP_URL", "no backup", "no contact email", "no topic")
    return [line for line in lines if not any(other in line for other in others)]


def test_emails_are_counted_by_state_and_those_sent_again_are_marked(corin):
    add_emails("queued", "sending", "sent", "failed", "withdrawn", attempts=1)
    add_emails("sent", "retrying", attempts=1, unknown_outcomes=1)

    page = corin.page(MAILS)

    assert figures(page) == {
        "Not sent yet": "1",
        "Sending": "1",
        "Trying again": "1",
        "Sent": "2",
        "Failed": "1",
        "No longer needed": "1",
    }
    marked = [row for row in page.select("tbody tr") if "May have arrived twice" in row.get_text()]
    assert "1 email may have arrived twice." in page.main.get_text()
    assert len(marked) == 1


def test_an_empty_outbox_shows_zeros(corin):
    page = corin.page(MAILS)

    assert set(figures(page).values()) == {"0"}
    assert "No emails yet." in page.main.get_text()
    assert not page.select("main form")


def test_a_row_shows_everything_about_an_email(corin):
    [december] = [row["id"] for row in rows(Meeting) if row["slug"] == DECEMBER]
    a_mail("retrying", to_address="grace@example.org", kind=EmailKind.REMINDER, attempts=2,
               meeting_id=december, due_at=NOW + 5 * A_MINUTE, server_reply="451 Later")  # fmt: skip

    [line] = corin.page(MAILS).select("tbody tr")

    assert [cell.get_text(" ", strip=True) for cell in line.select("td, th")] == [
        "Reminder",
        "Nov 22, 10:00 AM",
        "grace@example.org",
        "December 15",
        "Trying again 2 attempts. Next: Nov 22, 10:05 AM",
        "451 Later",
    ]


def test_the_latest_hundred_are_listed_or_those_in_one_state(corin):
    a_mail("failed", to_address="first@example.org")
    add_emails(*["sent"] * 100)

    lines = corin.page(MAILS).select("tbody tr")
    failed = corin.page(f"{MAILS}?state=failed").select("tbody tr")

    assert len(lines) == 100
    assert "first@example.org" not in str(lines)
    assert [row.select("td")[1].get_text() for row in failed] == ["first@example.org"]
    assert {(row["resource"], row["meeting_id"]) for row in rows(Viewing)} == {("mails", None)}


def test_an_unknown_state_or_email_is_refused_and_records_no_viewing(corin):
    a_mail()
    states = [f"{MAILS}?state={state}" for state in ("", "gone", "%00")]
    ids = [f"{MAILS}/{id_}" for id_ in ("0", "999", "x", "-1", "1.5", "9" * 30)]

    assert {corin.get(path).status_code for path in states} == {422}
    assert {corin.get(path).status_code for path in ids} == {404}
    assert rows(Viewing) == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, "Until COP_SMTP_URL is set, emails are saved in"),
        ("smtp://mail.example.org", "Emails are sent through mail.example.org:587."),
    ],
    ids=["files", "server"],
)
def test_the_page_says_where_email_goes(app, corin, database_url, url, expected):
    smtp = url and smtp_url.parse_server(url)
    app.extensions["cop.settings"] = settings_for(database_url, posts_per_hour=0, smtp=smtp)

    page, front = main_text(corin.page(MAILS)), main_text(corin.page(FRONT))

    assert expected in page
    assert ("Email is not set up yet." in front) == (url is None)


def test_an_email_is_shown_without_the_tokens_of_its_links_and_the_viewing_recorded(corin):
    register(corin, DECEMBER, list_opt_in="yes")
    post(corin, "/coordinator/forgotten", email="corin@example.org")
    mails = rows(OutboxEmail)

    pages = [corin.page(f"{MAILS}/{mail['id']}") for mail in mails]

    assert pages[0].h1.get_text() == "You're registered for December 15"
    assert "ada@example.org" in pages[0].select_one(".headers").get_text(" ", strip=True)
    assert "You're registered for:" in pages[0].pre.get_text()
    paths = ("/r/", "/join/", "/list/", "/coordinator/password/")
    texts = [mail["text"] for mail in mails]
    links = {word for text in texts for word in text.split() if any(path in word for path in paths)}
    assert {path for path in paths for link in links if path in link} == set(paths)
    assert not [link for link in links for page in pages if link in str(page)]
    assert all("…" in str(page) for page in pages)
    assert {(row["resource"], row["meeting_id"]) for row in rows(Viewing)} == {("mails", None)}


def test_an_erased_text_is_reported(corin):
    id_ = a_mail("sent", to_address="", subject="", text="", html="", server_reply="")

    assert "has been deleted" in main_text(corin.page(f"{MAILS}/{id_}"))
    assert corin.page(MAILS).select("tbody tr td")[1].get_text() == ""


def test_all_failed_emails_with_a_text_can_be_retried(corin):
    add_emails("failed", "sent", "failed", "withdrawn", attempts=9)
    a_mail("failed", text="", to_address="")

    response = post(corin, TRY_AGAIN, form_at=MAILS, all="yes")

    assert (response.status_code, response.location) == (303, MAILS)
    assert "Sending 2 emails again." in main_text(corin.page(MAILS))
    assert states() == ["queued", "sent", "queued", "withdrawn", "failed"]
    assert [mail["attempts"] for mail in rows(OutboxEmail)] == [0, 9, 0, 9, 0]


def test_without_a_text_there_is_nothing_to_retry_or_to_do(corin):
    a_mail("failed", text="", to_address="")

    assert not corin.page(MAILS).select("main form")
    assert to_do(corin) == []


def test_one_failed_email_can_be_retried(corin):
    ids = add_emails("failed", "failed", "sent")
    button = corin.page(MAILS).find("button", attrs={"value": str(ids[0])})

    post(corin, TRY_AGAIN, form_at=MAILS, mail=[button["value"], str(ids[2])])

    assert "Sending 1 email again." in main_text(corin.page(MAILS))
    assert states() == ["queued", "failed", "sent"]


def test_an_unknown_email_is_not_retried(corin):
    a_mail("failed")
    unknown = ["", "x", "0", "99999999999999999999", "١"]

    response = post(corin, TRY_AGAIN, form_at=MAILS, mail=unknown)

    assert response.status_code == 303
    assert "Sending 0 emails again." in main_text(corin.page(MAILS))
    assert states() == ["failed"]


def test_the_dashboard_reports_failed_emails_with_a_link(corin):
    nothing = to_do(corin)
    add_emails("failed", "failed", "sent")

    [line] = to_do(corin)

    assert nothing == []
    assert line.startswith("2 emails couldn't be delivered.")
    assert corin.page(FRONT).select_one(".to-do a[href='/coordinator/mail?state=failed']")


def test_the_dashboard_reports_that_email_is_not_getting_out(corin):
    a_mail("retrying", attempts=1, server_reply=REFUSED, due_at=NOW + A_MINUTE)
    a_mail("queued")

    [line] = to_do(corin)

    assert line.startswith(
        f"Emails aren't going out, and 2 are waiting. The email server says: {REFUSED}"
    )
    assert REFUSED in main_text(corin.page(MAILS))


def test_a_missing_join_address_is_reported_in_the_last_week(corin):
    early = to_do(corin)
    week = timedelta(days=7)
    update_meeting(DECEMBER, starts_at=NOW + week - A_MINUTE, ends_at=NOW + week)

    [late] = to_do(corin)

    link = corin.page(FRONT).find("a", string="Add the join link")["href"]
    assert early == []
    assert "The next session has no join link yet" in late
    assert link == f"/coordinator/sessions/{DECEMBER}/edit#join_url"
    assert corin.page(link).find(id="join_url")
    update_meeting(DECEMBER, join_url="https://zoom.example.com/j/1")
    assert to_do(corin) == []


def test_a_console_page_takes_at_most_five_statements_however_many_people(corin):
    add_registrations(DECEMBER, *[f"ada{number}@example.org" for number in range(15)])
    add_emails(*["retrying"] * 15, attempts=1, server_reply=REFUSED)
    one = a_mail("failed")
    session = f"/coordinator/sessions/{DECEMBER}"
    paths = [FRONT, MAILS, f"{MAILS}?state=failed", f"{MAILS}/{one}", session, f"{session}/edit",
             f"{session}/restore", "/coordinator/list",
             "/coordinator/forgotten", "/coordinator/password/x"]  # fmt: skip
    corin.get(FRONT)  # once a minute, the use of the session is stored
    took = {}

    for path in paths:
        with Statements() as sent:
            corin.get(path)
        took[path] = len(sent) - 1

    assert max(took.values()) <= 5, took
    assert took[FRONT] >= 3
