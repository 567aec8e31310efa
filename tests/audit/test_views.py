"""The page of the audit log: in words, filtered by kind and by coordinator."""

from datetime import timedelta

from cop.audit import audit_log
from cop.audit.audit_log import Action
from cop.db.engine import write_tx
from cop.models.audit import AuditEntry
from tests.builders import NOW, a_coordinator, a_viewing
from tests.client import DECEMBER, add_registrations, main_text, post, text_of
from tests.dashboard.test_views import id_of
from tests.outbox.test_views import a_mail
from tests.statements import Statements

PATH = "/coordinator/record"
ID = 1  # of the only coordinator, Corin


def record(*actions, now=NOW, **values):
    with write_tx() as db_session:
        for action in actions:
            audit_log.record_action(db_session, ID, action, now=now, **values)


def viewed(resource, *, by=None, **values):
    with write_tx() as db_session:
        id_ = a_coordinator(db_session, by).id if by else ID
        a_viewing(db_session, id_, resource, **values)


def lines(corin, query=""):
    return [row.th.get_text(strip=True) for row in corin.page(PATH + query).select("tbody tr")]


def test_every_action_has_a_sentence(corin):
    record(*Action, meeting_id=id_of(DECEMBER))

    found = lines(corin)

    assert len(set(found)) == len(Action)
    assert "Corin moved the December 15 session" in found
    assert all(line.startswith("Corin ") for line in found)


VIEWINGS = [
    ("roster", [], "Corin viewed the roster for December 15"),
    ("access", [], "Corin viewed the access needs for December 15"),
    ("emails", [], "Corin viewed the email addresses for December 15"),
    ("rooms", [], "Corin downloaded the small groups for December 15"),
    (
        "export",
        ["name", "access"],
        "Corin downloaded the attendee list and access needs for December 15",
    ),
    (
        "roster",
        ["access"],
        "Corin viewed the roster and access needs for December 15",
    ),
    ("list", [], "Corin viewed the mailing list"),
    ("list", ["email"], "Corin downloaded the mailing list"),
    ("mails", [], "Corin viewed the Email log"),
    ("something", [], "Corin viewed someone's answers for December 15"),
]


def test_every_viewing_has_a_sentence(corin):
    december = id_of(DECEMBER)
    for resource, columns, _ in VIEWINGS:
        viewed(resource, columns=columns, meeting_id=december)
    viewed("export", columns=["name"])
    viewed("export", columns=["name", "access"])

    found = lines(corin)

    assert found == [
        "Corin downloaded all attendee lists and access needs",
        "Corin downloaded the attendee list for all sessions",
        *[sentence for _, _, sentence in reversed(VIEWINGS)],
    ]


def test_entries_outlive_the_account_and_name_registrations_by_number_only(corin):
    add_registrations(DECEMBER, "ada@example.org")
    record(Action.WROTE, meeting_id=id_of(DECEMBER), registration_id=1, item_count=41)
    with write_tx() as db_session:
        db_session.query(AuditEntry).update({"coordinator_id": None})

    page = corin.page(PATH)

    [row] = page.select("tbody tr")
    sentence = "A former coordinator emailed people about the December 15 session"
    assert text_of(row) == f"{sentence} Nov 22, 10:00 AM No. 1 41"  # Eastern time
    assert "Ada" not in page.get_text()
    assert "ada@" not in page.get_text()


def test_what_was_repeated_in_a_day_is_one_line_that_opens_to_all(corin):
    noon, midnight = NOW + timedelta(hours=2), NOW + timedelta(hours=14)
    december, january = id_of(DECEMBER), id_of("2027-01-19")
    record(Action.CORRECTED_ADDRESS, meeting_id=december, registration_id=7)
    viewed("roster", meeting_id=december)
    viewed("mails")
    viewed("roster", meeting_id=january)
    record(Action.CORRECTED_ADDRESS, meeting_id=december, registration_id=9, now=noon)
    viewed("roster", meeting_id=december, now=noon)
    viewed("roster", meeting_id=december, now=midnight)
    viewed("roster", meeting_id=december, by="Sarah")

    found = [text_of(row) for row in corin.page(PATH).select("tbody tr")]

    twice, last, first = "2 times since 10:00 AM ET", "Nov 22, 12:00 PM", "Nov 22, 10:00 AM"
    opened = f"{twice} {last} Registration No. 9 {first} Registration No. 7"
    assert found == [
        "Corin viewed the roster for December 15 Nov 23, 12:00 AM",
        f"Corin corrected an email for December 15 {last} {opened}",
        f"Corin viewed the roster for December 15 {last} {twice} {last} {first}",
        "Sarah viewed the roster for December 15 Nov 22, 10:00 AM",
        "Corin viewed the roster for January 19 Nov 22, 10:00 AM",
        "Corin viewed the Email log Nov 22, 10:00 AM",
    ]


def test_the_page_filters_by_kind_and_by_coordinator(corin):
    record(Action.INVITED)
    viewed("mails")

    page, empty = corin.page(f"{PATH}?kind=looks&by={ID}"), corin.page(f"{PATH}?kind=lists")

    assert [row.th.get_text() for row in page.select("tbody tr")] == ["Corin viewed the Email log"]
    assert [each["value"] for each in page.select("option[selected]")] == ["looks", str(ID)]
    assert lines(corin, f"?by={ID}&kind=accounts") == ["Corin invited a coordinator"]
    assert "Nothing matches these filters." in main_text(empty)
    assert empty.find("a", string="Email log", href="/coordinator/mail")


def test_an_invalid_filter_or_page_is_refused(corin):
    queries = ("kind=nothing", "by=99", "by=corin", "by=%00", "page=0", "page=x", "page=-1")

    answers = {query: corin.get(f"{PATH}?{query}").status_code for query in queries}

    assert answers == dict.fromkeys(queries, 422)


def test_older_entries_are_on_the_next_page(corin):
    record(*[Action.WROTE] * 101, meeting_id=id_of(DECEMBER))

    first = corin.page(f"{PATH}?kind=sessions")
    older = first.find("a", string="Older")["href"]
    second = corin.page(older)

    assert len(first.select("tbody details li")) == 100
    assert not second.select("tbody details")
    assert "kind=sessions" in second.find("a", string="Newer")["href"]
    assert first.find("a", string="Newer") is None


def test_changes_of_embedding_hosts_and_retries_are_recorded(corin):
    a_mail("failed")
    changes = [
        ("/coordinator/embed/hosts", {"host": "https://www.example.net"}),
        ("/coordinator/embed/hosts", {"host": "*"}),  # which is refused
        ("/coordinator/embed/hosts/remove", {"removed": "https://ctdata.org"}),
        ("/coordinator/embed/presets", {"preset": "google-sites", "allowed": "yes"}),
        ("/coordinator/mail/try-again", {"all": "yes"}),
    ]

    for path, answers in changes:
        post(corin, path, form_at="/coordinator/embed", **answers)

    hosts = "Corin changed which sites can show the registration form"
    assert lines(corin) == ["Corin retried failed emails", hosts]
    assert len(corin.page(PATH).select("tbody details li")) == 3


def test_the_page_takes_five_statements_however_long_the_log_is(corin):
    record(*[Action.WROTE] * 150)
    viewed("mails")
    corin.get(PATH)  # the use of the device is recorded once a minute

    with Statements() as sent:
        corin.get(PATH)

    assert 0 < len(sent) <= 5
