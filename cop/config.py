"""The settings of an installation, read from the environment."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from cop import private_files, secret_key, smtp_url

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_LOST_KEY = (
    "If it is lost for good, run `cop serve` to create a new one, then `cop key accept`. Links in "
    "emails already sent stop working."
)
_TOO_SHORT = "use at least 32 characters that no one can guess."

Parsed = TypeVar("Parsed")

log = logging.getLogger("cop.config")


class InvalidSettings(Exception):  # noqa: N818 - a refusal, not a bug
    """Some settings cannot be used; `problems` has one sentence for each of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """The settings of the administrator; coordinators' are in the database."""

    instance: Path
    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    base_url: str | None = None
    trusted_proxies: int = 0
    posts_per_hour: int = 60  # accepted POST requests from one network; 0: no limit
    redis_url: str | None = field(default=None, repr=False)
    smtp: smtp_url.SmtpServer | None = None  # None: emails are written to files
    mail_from: Address | None = None
    local_base: str = "http://localhost:8000"  # follows --host and --port
    key_file: Path | None = None  # in the instance folder; None: the environment gives the key

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] = os.environ, *, create: bool = False
    ) -> "Settings":
        """Read the `COP_...` variables; with `create`, make the folder and the key.

        Raises:
            InvalidSettings: some values cannot be used; it names all of them.
        """
        reader = _Reader(environ)
        instance = instance_folder(environ)
        database_url = reader.database_url(instance)
        settings = cls(
            instance=instance,
            database_url=database_url,
            base_url=reader.base_url(),
            trusted_proxies=reader.whole_number("COP_TRUSTED_PROXIES", 0),
            posts_per_hour=reader.whole_number("COP_POSTS_PER_HOUR", 60),
            redis_url=reader.redis_url(),
            smtp=reader.parsed("COP_SMTP_URL", smtp_url.parse_server),
            mail_from=reader.parsed("COP_MAIL_FROM", smtp_url.parse_sender),
            key_file=own_key_file(environ),
            # Last, since a key is created only if all other values are valid.
            secret_key=reader.secret_key(instance, database_url, create=create),
        )
        if reader.problems:
            raise InvalidSettings(reader.problems)
        return settings

    @property
    def base(self) -> str:
        """The URL before every path, for links that are made outside of a request."""
        return self.base_url or self.local_base

    @property
    def sender(self) -> Address:
        """The sender of emails."""
        return self.mail_from or smtp_url.default_sender(urlsplit(self.base).hostname or "")

    @property
    def key_source(self) -> str:
        """Where the secret key comes from, in words."""
        return str(self.key_file or "COP_SECRET_KEY or COP_SECRET_KEY_FILE")

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def is_https(self) -> bool:
        return (self.base_url or "").startswith("https://")

    @property
    def host_names(self) -> list[str]:
        """The host names that this site answers to, by default loopback names."""
        if self.base_url is None:
            return list(LOOPBACK_NAMES)
        return [urlsplit(self.base_url).hostname or ""]


def instance_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder that `COP_INSTANCE` names, by default `instance`."""
    return Path(environ.get("COP_INSTANCE") or "instance").absolute()


def own_key_file(environ: Mapping[str, str]) -> Path | None:
    """Return the key file of the instance; None if the environment gives the key."""
    variables = ("COP_SECRET_KEY", "COP_SECRET_KEY_FILE")
    is_in_environment = any(environ.get(name, "").strip() for name in variables)
    return None if is_in_environment else instance_folder(environ) / secret_key.FILE_NAME


@dataclass
class _Reader:
    environ: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def _text(self, name: str) -> str:
        return self.environ.get(name, "").strip()

    def _refuse(self, name: str, why: str) -> None:
        self.problems.append(f"{name}: {why}")

    def whole_number(self, name: str, default: int) -> int:
        value = self._text(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit()):
            self._refuse(name, f"use a whole number, 0 or more, not {value!r}.")
            return default
        return int(value)

    def base_url(self) -> str | None:
        value = self._text("COP_BASE_URL").rstrip("/")
        if not value:
            return None
        try:
            parts = urlsplit(value)
            host = parts.hostname or ""
            # A colon is in IPv6 addresses, which Werkzeug's TRUSTED_HOSTS does not support.
            is_host = bool(host) and ":" not in host
            is_usable = is_host and parts.scheme in {"http", "https"} and parts.port != 0
        except ValueError:
            is_usable = False
        if not is_usable or parts.path or parts.query or parts.fragment or parts.username:
            self._refuse(
                "COP_BASE_URL",
                f"use an address without a path, like https://cop.example.org, "
                f"not {value.rpartition('@')[2]!r}.",  # before an @ there may be a password
            )
        # Browsers leave the default port out of the Origin header, which this is compared with.
        default_port = {"https": ":443", "http": ":80"}.get(value.partition(":")[0].lower(), "")
        return value.lower().removesuffix(default_port)

    def database_url(self, instance: Path) -> str:
        value = self._text("COP_DATABASE_URL")
        scheme, _, rest = value.partition("://")
        if not value:
            return f"sqlite:///{instance / 'cop.sqlite3'}"
        if scheme in {"postgres", "postgresql", "postgresql+psycopg"} and _is_database_url(value):
            self._require_module("COP_DATABASE_URL", "psycopg", extra="postgres")
            return f"postgresql+psycopg://{rest}"
        if scheme == "sqlite":
            return value
        self._refuse(
            "COP_DATABASE_URL",
            "use postgresql://user:password@host/name, or leave it out for SQLite.",
        )
        return ""

    def redis_url(self) -> str | None:
        value = self._text("COP_REDIS_URL")
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            self._refuse("COP_REDIS_URL", "use redis://host:6379/0, or leave it out.")
        if value:
            self._require_module("COP_REDIS_URL", "redis", extra="redis")
        return value or None

    def parsed(self, name: str, parse: Callable[[str], Parsed]) -> Parsed | None:
        value = self._text(name)
        try:
            return parse(value) if value else None
        except smtp_url.InvalidAddress as refusal:
            self._refuse(name, str(refusal))
            return None

    def secret_key(self, instance: Path, database_url: str, *, create: bool) -> str:
        if value := self._text("COP_SECRET_KEY"):
            if len(value) < secret_key.MIN_LENGTH:
                self._refuse("COP_SECRET_KEY", _TOO_SHORT)
            return value
        if path := self._text("COP_SECRET_KEY_FILE"):
            return self._managed_key(Path(path))
        file = instance / secret_key.FILE_NAME
        try:
            if create and not file.exists():
                if self.problems:
                    return ""  # create nothing while another setting is invalid
                secret_key.create(file)
            return self._own_key(file, has_database=_may_have_data(database_url))
        except (OSError, UnicodeDecodeError) as error:
            self._refuse("COP_INSTANCE", f"cannot use the secret key in {instance}: {error}.")
            return ""

    def _managed_key(self, file: Path) -> str:
        """Read a key file that is managed elsewhere, like a container's secret."""
        try:
            value = file.read_text().strip()
            if secret_key.is_public(file):  # only a warning: container secrets are readable for all
                log.warning("COP_SECRET_KEY_FILE: %s", _public_warning(file))
        except (OSError, UnicodeDecodeError) as error:
            self._refuse("COP_SECRET_KEY_FILE", f"cannot read {file}: {error}.")
            return ""
        if len(value) < secret_key.MIN_LENGTH:
            self._refuse("COP_SECRET_KEY_FILE", f"{file} {_defect(value)}: {_TOO_SHORT}")
        return value

    def _own_key(self, file: Path, *, has_database: bool) -> str:
        if not file.exists():
            problem = (
                f"No site in {file.parent}. Run `cop serve` to create it, or set COP_INSTANCE."
            )
            if has_database:
                problem = (
                    f"The secret key of this site is missing: there is no file {file}. Put it back "
                    "(`cop backup --with-key` saves it beside the backup; another host of this "
                    f"site has the same key). {_LOST_KEY}"
                )
            self.problems.append(problem)
            return ""
        secret_key.make_private(file)
        if secret_key.is_public(file):
            self.problems.append(
                f"{_public_warning(file)} Run `chmod 600 {file}`. If the user that runs the site "
                "does not own the file, run `chown` first."
            )
            return ""
        value = file.read_text().strip()
        if len(value) < secret_key.MIN_LENGTH:
            self.problems.append(
                f"The secret key {file} {_defect(value)}, perhaps after a crash or on a full disk. "
                "Put it back (`cop backup --with-key` saves it beside the backup), or delete the "
                f"file. {_LOST_KEY}"
            )
        return value

    def _require_module(self, name: str, module: str, *, extra: str) -> None:
        if find_spec(module) is None:
            self._refuse(name, f"this needs an extra package. Run pip install '.[{extra}]' first.")


def _is_database_url(database_url: str) -> bool:
    try:
        make_url(database_url)
    except (ArgumentError, ValueError):
        return False
    return True


def _may_have_data(database_url: str) -> bool:
    """Whether the site may have data already, for which a new key would be wrong.

    PostgreSQL is not asked: True.
    """
    scheme, _, file = database_url.partition(":///")
    return scheme != "sqlite" or private_files.has_content(Path(file))


def _public_warning(file: Path) -> str:
    return f"Every user of this machine can read the secret key {file}."


def _defect(value: str) -> str:
    return f"has only {len(value)} of at least 32 characters" if value else "is empty"
