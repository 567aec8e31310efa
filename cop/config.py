"""The settings of an installation: read once, frozen, and every bad value named at once."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from cop.mail import address

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class SettingsRefused(Exception):  # noqa: N818 - it is a refusal, and reads as one
    """Some settings cannot be used; `problems` has one sentence for each of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """What a system administrator decides; what a coordinator decides lives in the database."""

    instance: Path
    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    base_url: str | None = None
    trusted_proxies: int = 0
    posts_per_hour: int = 60
    redis_url: str | None = field(default=None, repr=False)
    smtp: address.SmtpServer | None = None  # none: mails become files
    mail_from: Address | None = None
    local_base: str = "http://localhost:8000"  # follows --host and --port

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the `COP_...` variables; make the instance folder and its secret where missing.

        Raises:
            SettingsRefused: a value cannot be used; all such values are named at once.
        """
        reader = _Reader(environ)
        instance = Path(environ.get("COP_INSTANCE") or "instance").absolute()
        found = {
            "database_url": reader.database_url(instance),
            "base_url": reader.base_url(),
            "trusted_proxies": reader.whole_number("COP_TRUSTED_PROXIES", 0),
            "posts_per_hour": reader.whole_number("COP_POSTS_PER_HOUR", 60),
            "redis_url": reader.redis_url(),
            "smtp": reader.smtp(),
            "mail_from": reader.mail_from(),
            "secret_key": reader.secret_key(instance),
        }
        if reader.problems:
            raise SettingsRefused(reader.problems)
        return cls(instance=instance, **found)  # type: ignore[arg-type]

    @property
    def base(self) -> str:
        """The address before every path, wherever there is no request to tell it."""
        return self.base_url or self.local_base

    @property
    def sender(self) -> Address:
        """Whom mail comes from."""
        return self.mail_from or address.no_reply(urlsplit(self.base).hostname or "")

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def is_https(self) -> bool:
        return (self.base_url or "").startswith("https://")

    @property
    def host_names(self) -> list[str]:
        """The names under which this site answers; without a base address only this machine's."""
        if self.base_url is None:
            return list(LOOPBACK_NAMES)
        return [urlsplit(self.base_url).hostname or ""]


@dataclass
class _Reader:
    environ: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def _refuse(self, name: str, why: str) -> None:
        self.problems.append(f"{name}: {why}")

    def whole_number(self, name: str, default: int) -> int:
        value = self.environ.get(name, "").strip()
        if not value:
            return default
        if not (value.isascii() and value.isdigit()):
            self._refuse(name, f"write a whole number, 0 or more, not {value!r}.")
            return default
        return int(value)

    def base_url(self) -> str | None:
        value = self.environ.get("COP_BASE_URL", "").strip().rstrip("/")
        if not value:
            return None
        try:
            parts = urlsplit(value)
            name = parts.hostname or ""
            usable = parts.scheme in {"http", "https"} and name and ":" not in name
            usable = usable and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.path or parts.query or parts.fragment or parts.username:
            self._refuse(
                "COP_BASE_URL",
                f"write the address without a path, like https://cop.example.org, "
                f"not {value.rpartition('@')[2]!r}.",  # before an @ there may be a password
            )
        # Browsers leave the usual port out of Origin.
        usual = {"https": ":443", "http": ":80"}.get(value.partition(":")[0].lower(), "")
        return value.lower().removesuffix(usual)

    def database_url(self, instance: Path) -> str:
        value = self.environ.get("COP_DATABASE_URL", "").strip()
        scheme, _, rest = value.partition("://")
        if not value:
            return f"sqlite:///{instance / 'cop.sqlite3'}"
        if scheme in {"postgres", "postgresql", "postgresql+psycopg"} and _is_address(value):
            self._need("COP_DATABASE_URL", "psycopg", extra="postgres")
            return f"postgresql+psycopg://{rest}"
        if scheme == "sqlite":
            return value
        self._refuse(
            "COP_DATABASE_URL",
            "write postgresql://user:password@host/name, or leave it out for SQLite.",
        )
        return ""

    def redis_url(self) -> str | None:
        value = self.environ.get("COP_REDIS_URL", "").strip()
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            self._refuse("COP_REDIS_URL", "write redis://host:6379/0, or leave it out.")
        if value:
            self._need("COP_REDIS_URL", "redis", extra="redis")
        return value or None

    def smtp(self) -> address.SmtpServer | None:
        value = self.environ.get("COP_SMTP_URL", "").strip()
        try:
            return address.smtp_server(value) if value else None
        except address.AddressUnusable as refusal:
            self._refuse("COP_SMTP_URL", str(refusal))
            return None

    def mail_from(self) -> Address | None:
        value = self.environ.get("COP_MAIL_FROM", "").strip()
        try:
            return address.sender(value) if value else None
        except address.AddressUnusable as refusal:
            self._refuse("COP_MAIL_FROM", str(refusal))
            return None

    def secret_key(self, instance: Path) -> str:
        if value := self.environ.get("COP_SECRET_KEY", "").strip():
            return self._long_enough("COP_SECRET_KEY", value)
        if path := self.environ.get("COP_SECRET_KEY_FILE", "").strip():
            try:
                return self._long_enough("COP_SECRET_KEY_FILE", Path(path).read_text().strip())
            except (OSError, UnicodeDecodeError) as error:
                self._refuse("COP_SECRET_KEY_FILE", f"cannot read {path}: {error}.")
                return ""
        try:
            return _kept_secret(instance)
        except OSError as error:
            self._refuse("COP_INSTANCE", f"cannot keep the secret key in {instance}: {error}.")
            return ""

    def _need(self, name: str, module: str, *, extra: str) -> None:
        if find_spec(module) is None:
            self._refuse(name, f"install the extra first: pip install '.[{extra}]'.")

    def _long_enough(self, name: str, value: str) -> str:
        if len(value) < 32:
            self._refuse(name, "write at least 32 characters that nobody can guess.")
        return value


def _is_address(database_url: str) -> bool:
    try:
        make_url(database_url)
    except (ArgumentError, ValueError):
        return False
    return True


def _kept_secret(instance: Path) -> str:
    """The secret in the instance folder, made once with mode 0600, also when two starts race."""
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = instance / "secret-key"
    if not kept.exists():
        draft = instance / f"secret-key.{secrets.token_hex(8)}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, kept)  # atomic, and refuses to replace what another start has made
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return kept.read_text().strip()
