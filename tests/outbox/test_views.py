"""The outbox in the console: counts, one email, and retrying what failed."""

from datetime import timedelta
from itertools import count

import pytest

from cop import smtp_url
from cop.db.engine import write_tx
from cop.models.audit import Viewing
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.outbox import retries
from cop.outbox.outbox import EmailKind
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    SAME_ORIGIN,
    add_registrations,
    advance_clock,
    post,
    register,
    rows,
    sign_in,
    update_meeting,
)
from tests.conftest import settings_for
from tests.statements import Statements

FRONT, MAILS, TRY_AGAIN = "/coordinator/", "/coordinator/mail", "/coordinator/mail/try-again"
REFUSED = "The server at smtp.example.org:587 cannot be reached: Connection refused."
A_MINUTE = timedelta(minutes=1)
_numbers = count()


def a_mail(state="sent", **values):
    """An email as it is stored in the outbox."""
    number = next(_numbers)
    values = {
        "kind": EmailKind.LINK,
        "to_address": f"ada{number}@example.org",
        "subject": "Your link",
        "text": "Hello.\n",
        "html": "<p>Hello.</p>",
        "server_reply": "250 OK" if state == "sent" else "",
        "done_at": NOW if state in {"sent", "failed"} else None,
    } | values
    with write_tx() as db_session:
        mail = OutboxEmail(dedup_key=f"mail:{number}", language="en", message_id=f"m{number}",
                           created_at=NOW, state=state, **{"due_at": NOW} | values)  # fmt: skip
        db_session.add(mail)
        db_session.flush()
        return mail.id


def text_of(corin, path=MAILS):
    return corin.page(path).main.get_text(" ", strip=True)


def figures(page):
    return {div.dt.get_text(): div.dd.get_text(strip=True) for div in page.select(".figures div")}


def to_do(corin):
    """The sentences under "What needs doing" that are about email or the join address."""
    lines = [line.span.get_text(" ", strip=True) for line in corin.page(FRONT).select(".to-do li")]
    others = ("COP_SMTP_URL", "No backup", "no topic")
    return [line for line in lines if not any(other in line for other in others)]


def test_emails_are_counted_by_state(corin):
    for state in ("queued", "sending", "retrying", "sent", "sent", "failed", "withdrawn"):
        a_mail(state, attempts=1)

    shown = figures(corin.page(MAILS))

    assert shown == {
        "waiting to go out": "1",
        "being sent": "1",
        "trying again": "1",
        "sent": "2",
        "failed": "1",
        "no longer needed": "1",
    }


def test_an_empty_outbox_shows_zeros(corin):
    page = corin.page(MAILS)

    assert set(figures(page).values()) == {"0"}
    assert "There are none." in page.main.get_text()
    assert not page.select("main form")


def test_a_row_shows_everything_about_an_email(corin):
    [december] = [row["id"] for row in rows(Meeting) if row["slug"] == DECEMBER]
    a_mail("retrying", to_address="grace@example.org", kind=EmailKind.REMINDER, meeting_id=december,
           attempts=2, due_at=NOW + timedelta(minutes=5), server_reply="451 Later")  # fmt: skip

    [line] = corin.page(MAILS).select("tbody tr")

    assert [cell.get_text(" ", strip=True) for cell in line.select("td, th")] == [
        "Nov 22, 10:00 am",
        "reminder",
        "grace@example.org",
        "December 15",
        "trying again",
        "2, next try Nov 22, 10:05 am",
        "451 Later",
    ]


def test_emails_that_may_have_arrived_twice_are_counted_and_marked(corin):
    a_mail("sent", unknown_outcomes=1)
    a_mail("sent")
    a_mail("retrying", attempts=1, unknown_outcomes=1)

    page = corin.page(MAILS)

    marked = [row for row in page.select("tbody tr") if "after an unknown ending" in row.get_text()]
    assert "1 mail was sent again after an unknown ending" in page.main.get_text()
    assert len(marked) == 1


def test_the_latest_hundred_are_listed_or_those_in_one_state(corin):
    a_mail("failed", to_address="first@example.org")
    for _ in range(100):
        a_mail()

    lines = corin.page(MAILS).select("tbody tr")
    failed = corin.page(f"{MAILS}?state=failed").select("tbody tr")

    assert len(lines) == 100
    assert "first@example.org" not in str(lines)
    assert [row.select("td")[1].get_text() for row in failed] == ["first@example.org"]


@pytest.mark.parametrize("state", ["", "gone", "%00"])
def test_an_unknown_state_is_refused_and_records_no_viewing(corin, state):
    response = corin.get(f"{MAILS}?state={state}")

    assert response.status_code == 422
    assert rows(Viewing) == []


@pytest.mark.parametrize("state", ["", "?state=failed"])
def test_viewing_the_list_is_recorded(corin, state):
    corin.page(f"{MAILS}{state}")

    assert [(row["resource"], row["meeting_id"]) for row in rows(Viewing)] == [("mails", None)]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, "Mail goes into files in the folder"),
        ("smtp://mail.example.org", "Mail goes to the server mail.example.org:587."),
    ],
    ids=["files", "server"],
)
def test_the_page_says_where_email_goes(app, corin, database_url, url, said):
    smtp = url and smtp_url.smtp_server(url)
    app.extensions["cop.settings"] = settings_for(database_url, posts_per_hour=0, smtp=smtp)

    page, front = text_of(corin), text_of(corin, FRONT)

    assert said in page
    assert ("COP_SMTP_URL is not set" in front) == (url is None)


def test_one_email_is_shown_and_the_viewing_recorded(corin):
    register(corin, DECEMBER)

    page = corin.page(f"{MAILS}/{rows(OutboxEmail)[0]['id']}")

    [seen] = rows(Viewing)
    headers = page.select_one(".headers").get_text(" ", strip=True)
    assert page.h1.get_text() == "You are registered: December 15"
    assert "ada@example.org" in headers
    assert "You hold a place at this session:" in page.pre.get_text()
    assert (seen["resource"], seen["meeting_id"]) == ("mails", None)


@pytest.mark.parametrize("kind", ["registration", "password"])
def test_links_of_the_recipient_are_shown_without_tokens(corin, kind):
    if kind == "registration":
        register(corin, DECEMBER, list_opt_in="yes")
    else:
        post(corin, "/coordinator/forgotten", email="corin@example.org")
    mails = rows(OutboxEmail)

    shown = [corin.get(f"{MAILS}/{mail['id']}").get_data(as_text=True) for mail in mails]

    paths = ("/r/", "/join/", "/list/", "/unsubscribe/", "/coordinator/password/")
    links = {
        word
        for mail in mails
        for word in mail["text"].split()
        if any(path in word for path in paths)
    }
    assert links
    assert not [link for link in links for page in shown if link in page]
    assert all("…" in page for page in shown)


def test_an_erased_text_is_reported(corin):
    id_ = a_mail("sent", to_address="", subject="", text="", html="", server_reply="")

    text = text_of(corin, f"{MAILS}/{id_}")

    assert "has been deleted" in text
    assert corin.page(MAILS).select("tbody tr td")[1].get_text() == ""


@pytest.mark.parametrize("mail_id", ["0", "999", "x", "-1", "1.5", "9" * 30])
def test_an_unknown_email_is_not_found(corin, mail_id):
    a_mail()

    assert corin.get(f"{MAILS}/{mail_id}").status_code == 404
    assert rows(Viewing) == []


def states():
    return [mail["state"] for mail in rows(OutboxEmail)]


def test_all_failed_emails_can_be_retried(corin):
    for state in ("failed", "sent", "failed", "withdrawn"):
        a_mail(state)

    response = post(corin, TRY_AGAIN, form_at=MAILS, all="yes")

    assert (response.status_code, response.location) == (303, MAILS)
    assert "2 mails go out again." in text_of(corin)
    assert states() == ["queued", "sent", "queued", "withdrawn"]


def test_one_failed_email_can_be_retried(corin):
    ids = [a_mail("failed"), a_mail("failed"), a_mail("sent")]
    button = corin.page(MAILS).find("button", attrs={"value": str(ids[0])})

    post(corin, TRY_AGAIN, form_at=MAILS, mail=[button["value"], str(ids[2])])

    assert "1 mail goes out again." in text_of(corin)
    assert states() == ["queued", "failed", "sent"]


@pytest.mark.parametrize("mail", ["", "x", "0", "99999999999999999999", "١"])
def test_only_failed_emails_can_be_retried(corin, mail):
    a_mail("failed")

    response = post(corin, TRY_AGAIN, form_at=MAILS, mail=mail)

    assert response.status_code == 303
    assert "0 mails go out again." in text_of(corin)
    assert states() == ["failed"]


def test_an_email_without_text_cannot_be_retried(corin):
    a_mail("failed", text="", to_address="")

    page = corin.page(MAILS)
    corin.post(TRY_AGAIN, data={"all": "yes", "csrf_token": _token(page)}, headers=SAME_ORIGIN)

    assert not page.select("main form")
    assert states() == ["failed"]
    assert to_do(corin) == []


def _token(page):
    return page.find("input", attrs={"name": "csrf_token"})["value"]


def test_the_dashboard_reports_failed_emails_with_a_link(corin):
    nothing = to_do(corin)
    a_mail("failed")
    a_mail("failed")
    a_mail("sent")

    [said] = to_do(corin)

    assert nothing == []
    assert said.startswith("2 mails could not be delivered.")
    assert corin.page(FRONT).select_one(".to-do a[href='/coordinator/mail?state=failed']")


def retrying(answer=REFUSED, tried_at=NOW, attempts=1):
    wait = retries.BACKOFF[min(attempts, 4) - 1]
    return a_mail("retrying", attempts=attempts, due_at=tried_at + wait, server_reply=answer)


def test_the_dashboard_reports_that_email_is_not_getting_out(corin):
    a_mail("sent", done_at=NOW - A_MINUTE)
    retrying(attempts=5)
    a_mail("queued")

    [said] = to_do(corin)

    assert said.startswith(
        f"Mail is not getting out. 2 mails are waiting. The last answer: {REFUSED}"
    )
    assert REFUSED in text_of(corin)


def test_the_last_reply_is_shown(corin):
    retrying("The server at a cannot be reached.", tried_at=NOW - A_MINUTE, attempts=4)
    retrying("421 4.3.2 Shutting down", tried_at=NOW, attempts=1)

    [said] = to_do(corin)

    assert "421 4.3.2 Shutting down" in said
    assert "cannot be reached" not in said


@pytest.mark.parametrize(
    "answer",
    ["451 4.7.1 Greylisted", "450 Mailbox busy", "It could not be put together: ValueError."],
)
def test_a_reply_about_one_email_is_not_reported(corin, answer):
    retrying(answer)

    assert to_do(corin) == []


def test_nothing_is_reported_once_email_gets_out_again(corin):
    retrying(tried_at=NOW - 2 * A_MINUTE)
    a_mail("sent", done_at=NOW - A_MINUTE)

    assert to_do(corin) == []
    assert "not getting out" not in text_of(corin)


def test_a_missing_join_address_is_reported_in_the_last_week(app, corin):
    early = to_do(corin)
    advance_clock(app, timedelta(days=16, hours=2))  # just under seven days before
    sign_in(corin)
    late = to_do(corin)
    link = corin.page(FRONT).select_one(".to-do a")["href"]
    update_meeting(DECEMBER, join_url="https://zoom.example.com/j/1")

    assert early == []
    assert "join address of the next session is missing" in late[0]
    assert link == f"/coordinator/sessions/{DECEMBER}/edit#join_url"
    assert corin.page(link).find(id="join_url")
    assert to_do(corin) == []


@pytest.mark.parametrize("path", [MAILS, f"{MAILS}/1"])
def test_only_coordinators_see_emails(app, corin, path):
    register(corin, DECEMBER)
    kept = corin.get_cookie("cop").value
    post(corin, "/coordinator/sign-out", form_at=FRONT)
    corin.set_cookie("cop", kept)

    answers = [client.get(path) for client in (app.test_client(), corin)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert not [answer for answer in answers if b"ada@" in answer.data]
    assert rows(Viewing) == []


def test_only_coordinators_retry_emails(app, corin):
    a_mail("failed")
    post(corin, "/coordinator/sign-out", form_at=FRONT)

    answers = [
        post(client, TRY_AGAIN, form_at="/coordinator/sign-in", all="yes").status_code
        for client in (app.test_client(), corin)
    ]

    assert answers == [403, 403]
    assert states() == ["failed"]


def test_a_form_without_its_token_sends_nothing(corin):
    a_mail("failed")

    response = corin.post(TRY_AGAIN, data={"all": "yes"}, headers=SAME_ORIGIN)

    assert response.status_code == 403
    assert states() == ["failed"]


@pytest.mark.parametrize("mails", [5, 150])
def test_a_console_page_takes_at_most_five_statements_however_many_people(corin, mails):
    add_registrations(DECEMBER, *[f"ada{number}@example.org" for number in range(mails)])
    for _ in range(mails):
        a_mail("retrying", attempts=1, server_reply=REFUSED)
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
