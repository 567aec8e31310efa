"""The settings: read once from the environment, every bad value named, secrets kept safe."""

import errno
import fcntl
import logging
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from cop import private_files, secret_key
from cop.config import InvalidSettings, Settings
from cop.smtp_url import Security, SmtpServer

SECRET = "s3cret-" * 6


def settings_from(tmp_path, **environ):
    """Settings from these variables alone, in an instance folder that is made where missing."""
    return found_settings(tmp_path, create=True, **environ)


def found_settings(tmp_path, *, create=False, **environ):
    environ = {"COP_INSTANCE": str(tmp_path / "instance")} | environ
    return Settings.from_environment(environ, create=create)


def refusal_of(tmp_path, *, create=True, **environ):
    with pytest.raises(InvalidSettings) as refusal:
        found_settings(tmp_path, create=create, **environ)
    return refusal.value.problems


def key_file(tmp_path):
    return tmp_path / "instance" / "secret-key"


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_nothing_has_to_be_set(tmp_path):
    settings = settings_from(tmp_path)

    assert settings.instance == tmp_path / "instance"
    assert settings.database_url == f"sqlite:///{tmp_path / 'instance' / 'cop.sqlite3'}"
    assert (settings.base_url, settings.base) == (None, "http://localhost:8000")
    assert (settings.trusted_proxies, settings.posts_per_hour, settings.redis_url) == (0, 60, None)
    assert settings.is_sqlite
    assert not settings.is_https
    assert (settings.smtp, str(settings.sender)) == (None, "no-reply@localhost")


def test_the_instance_folder_is_the_one_beside_where_it_is_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert Settings.from_environment({}, create=True).instance == tmp_path / "instance"


def test_an_empty_variable_is_one_that_is_not_set(tmp_path):
    names = ("BASE_URL", "DATABASE_URL", "SECRET_KEY", "SECRET_KEY_FILE", "TRUSTED_PROXIES",
             "SMTP_URL", "MAIL_FROM")  # fmt: skip

    settings = settings_from(tmp_path, **dict.fromkeys((f"COP_{name}" for name in names), " "))

    assert settings == settings_from(tmp_path)


def test_every_bad_value_is_named_at_once(tmp_path):
    problems = refusal_of(
        tmp_path,
        COP_BASE_URL="cop.example.org",
        COP_DATABASE_URL="mysql://localhost/cop",
        COP_SECRET_KEY="short",
        COP_TRUSTED_PROXIES="one",
        COP_POSTS_PER_HOUR="-1",
        COP_REDIS_URL="localhost",
        COP_SMTP_URL="mail.example.org",
        COP_MAIL_FROM="nobody",
    )

    assert sorted(problem.partition(":")[0] for problem in problems) == [
        "COP_BASE_URL",
        "COP_DATABASE_URL",
        "COP_MAIL_FROM",
        "COP_POSTS_PER_HOUR",
        "COP_REDIS_URL",
        "COP_SECRET_KEY",
        "COP_SMTP_URL",
        "COP_TRUSTED_PROXIES",
    ]
    assert all(problem.endswith(".") for problem in problems)


@pytest.mark.parametrize(
    "url",
    [
        *("cop.example.org", "//cop.example.org", "ftp://cop.example.org", "https://", "https://["),
        *("https://cop.example.org/path", "https://cop.example.org?query"),
        *("https://cop.example.org#part", "https://ada:hunter2@cop.example.org"),
        *("https://cop.example.org:99999", "https://cop.example.org:0"),
        "https://[2001:db8::1]",  # Werkzeug cannot compare it with a Host header
    ],
)
def test_a_base_address_is_that_of_a_site_without_a_path(tmp_path, url):
    [problem] = refusal_of(tmp_path, COP_BASE_URL=url)

    assert problem.startswith("COP_BASE_URL: use an address ")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("url", "base", "is_https", "host_names"),
    [
        ("https://cop.example.org", "https://cop.example.org", True, ["cop.example.org"]),
        ("https://COP.Example.org/", "https://cop.example.org", True, ["cop.example.org"]),
        ("http://cop.example.org:8080", "http://cop.example.org:8080", False, ["cop.example.org"]),
        ("", "http://localhost:8000", False, ["localhost", "127.0.0.1", "[::1]"]),
    ],
    ids=["plain", "capitals and a slash", "http and a port", "not set"],
)
def test_the_base_address_says_under_which_name_the_site_answers(
    tmp_path, url, base, is_https, host_names
):
    settings = settings_from(tmp_path, COP_BASE_URL=url)

    assert settings.base == base
    assert settings.is_https is is_https
    assert settings.host_names == host_names


@pytest.mark.parametrize(
    ("url", "used", "is_sqlite"),
    [
        ("postgres://u:p@host/cop", "postgresql+psycopg://u:p@host/cop", False),
        ("postgresql://host/cop?sslmode=require", "postgresql+psycopg://host/cop?sslmode=require", False),
        ("postgresql+psycopg://host/cop", "postgresql+psycopg://host/cop", False),
        ("sqlite:////srv/cop.sqlite3", "sqlite:////srv/cop.sqlite3", True),
    ],
    ids=["postgres", "postgresql", "with its driver", "sqlite"],
)  # fmt: skip
def test_a_database_address_gets_the_driver_that_is_installed(tmp_path, url, used, is_sqlite):
    settings = settings_from(tmp_path, COP_DATABASE_URL=url)

    assert settings.database_url == used
    assert settings.is_sqlite is is_sqlite


@pytest.mark.parametrize("number", ["1.5", "-1", "one", "1 000", "٣", "0x10"])
def test_a_number_is_a_whole_one_that_is_not_negative(tmp_path, number):
    [problem] = refusal_of(tmp_path, COP_TRUSTED_PROXIES=number)

    assert problem == f"COP_TRUSTED_PROXIES: use a whole number, 0 or more, not {number!r}."


def test_numbers_that_are_set_are_used(tmp_path):
    settings = settings_from(tmp_path, COP_TRUSTED_PROXIES="2", COP_POSTS_PER_HOUR=" 0 ")

    assert (settings.trusted_proxies, settings.posts_per_hour) == (2, 0)


WRITE_SERVER = "write smtps://user:password@host:465 or smtp://"
BOTH = "write both a user and a password, or neither."


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://mail.example.org", SmtpServer("mail.example.org", 465, Security.TLS)),
        ("smtp://Mail.Example.ORG/", SmtpServer("mail.example.org", 587, Security.STARTTLS)),
        ("smtps://cop:hunter2@mail.example.org:4650",
         SmtpServer("mail.example.org", 4650, Security.TLS, "cop", "hunter2")),
        ("smtp://cop%40example.org:%40%3A%2F%23%3F%25%20%2B+@mail.example.org:2525",
         SmtpServer("mail.example.org", 2525, Security.STARTTLS, "cop@example.org", "@:/#?% ++")),
        ("smtp://relay.internal?tls=no", SmtpServer("relay.internal", 25, Security.NONE)),
        ("smtp://relay_1:26?tls=no", SmtpServer("relay_1", 26, Security.NONE)),
        ("smtp://localhost", SmtpServer("localhost", 25, Security.IF_OFFERED)),
        ("smtp://127.0.0.1:1025", SmtpServer("127.0.0.1", 1025, Security.IF_OFFERED)),
        ("smtp://[::1]:1025", SmtpServer("::1", 1025, Security.IF_OFFERED)),
        ("smtp://[2001:db8::1]", SmtpServer("2001:db8::1", 587, Security.STARTTLS)),
        ("smtp://cop:hunter2@localhost?tls=no",
         SmtpServer("localhost", 25, Security.NONE, "cop", "hunter2")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_the_address_of_a_mail_server_says_how_the_connection_is_encrypted(tmp_path, url, server):
    assert settings_from(tmp_path, COP_SMTP_URL=url).smtp == server


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mail.example.org", WRITE_SERVER),
        ("https://mail.example.org", WRITE_SERVER),
        ("smtp://", WRITE_SERVER),
        ("smtp://mail..example.org", WRITE_SERVER),
        ("smtp://mail example.org", WRITE_SERVER),
        ("smtp://mail.example.org:0", WRITE_SERVER),
        ("smtp://mail.example.org:99999", WRITE_SERVER),
        ("smtp://mail.example.org/path", WRITE_SERVER),
        ("smtp://cop:hun#hunter2@mail.example.org", "%23 for #"),
        ("smtp://cop:hun/hunter2@mail.example.org", "%2F for /"),
        ("smtp://cop:1?hunter2@mail.example.org", "write %3F for ?"),
        ("smtp://mail.example.org?tls=hunter2", "after the ? only tls=no can stand"),
        ("smtps://mail.example.org?tls=no", "smtps:// is always encrypted"),
        ("smtp://hunter2@mail.example.org", BOTH),
        ("smtp://:hunter2@mail.example.org", BOTH),
        ("smtp://cop:hunter2%C3%BC@mail.example.org", "only printable ASCII characters."),
        ("smtp://cop:hunter2%0D%0A@mail.example.org", "only printable ASCII characters."),
        ("smtp://cop:hunter2@mail.example.org?tls=no", "everybody on the way could read"),
    ],
)
def test_a_mail_server_that_cannot_be_used_is_refused_without_its_password(tmp_path, url, says):
    [problem] = refusal_of(tmp_path, COP_SMTP_URL=url)

    assert problem.startswith("COP_SMTP_URL: ")
    assert says in problem
    assert problem.endswith(".")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("written", "sender"),
    [
        ("cop@example.org", "cop@example.org"),
        ("Equity in Data <cop@example.org>", "Equity in Data <cop@example.org>"),
        ('"CTData, Equity" <cop@ctdata.org>', '"CTData, Equity" <cop@ctdata.org>'),
        ("<cop@bücher.example>", "cop@xn--bcher-kva.example"),
        ("root@localhost", "root@localhost"),
        ("cop@site.test", "cop@site.test"),
        ("cop@mail.local", "cop@mail.local"),
        ("cop@web", "cop@web"),
    ],
    ids=lambda value: value,
)  # fmt: skip
def test_mail_comes_from_the_address_that_is_set(tmp_path, written, sender):
    assert str(settings_from(tmp_path, COP_MAIL_FROM=written).sender) == sender


@pytest.mark.parametrize(
    ("base", "sender"),
    [
        ("https://cop.example.org:8443", "no-reply@cop.example.org"),
        ("https://bücher.example", "no-reply@xn--bcher-kva.example"),
        ("http://192.168.1.5:8000", "no-reply@192.168.1.5"),
        ("http://web_1", "no-reply@localhost"),
    ],
)
def test_mail_comes_from_nobody_at_the_site_when_no_address_is_set(tmp_path, base, sender):
    assert str(settings_from(tmp_path, COP_BASE_URL=base).sender) == sender
    assert str(replace(settings_from(tmp_path), local_base=base).sender) == sender


WRITE_ADDRESS = "write an address like no-reply@example.org."


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("nobody", WRITE_ADDRESS),
        ("@example.org", WRITE_ADDRESS),
        ("a@example.org, b@example.org", WRITE_ADDRESS),
        ("a@example.org\nBcc: b@example.org", WRITE_ADDRESS),
        ("Ada <>", WRITE_ADDRESS),
        ("Ada <ada@example.org", "close the address with >"),
        ("ünal@example.org", "before the @ only ASCII letters work with every mail server."),
    ],
)
def test_an_address_that_mail_cannot_come_from_is_refused(tmp_path, written, says):
    [problem] = refusal_of(tmp_path, COP_MAIL_FROM=written)

    assert problem.startswith("COP_MAIL_FROM: ")
    assert says in problem


def test_the_secret_is_made_once_for_each_site_and_nobody_else_can_read_it(tmp_path):
    first, second = settings_from(tmp_path), settings_from(tmp_path)
    other = settings_from(tmp_path / "elsewhere")

    file = key_file(tmp_path)
    assert first.secret_key == second.secret_key == file.read_text() != other.secret_key
    assert len(first.secret_key) >= 43
    assert (mode_of(file), mode_of(file.parent)) == (0o600, 0o700)
    assert [file.name for file in file.parent.iterdir()] == ["secret-key"]


def test_the_secret_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    calls = []

    def synced(descriptor):
        calls.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real_sync(descriptor)

    def linked(draft, file):
        calls.append("link")
        real_link(draft, file)

    real_sync, real_link = os.fsync, os.link
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "link", linked)

    settings = settings_from(tmp_path)

    assert settings.secret_key == key_file(tmp_path).read_text()
    assert calls[0] == str(tmp_path)
    assert calls[1].startswith(str(tmp_path / "instance" / "secret-key."))
    assert calls[2:] == ["link", str(tmp_path / "instance")]


@pytest.mark.parametrize("is_there", [True, False])
def test_the_secret_is_made_under_a_folder_that_may_not_be_read(tmp_path, monkeypatch, is_there):
    def opened(path, *args, **options):
        if path == tmp_path:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real_open(path, *args, **options)

    real_open = os.open
    if is_there:
        (tmp_path / "instance").mkdir()
    monkeypatch.setattr(os, "open", opened)

    settings = settings_from(tmp_path)

    assert settings.secret_key == key_file(tmp_path).read_text()


@pytest.mark.parametrize("is_supported", [True, False])
def test_on_macos_the_drive_s_cache_is_synced_too(tmp_path, monkeypatch, is_supported):
    calls = []

    def controlled(_, command):
        calls.append(command)
        if not is_supported:
            raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", controlled)
    monkeypatch.setattr(os, "fsync", lambda _: calls.append("fsync"))

    private_files.write_file(tmp_path / "file", b"content")
    private_files.sync_folder(tmp_path)

    assert calls == ([51, 51] if is_supported else [51, "fsync"] * 2)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (" \n", "is empty, perhaps after a crash"),
        ("k" * 31, "has only 31 of at least 32 characters, perhaps after a crash"),
    ],
    ids=["blank", "cut off"],
)
@pytest.mark.parametrize("create", [True, False])
def test_a_secret_that_was_cut_off_is_refused_and_left_as_it_is(tmp_path, content, says, create):
    settings_from(tmp_path)
    file = key_file(tmp_path)
    file.write_text(content)

    [problem] = refusal_of(tmp_path, create=create)

    assert problem.startswith(f"The secret key {file} {says}")
    assert "or delete the file." in problem
    assert "then `cop key accept`" in problem
    assert file.read_text() == content


def test_a_secret_that_others_can_read_is_made_private(tmp_path):
    before = settings_from(tmp_path).secret_key
    file = key_file(tmp_path)
    file.chmod(0o644)

    after = found_settings(tmp_path).secret_key

    assert (before, mode_of(file)) == (after, 0o600)


@pytest.mark.parametrize("create", [True, False])
def test_a_secret_that_everybody_can_read_and_that_is_another_users_is_refused(
    tmp_path, monkeypatch, create
):
    before = settings_from(tmp_path).secret_key
    file = key_file(tmp_path)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    file.chmod(0o640)
    by_group = found_settings(tmp_path, create=create).secret_key
    file.chmod(0o604)

    [problem] = refusal_of(tmp_path, create=create)

    assert problem.startswith(f"Every user of this machine can read the secret key {file}. Run")
    assert f"`chmod 600 {file}`" in problem
    assert "`chown`" in problem
    assert by_group == before


@pytest.mark.parametrize(
    ("mode", "warns"), [(0o444, True), (0o640, False), (0o600, False)], ids=["0444", "0640", "0600"]
)
def test_a_given_secret_file_that_everybody_can_read_is_warned_about(
    tmp_path, caplog, monkeypatch, mode, warns
):
    monkeypatch.setattr(logging.getLogger("cop"), "propagate", True)
    file = tmp_path / "secret"
    file.write_text(SECRET)
    file.chmod(mode)

    settings = settings_from(tmp_path, COP_SECRET_KEY_FILE=str(file))

    assert (settings.secret_key, mode_of(file)) == (SECRET, mode)
    assert any(f"can read the secret key {file}" in line for line in caplog.messages) is warns


def test_without_a_site_nothing_is_made_and_the_folder_is_named(tmp_path):
    [problem] = refusal_of(tmp_path, create=False)

    folder = tmp_path / "instance"
    assert problem == f"No site in {folder}. Run `cop serve` to create it, or set COP_INSTANCE."
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_made_where_another_value_is_refused(tmp_path):
    [problem] = refusal_of(tmp_path, COP_BASE_URL="cop.example.org")

    assert problem.startswith("COP_BASE_URL")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["", "postgresql://host/cop"], ids=["sqlite", "postgresql"])
def test_a_missing_secret_is_reported_where_there_is_a_database(tmp_path, url):
    settings_from(tmp_path)
    file = key_file(tmp_path)
    file.unlink()
    if not url:
        (tmp_path / "instance" / "cop.sqlite3").write_text("a database")

    with pytest.raises(InvalidSettings, match=f"there is no file {file}. Put it back"):
        found_settings(tmp_path, COP_DATABASE_URL=url)

    assert not file.exists()


def test_a_fingerprint_tells_keys_apart_and_stays_the_same():
    prints = [secret_key.fingerprint(key) for key in (SECRET, SECRET + "x", "k" * 40)]

    assert prints[0] == "716400acf61112dd"
    assert {len(each) for each in prints} == {16}
    assert len(set(prints)) == 3


def test_starts_that_race_agree_on_one_secret(tmp_path):
    with ThreadPoolExecutor(20) as pool:
        secrets = list(pool.map(lambda _: settings_from(tmp_path).secret_key, range(20)))

    assert len(set(secrets)) == 1
    assert [file.name for file in (tmp_path / "instance").iterdir()] == ["secret-key"]


def test_a_secret_that_is_given_is_used_and_not_written_down(tmp_path):
    settings = settings_from(tmp_path, COP_SECRET_KEY=SECRET)

    assert settings.secret_key == SECRET
    assert not key_file(tmp_path).exists()


def test_a_secret_can_come_from_a_file_and_the_variable_wins(tmp_path):
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")

    from_file = settings_from(tmp_path, COP_SECRET_KEY_FILE=str(file))
    from_both = settings_from(tmp_path, COP_SECRET_KEY_FILE=str(file), COP_SECRET_KEY="v" * 32)

    assert from_file.secret_key == SECRET
    assert from_both.secret_key == "v" * 32


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot read"),
        (b"", "is empty: use at least 32"),
        (b"short", "has only 5 of at least 32"),
        (b"\xff" * 40, "cannot read"),
    ],
    ids=["not there", "empty", "too short", "not text"],
)
def test_a_secret_file_that_cannot_be_used_is_refused(tmp_path, content, says):
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)

    [problem] = refusal_of(tmp_path, COP_SECRET_KEY_FILE=str(file))

    assert problem.startswith("COP_SECRET_KEY_FILE: ")
    assert says in problem


def test_an_instance_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "instance").write_text("a file")

    [problem] = refusal_of(tmp_path)

    assert problem.startswith("COP_INSTANCE: cannot use the secret key")


def test_settings_that_are_printed_show_no_secret(tmp_path):
    settings = settings_from(
        tmp_path,
        COP_SECRET_KEY=SECRET,
        COP_DATABASE_URL="postgresql://cop:hunter2@host/cop",
        COP_REDIS_URL="redis://:hunter3@host/0",
        COP_SMTP_URL="smtps://cop:hunter4@mail.example.org",
    )

    printed = f"{settings!r} {settings}"

    assert not [secret for secret in (SECRET, "hunter2", "hunter3", "hunter4") if secret in printed]
