"""Erased and deleted data is in no table, no database file, no email file and no log."""

import io
import logging
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from cop.db.engine import read_tx, sqlite_file, write_tx
from cop.db.types import Base
from cop.mail.transport import FolderTransport
from cop.models.coordinator import Invitation
from cop.models.email import OutboxEmail
from cop.models.registration import Member
from cop.outbox.delivery import Delivery
from cop.privacy import erasure
from cop.smtp_url import parse_server
from cop.web.request_log import JsonFormatter
from tests import builders
from tests.attendance.reports import Row, report
from tests.attendance.test_views import PAGE as ATTENDANCE
from tests.attendance.test_views import upload
from tests.builders import (
    NOW,
    a_coordinator,
    a_full_meeting,
    a_writer,
    find_member,
    recipients_and_subjects,
    status_summary,
)
from tests.client import (
    DECEMBER,
    GRACE,
    LINKS,
    add_registrations,
    calendar_path,
    join_path,
    member_path,
    post,
    press_button,
    register,
    rows,
    submit,
    unsubscribe_path,
    update_meeting,
)
from tests.conftest import settings_for
from tests.roster.test_views_person import do

pytestmark = pytest.mark.both

EMAIL = "zyxwvada@zyxwvmail.example.org"
TYPED = {
    "name": "Zyxwvname Example",
    "organization": "Zyxwvorganization",
    "pronouns": "zyxwvpronouns",
    "hats_other": "zyxwvhat",
    "access_language": "Zyxwvlanguage",
    "access_other": "zyxwvaccess",
    "prep_answer": "zyxwvanswer",
}
CHANGED = {"organization": "Zyxwvagain"}
COORDINATORS = "/coordinator/settings/coordinators"


@pytest.fixture(scope="module")
def site_instance(tmp_path_factory):
    return tmp_path_factory.mktemp("instance")


@pytest.fixture
def settings(database_url, site_instance):
    """Settings with a folder for email files, which is empty."""
    shutil.rmtree(site_instance / "outbox", ignore_errors=True)
    return replace(settings_for(database_url, posts_per_hour=0), instance=site_instance)


@pytest.fixture
def folder(site_instance):
    return FolderTransport(site_instance / "outbox")


@pytest.fixture
def deliver(app, folder):
    """Write the emails that are due to files."""

    def deliver(transport=folder):
        Delivery(transport, app.extensions["cop.settings"].sender, LINKS, lambda: NOW).run()

    return deliver


@pytest.fixture
def stored(app, database_url, folder):
    """Read everything as bytes: the rows of all tables, the database's files, and the emails."""

    def read():
        with read_tx() as db_session:
            tables = [db_session.execute(select(t)).all() for t in Base.metadata.sorted_tables]
        files = [*folder.folder.iterdir()] if folder.folder.exists() else []
        if file := sqlite_file(database_url):
            files += file.parent.glob(f"{file.name}*")
        return b"".join([repr(tables).encode(), *(path.read_bytes() for path in files)]).lower()

    return read


@pytest.fixture
def log():
    """Everything that is logged."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonFormatter())
    logging.getLogger("cop").addHandler(handler)
    yield text
    logging.getLogger("cop").removeHandler(handler)


def register_people(*emails):
    with write_tx() as db_session:
        for email in emails:
            builders.register(db_session, DECEMBER, replace(builders.ADA, email=email))


def use_everything(client, corin, deliver):
    """Register, get email, be viewed by a coordinator, change answers, request the link."""
    update_meeting(DECEMBER, prep_question="What is missing?")
    register(client, DECEMBER, email=EMAIL, access=["asl"], list_opt_in="yes", **TYPED)
    register_people(GRACE)
    deliver()
    for path in (f"sessions/{DECEMBER}", "export.csv", "mail"):
        assert corin.get(f"/coordinator/{path}").status_code == 200
    press_button(client, member_path(email=EMAIL))
    press_button(client, member_path(f"/sessions/{DECEMBER}", email=EMAIL), **TYPED | CHANGED)
    press_button(client, "/my-link", email=EMAIL)
    client.get(join_path(EMAIL))
    client.post("/register", data={"email": EMAIL}, headers={"Sec-Fetch-Site": "cross-site"})


def test_erased_data_leaves_no_trace(app, corin, stored, deliver, log):
    client = app.test_client()
    use_everything(client, corin, deliver)
    before = stored()

    answer = press_button(client, member_path("/erase", email=EMAIL))

    after = stored()
    values = [*(TYPED | CHANGED).values(), EMAIL]
    assert answer.status_code == 200
    assert [value for value in values if value.lower().encode() not in before] == []
    assert b"zyxwv" not in after
    assert b"to: grace@example.org" in after  # the files of others
    assert "zyxwv" not in log.getvalue().lower()
    assert "/r/" not in log.getvalue()
    with read_tx() as db_session:
        assert db_session.scalars(select(Member.email_key)).all() == [GRACE]


def test_the_links_of_an_erased_member_open_nobody_else_s_page(client):
    register_people(EMAIL)
    old = [
        member_path(email=EMAIL),
        join_path(EMAIL),
        calendar_path(EMAIL),
        unsubscribe_path("reminders", EMAIL),
    ]
    press_button(client, member_path("/erase", email=EMAIL))

    register_people(GRACE)

    assert [client.get(path).status_code for path in old] == [404] * 4
    assert press_button(client, old[3]).status_code == 404


def test_an_email_file_written_during_the_erasure_is_deleted_too(client, folder, deliver):
    register_people(EMAIL)

    class SlowTransport(FolderTransport):
        """A folder into which an email is written while its recipient erases their data."""

        def send(self, message, *, to):
            press_button(client, member_path("/erase", email=EMAIL))
            return super().send(message, to=to)

    deliver(SlowTransport(folder.folder))

    assert list(folder.folder.iterdir()) == []
    assert rows(OutboxEmail) == []


def test_email_files_from_before_the_mail_server_are_deleted_too(app, client, folder, deliver):
    register_people(EMAIL)
    deliver()
    before = len(list(folder.folder.iterdir()))
    server = parse_server("smtp://127.0.0.1:9")
    app.extensions["cop.settings"] = replace(app.extensions["cop.settings"], smtp=server)

    press_button(client, member_path("/erase", email=EMAIL))

    assert (before, list(folder.folder.iterdir())) == (1, [])


def test_erasing_gives_the_place_to_whoever_is_next(db_session):
    meeting = a_full_meeting(db_session)
    ada = find_member(db_session, builders.ADA.email)

    erasure.erase(db_session, ada.id, writer=a_writer(db_session))

    assert status_summary(db_session, meeting.slug) == "Grace held, Katherine waiting"
    assert recipients_and_subjects(db_session) == [
        (GRACE, "You now have a spot on December 13"),
    ]


def assert_erases(stored, act, *, leaves):
    """Check that an action deletes what is marked, and leaves other data."""
    before = stored()

    answer = act()

    after = stored()
    assert answer.status_code == 303
    assert b"zyxwv" in before
    assert b"zyxwv" not in after
    assert leaves in after


def test_a_corrected_address_leaves_no_trace(corin, stored, deliver):
    register_people(EMAIL, GRACE)
    deliver()

    assert_erases(
        stored,
        lambda: do(corin, "address", EMAIL, email="ada@example.org"),
        leaves=b"to: grace@example.org",
    )

    assert b"ada@example.org" in stored()


@pytest.mark.parametrize(
    ("below", "sent", "leaves"),
    [
        ("/delete/organization", {}, b"another answer"),
        ("", {"name": "Ada", "access_other": "A break"}, b"a break"),
    ],
    ids=["deleted", "emptied"],
)
def test_a_deleted_answer_leaves_no_trace(client, stored, below, sent, leaves):
    typed = {"organization": "Zyxwvorganization", "access_other": "Another answer"}
    add_registrations(DECEMBER, "ada@example.org", **typed)

    assert_erases(
        stored,
        lambda: press_button(client, member_path(f"/sessions/{DECEMBER}{below}"), **sent),
        leaves=leaves,
    )

    assert (b"another answer" in stored()) is bool(below)


@pytest.mark.parametrize("action", ["delete", "keep"])
def test_a_deleted_report_leaves_no_trace(corin, stored, action):
    add_registrations(DECEMBER, "ada@example.org")
    update_meeting(DECEMBER, starts_at=NOW - timedelta(hours=3), ends_at=NOW - timedelta(hours=1))
    upload(corin, report([Row("Zyxwvstranger"), Row("Ada Example", "ada@example.org")]))
    page = corin.page(f"{ATTENDANCE}/report")

    assert_erases(
        stored,
        lambda: submit(corin, page, f"{ATTENDANCE}/report/{action}"),
        leaves=b"ada@example.org",
    )


def test_a_withdrawn_invitation_leaves_no_trace(corin, stored, deliver):
    for email in (EMAIL, "dana@example.org"):
        post(corin, COORDINATORS, email=email)
    deliver()
    ids = {row["email"]: row["id"] for row in rows(Invitation)}

    assert_erases(
        stored,
        lambda: post(
            corin, f"{COORDINATORS}/withdraw", form_at=COORDINATORS, invitation=ids[EMAIL]
        ),
        leaves=b"to: dana@example.org",
    )


def test_a_removed_coordinator_leaves_no_trace(corin, stored):
    with write_tx() as db_session:
        id_ = a_coordinator(db_session, "Dana", email=EMAIL, email_key=EMAIL).id

    assert_erases(
        stored,
        lambda: post(corin, f"{COORDINATORS}/{id_}/remove", form_at="/coordinator/"),
        leaves=b"corin@example.org",
    )
