"""A deleted value is in no table, no database file and no email file."""

from datetime import timedelta

import pytest

from cop.accounts import accounts
from cop.db.engine import write_tx
from cop.mail.transport import FolderTransport
from cop.models.coordinator import Invitation
from cop.outbox.delivery import Delivery
from tests.attendance.reports import Row, report
from tests.attendance.test_views import PAGE as ATTENDANCE
from tests.attendance.test_views import sent_by, upload
from tests.builders import NOW, PASSWORD
from tests.client import (
    DECEMBER,
    GRACE,
    LINKS,
    member_path,
    post,
    press_button,
    register,
    rows,
    sign_in,
    update_meeting,
)
from tests.privacy.test_views_erase import (
    app,  # noqa: F401
    everything,
)
from tests.roster.test_views_person import do

pytestmark = pytest.mark.both

SLIP = "zyxwvada@zyxwvmail.example.org"
COORDINATORS = "/coordinator/settings/coordinators"


@pytest.fixture
def corin(app):  # noqa: F811 - the fixture
    client = app.test_client()
    sign_in(client)
    return client


@pytest.fixture
def kept(app, database_url, tmp_path):  # noqa: F811 - the fixture
    """Everything that is stored, once all emails that are due have become files."""
    folder = FolderTransport(tmp_path / "outbox")
    sender = app.extensions["cop.settings"].sender

    def read(*, deliver=False):
        if deliver:
            Delivery(folder, sender, LINKS, lambda: NOW).run()
        return everything(database_url, folder.folder).lower()

    return read


def test_a_corrected_address_leaves_no_trace(app, corin, kept):  # noqa: F811
    register(app.test_client(), DECEMBER, email=SLIP)
    register(app.test_client(), DECEMBER, email=GRACE)
    before = kept(deliver=True)

    answer = do(corin, "address", SLIP, email="ada@example.org")

    after = kept()
    assert answer.status_code == 303
    assert b"zyxwv" in before
    assert b"zyxwv" not in after
    assert b"ada@example.org" in after
    assert b"to: grace@example.org" in after  # the files of others stay


@pytest.mark.parametrize("way", ["deleted", "emptied"])
def test_a_deleted_answer_leaves_no_trace(app, kept, way):  # noqa: F811
    client = app.test_client()
    typed = {"organization": "Zyxwvorganization", "access_other": "Another answer"}
    register(client, DECEMBER, **typed)
    before = kept(deliver=True)

    sent = {"erase": "organization"} if way == "deleted" else {"name": "Ada", "access_other": "B"}
    answer = press_button(client, member_path(f"/sessions/{DECEMBER}"), **sent)

    after = kept()
    assert answer.status_code == 303
    assert b"zyxwv" in before
    assert b"zyxwv" not in after
    assert (b"another answer" in after) is (way == "deleted")


@pytest.mark.parametrize("way", ["delete", "keep"])
def test_a_deleted_report_leaves_no_trace(app, corin, kept, way):  # noqa: F811
    register(app.test_client(), DECEMBER)
    update_meeting(DECEMBER, starts_at=NOW - timedelta(hours=3), ends_at=NOW - timedelta(hours=1))
    upload(corin, report([Row("Zyxwvstranger"), Row("Ada Example", "ada@example.org")]))
    sent = sent_by(corin.page(f"{ATTENDANCE}/report")) if way == "keep" else {}
    before = kept()

    answer = post(corin, f"{ATTENDANCE}/report/{way}", form_at="/coordinator/", **sent)

    assert answer.status_code == 303
    assert b"zyxwv" in before
    assert b"zyxwv" not in kept()
    assert [row["name"] for row in rows()] == ["Ada Example"]


def test_a_withdrawn_invitation_leaves_no_trace(corin, kept):
    for email in (SLIP, "dana@example.org"):
        post(corin, COORDINATORS, email=email)
    before = kept(deliver=True)

    ids = {row["email"]: row["id"] for row in rows(Invitation)}
    answer = post(corin, f"{COORDINATORS}/withdraw", form_at=COORDINATORS, invitation=ids[SLIP])

    after = kept()
    assert answer.status_code == 303
    assert b"zyxwv" in before
    assert b"zyxwv" not in after
    assert b"to: dana@example.org" in after


def test_a_removed_coordinator_leaves_no_trace(corin, kept):
    with write_tx() as db_session:
        id_ = accounts.add(db_session, SLIP, name="Dana", password=PASSWORD)
    before = kept()

    answer = post(corin, f"{COORDINATORS}/{id_}/remove", form_at="/coordinator/")

    assert answer.status_code == 303
    assert b"zyxwv" in before
    assert b"zyxwv" not in kept()
