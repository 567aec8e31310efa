"""The secret key of a backup: written beside it on request, and restored with it."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from pathlib import Path

from cop import secret_key
from cop.config import Settings, own_key_file
from cop.db.engine import sqlite_file, sqlite_module
from cop.operations.backups import BackupRefused
from cop.private_files import has_content


def key_beside(copy: Path) -> Path:
    """The path of a copy's key file: the copy's own name, but ending in `.key`."""
    return copy.with_suffix(".key")


def settings_for(
    copy: Path, *, accept_key: bool, environ: Mapping[str, str] = os.environ
) -> Settings:
    """Return the settings to restore a copy with; write nothing.

    Their key is the one beside the copy, if the instance has no key or has signed no link with it.

    Raises:
        BackupRefused: the copy needs another key, and `accept_key` is not set.
        InvalidSettings: a value cannot be used.
    """
    fingerprint = _fingerprint_in(copy)
    copy_key = _read_beside(copy, fingerprint)
    own_file = own_key_file(environ)
    if own_file and not own_file.exists():
        if not (copy_key or accept_key):
            raise BackupRefused(_no_key(own_file, copy))
        values = {**environ, "COP_SECRET_KEY": copy_key or secret_key.generate()}
        return replace(Settings.from_environment(values), key_file=own_file)
    settings = Settings.from_environment(environ)
    if fingerprint in {None, secret_key.fingerprint(settings.secret_key)}:
        return settings
    if copy_key and own_file and not _may_have_sent_links(sqlite_file(settings.database_url)):
        return replace(settings, secret_key=copy_key)
    if not accept_key:
        raise BackupRefused(_other_key(settings, copy if copy_key else None))
    return settings


def makes_new_key(copy: Path, settings: Settings) -> bool:
    """Whether `settings_for` has made a new key; call it before the key is written."""
    file = settings.key_file
    return file is not None and not file.exists() and not key_beside(copy).is_file()


def write_key(settings: Settings) -> AbstractContextManager[None]:
    """Write the key of a copy to disk before the database is replaced.

    If there is no key file yet, it is written at once and stays if restoring fails, since a new key
    exists nowhere else. An existing key is replaced only when restoring has succeeded.
    """
    file, key = settings.key_file, settings.secret_key
    if file and file.exists():
        return secret_key.replace(file, key)
    if file:
        secret_key.install(file, key)
    return nullcontext()


def _read_beside(copy: Path, fingerprint: str | None) -> str | None:
    """Return the key beside a copy, if there is one.

    Raises:
        BackupRefused: it is the key of another copy.
    """
    file = key_beside(copy)
    if not file.is_file():
        return None
    key = file.read_text(errors="replace").strip()
    if fingerprint not in {None, secret_key.fingerprint(key)} or len(key) < secret_key.MIN_LENGTH:
        raise BackupRefused(
            f"{file} is not the secret key of this backup. Put the right key there, or remove the "
            "file."
        )
    return key


def _fingerprint_in(copy: Path) -> str | None:
    with closing(sqlite_module.connect(copy)) as connection:
        try:
            row = connection.execute("SELECT key_fingerprint FROM community").fetchone()
        except sqlite_module.OperationalError:  # made by an earlier release
            return None
    return row[0] if row else None


def _may_have_sent_links(live: Path | None) -> bool:
    """Whether a site may have sent links: not if its database has no people yet."""
    if live is None or not has_content(live):
        return live is None
    query = "SELECT EXISTS (SELECT 1 FROM member) OR EXISTS (SELECT 1 FROM coordinator)"
    with closing(sqlite_module.connect(live)) as connection:
        try:
            return bool(connection.execute(query).fetchone()[0])
        except sqlite_module.Error:
            return True


def _no_key(own: Path, copy: Path) -> str:
    return (
        f"Nothing was restored: there is no secret key at {own} and none beside the backup. Put "
        f"the key of the old host there or at {key_beside(copy)}. Or add --accept-key to use a new "
        "key; links in emails already sent then stop working."
    )


def _other_key(settings: Settings, with_key: Path | None) -> str:
    old = f"{key_beside(with_key)}" if with_key else "the old key"
    return (
        f"Nothing was restored: the backup needs another secret key than the one in "
        f"{settings.key_source}. Put {old} there. Or add --accept-key to keep the current key; "
        "links in emails already sent then stop working."
    )
