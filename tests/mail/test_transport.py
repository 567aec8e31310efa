"""Emails without a server: files in a folder that only the owner can read."""

import resource
import signal
from datetime import timedelta

import pytest

from cop.mail.errors import ServerUnavailableError
from cop.mail.smtp import SmtpTransport
from cop.mail.transport import FolderTransport, transport_for
from tests.mail.messages import ADA, CALENDAR, COMPOSED_AT, a_message, read, recipients
from tests.test_config import mode_of, settings_from

GRACE = "grace@example.org"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "instance" / "outbox"


@pytest.fixture
def transport(folder):
    return FolderTransport(folder)


def send(transport, to=ADA, **values):
    return transport.send(a_message(to, **values), to=to)


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_an_email_becomes_a_file_that_only_the_owner_can_read(folder, transport):
    answer = send(transport, calendar=CALENDAR, message_id="a1b2")

    assert answer == "written to 20261201T163000Z-a1b2.eml"
    assert names(folder) == ["20261201T163000Z-a1b2.eml"]
    [file] = folder.iterdir()
    mail = read(file.read_bytes())
    assert (mode_of(file), mode_of(folder)) == (0o600, 0o700)
    assert recipients(mail) == [ADA]
    assert mail.get_content_type() == "multipart/mixed"


def test_a_retry_overwrites_its_own_file_only(folder, transport):
    send(transport, message_id="first")
    send(transport, GRACE, message_id="second")
    send(transport, message_id="first", text="again")

    assert names(folder) == ["20261201T163000Z-first.eml", "20261201T163000Z-second.eml"]
    assert b"again" in (folder / "20261201T163000Z-first.eml").read_bytes()


def test_a_message_id_cannot_leave_the_folder(folder, transport):
    send(transport, message_id="../../../etc/cron.d/x*")

    assert names(folder) == ["20261201T163000Z--etc-cron-d-x-.eml"]


def test_a_draft_left_by_a_crash_is_overwritten(folder, transport):
    folder.mkdir(parents=True)
    (folder / "20261201T163000Z-a1b2.eml.draft").write_text("half a m")

    send(transport, message_id="a1b2")

    assert names(folder) == ["20261201T163000Z-a1b2.eml"]


def test_copies_of_erased_emails_are_deleted_with_their_drafts(folder, transport):
    for message_id in ("ada1", "ada2", "ada22", "grace"):
        send(transport, message_id=message_id)
    (folder / "20261201T163000Z-ada1.eml.draft").write_text("half a m")
    (folder / "README").write_text("ada1")

    transport.delete_copies(["ada1", "ada2", "never-written"])

    assert names(folder) == [
        "20261201T163000Z-ada22.eml",
        "20261201T163000Z-grace.eml",
        "README",
    ]


def test_copies_of_old_emails_are_deleted(folder, transport):
    send(transport, message_id="old", created_at=COMPOSED_AT - timedelta(days=8))
    send(transport, message_id="new")
    (folder / ".gitkeep").touch()
    (folder / "README").touch()

    transport.delete_copies_before(COMPOSED_AT)

    assert names(folder) == [".gitkeep", "20261201T163000Z-new.eml", "README"]


def test_nothing_can_be_deleted_before_the_first_email(folder, transport):
    transport.delete_copies(["a1b2"])
    transport.delete_copies_before(COMPOSED_AT)
    transport.close()

    assert not folder.exists()


@pytest.mark.parametrize("in_the_way", ["instance", "instance/outbox"])
def test_a_file_in_place_of_the_folder_is_reported(tmp_path, folder, transport, in_the_way):
    (tmp_path / in_the_way).parent.mkdir(exist_ok=True)
    (tmp_path / in_the_way).write_text("a file")

    with pytest.raises(ServerUnavailableError) as error:
        send(transport)

    assert error.value.server_reply == (
        f"Emails can't be saved in {folder}: there is a file with that name."
    )
    assert (tmp_path / in_the_way).read_text() == "a file"


def test_a_full_disk_is_reported_and_leaves_no_partial_file(folder, transport):
    send(transport, message_id="before")
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(ServerUnavailableError) as error:
            send(transport, message_id="big", text="x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)

    assert error.value.server_reply == f"Emails can't be saved in {folder}: File too large."
    assert names(folder) == ["20261201T163000Z-before.eml"]


def test_a_failed_rename_leaves_no_partial_file(folder, transport):
    (folder / "20261201T163000Z-a1b2.eml" / "x").mkdir(parents=True)

    with pytest.raises(ServerUnavailableError) as error:
        send(transport, message_id="a1b2")

    assert str(folder) in error.value.server_reply
    assert names(folder) == ["20261201T163000Z-a1b2.eml"]


def test_the_settings_choose_the_transport(tmp_path):
    into_files = transport_for(settings_from(tmp_path))
    to_a_server = transport_for(settings_from(tmp_path, COP_SMTP_URL="smtp://mail.example.org"))

    assert into_files.folder == tmp_path / "instance" / "outbox"
    assert type(to_a_server) is SmtpTransport
