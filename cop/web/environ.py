"""What a request says of where it comes from and goes to, in one form for all that follow.

Clients can write the same host or address in many ways. Whoever counts or caches by them, or
compares them, would be fooled by each new spelling.
"""

import logging
import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cop.config import LOOPBACK_NAMES, Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("cop.web")

UNKNOWN = "unknown"  # one address for all that are none, so that nobody can make up new ones
HEALTH_PATHS = {
    "/healthz",
    "/readyz",
}  # asked by monitors that know the site by a number, or no name
IS_CACHEABLE = "cop.is_cacheable"  # in the environment: the host is one of few spellings
_HOST = re.compile(r"(\[[0-9a-f:.]*\]|[^:\[\]]+?)\.?(?::(\d+))?")
_MAX_ADDRESS_LENGTH = 64
_POSSIBLE_LENGTHS = range(1, 270)  # of a name and a port (RFC 1035); longer ones are not looked at
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Normalizer:
    """WSGI middleware in front of everything that reads the host or the client's address.

    Werkzeug's ProxyFix, before it, takes an item of `X-Forwarded-For` as it is.
    """

    def __init__(self, app: "WSGIApplication", settings: Settings) -> None:
        self._app = app
        self._is_proxy_expected = settings.trusted_proxies > 0
        base = urlsplit(settings.base_url or "")
        self._name, self._host = (base.hostname or "").removesuffix("."), base.netloc
        self._any_host = settings.host_names[0]
        self._normal_host = lru_cache(200)(self._normalize_host)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["wsgi.url_scheme"] not in _DEFAULT_PORTS:
            environ["wsgi.url_scheme"] = "http"
        environ["REMOTE_ADDR"] = client_address(environ.get("REMOTE_ADDR") or "")
        if environ["PATH_INFO"] in HEALTH_PATHS:
            environ["HTTP_HOST"] = self._any_host
        elif len(host := environ.get("HTTP_HOST", "")) in _POSSIBLE_LENGTHS:
            environ["HTTP_HOST"], environ[IS_CACHEABLE] = self._normal_host(
                host, environ["wsgi.url_scheme"], environ.get("SERVER_PORT", "")
            )
        if "HTTP_X_FORWARDED_FOR" in environ and not self._is_proxy_expected:
            self._warn_once()
        return self._app(environ, start_response)

    def _normalize_host(self, host: str, scheme: str, server_port: str) -> tuple[str, bool]:
        """The host in one spelling if it is ours, and whether pages may be cached for it."""
        name, port = split_host(host)
        if self._name and name == self._name:  # the port means nothing then, nor do capitals
            return self._host, True
        if not self._name and name in LOOPBACK_NAMES:
            # Links follow the port in use, which is another one only where ports are mapped.
            is_usual = (port or _DEFAULT_PORTS[scheme]) == server_port
            return (f"{name}:{port}" if port else name), is_usual
        return host, False

    def _warn_once(self) -> None:
        self._is_proxy_expected = True
        log.warning("X-Forwarded-For is ignored, since COP_TRUSTED_PROXIES is 0")


def split_host(host: str) -> tuple[str, str]:
    """The name in lower case and without a final dot, and the port, of a `Host`; or nothing.

    Werkzeug's list of trusted names cannot hold an IPv6 address; localhost is the same place.
    """
    found = _HOST.fullmatch(host.lower())
    if not found:
        return "", ""
    name, port = found.groups(default="")
    return "localhost" if name == "[::1]" else name, port


def client_address(given: str) -> str:
    """The address in what a proxy or the server says: without port, brackets or zone.

    A proxy may write `203.0.113.9:4711`, `[2001:db8::1]:4711`, `unknown` or what a client wrote.
    """
    return _client_address(given) if len(given) <= _MAX_ADDRESS_LENGTH else UNKNOWN


@lru_cache(1000)
def _client_address(given: str) -> str:
    text = given.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return UNKNOWN
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
