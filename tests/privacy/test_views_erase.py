"""Erased data is in no table, no file and no log."""

import io
import logging
from dataclasses import replace

import pytest
from sqlalchemy import select

from cop import create_app
from cop.accounts import accounts
from cop.db.engine import db, read_tx, sqlite_file, write_tx
from cop.db.types import Base
from cop.mail.transport import FolderTransport
from cop.models.registration import Member
from cop.operations import seed
from cop.outbox.delivery import Delivery
from cop.smtp_url import smtp_server
from cop.web.request_log import JsonFormatter
from tests.builders import NOW, PASSWORD
from tests.client import (
    DECEMBER,
    GRACE,
    LINKS,
    SeparateRequests,
    calendar_path,
    join_path,
    member_path,
    press_button,
    register,
    sign_in,
    unsubscribe_path,
    update_meeting,
)
from tests.conftest import settings_for

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


@pytest.fixture
def app(database_url, tmp_path):
    """The app with a folder for its mail."""
    settings = replace(settings_for(database_url, posts_per_hour=0), instance=tmp_path)
    app = create_app(settings)
    app.extensions["cop.clock"] = lambda: NOW
    app.test_client_class = SeparateRequests
    with app.app_context():
        with write_tx() as db_session:
            seed.create_site(db_session, now=NOW)
            accounts.add(db_session, "corin@example.org", name="Corin", password=PASSWORD)
        yield app
        db.engine.dispose()


@pytest.fixture
def log():
    """Everything that is logged."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(JsonFormatter())
    logging.getLogger("cop").addHandler(handler)
    yield said
    logging.getLogger("cop").removeHandler(handler)


def everything(database_url, folder):
    """All that is kept, as bytes: each row of each table, the database's files, and the mails."""
    with read_tx() as db_session:
        tables = [db_session.execute(select(t)).all() for t in Base.metadata.sorted_tables]
    files = [*folder.iterdir()] if folder.exists() else []
    if file := sqlite_file(database_url):
        files += file.parent.glob(f"{file.name}*")
    return repr(tables).encode() + b"".join(path.read_bytes() for path in files)


def live_through(app, client, folder):
    """Register, get mail, be looked at, answer, ask for the link, join the list."""
    update_meeting(DECEMBER, prep_question="What is missing?")
    register(client, DECEMBER, email=EMAIL, access=["asl"], list_opt_in="yes", **TYPED)
    register(client, DECEMBER, name="Grace Sample", email=GRACE)
    Delivery(
        FolderTransport(folder), app.extensions["cop.settings"].sender, LINKS, lambda: NOW
    ).run()
    corin = app.test_client()
    sign_in(corin)
    for path in (
        f"/coordinator/sessions/{DECEMBER}",
        "/coordinator/export.csv",
        "/coordinator/mail",
    ):
        assert corin.get(path).status_code == 200
    press_button(client, member_path(email=EMAIL))
    press_button(client, member_path(f"/sessions/{DECEMBER}", email=EMAIL), **TYPED | CHANGED)
    press_button(client, "/my-link", email=EMAIL)
    client.get(join_path(EMAIL))
    client.post("/register", data={"email": EMAIL}, headers={"Sec-Fetch-Site": "cross-site"})


def test_erased_data_leaves_no_trace(app, database_url, tmp_path, log):
    client, folder = app.test_client(), tmp_path / "outbox"
    live_through(app, client, folder)
    before = everything(database_url, folder).lower()

    answer = press_button(client, member_path("/erase", email=EMAIL))

    after = everything(database_url, folder)
    values = [*(TYPED | CHANGED).values(), EMAIL]
    assert answer.status_code == 200
    assert not [value for value in values if value.lower().encode() not in before]
    assert b"zyxwv" not in after.lower()
    assert b"grace@example.org" in after
    assert "zyxwv" not in log.getvalue().lower()
    assert "/r/" not in log.getvalue()
    with read_tx() as db_session:
        assert db_session.scalars(select(Member.email_key)).all() == [GRACE]


def test_the_links_of_an_erased_member_open_nobody_else_s_page(app):
    client = app.test_client()
    register(client, DECEMBER, email=EMAIL)
    old = [
        member_path(email=EMAIL),
        join_path(EMAIL),
        calendar_path(EMAIL),
        unsubscribe_path("reminders", EMAIL),
    ]
    press_button(client, member_path("/erase", email=EMAIL))

    register(client, DECEMBER, name="Grace Sample", email=GRACE)

    assert [client.get(path).status_code for path in old] == [404] * 4
    assert press_button(client, old[3]).status_code == 404


def test_an_email_file_written_during_the_erasure_is_deleted_too(app, tmp_path):
    client = app.test_client()
    register(client, DECEMBER, email=EMAIL)

    class Slow(FolderTransport):
        """A folder into which a mail is written while its owner presses the button."""

        def send(self, message, *, to):
            press_button(client, member_path("/erase", email=EMAIL))
            return super().send(message, to=to)

    folder = Slow(tmp_path / "outbox")
    Delivery(folder, app.extensions["cop.settings"].sender, LINKS, lambda: NOW).run()

    assert list(folder.folder.iterdir()) == []


def test_email_files_from_before_the_mail_server_are_deleted_too(app, tmp_path):
    client = app.test_client()
    register(client, DECEMBER, email=EMAIL)
    folder = FolderTransport(tmp_path / "outbox")
    Delivery(folder, app.extensions["cop.settings"].sender, LINKS, lambda: NOW).run()
    before = len(list(folder.folder.iterdir()))

    server = smtp_server("smtp://127.0.0.1:9")
    app.extensions["cop.settings"] = replace(app.extensions["cop.settings"], smtp=server)
    press_button(client, member_path("/erase", email=EMAIL))

    assert (before, list(folder.folder.iterdir())) == (1, [])
