"""Normalize the host and the client's address of a request.

Clients can write the same host or address in many ways. Without one spelling for each, they could
evade rate limits, fill the cache and fail comparisons.
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

UNKNOWN = "unknown"  # for all invalid addresses, so that inventing new ones evades no limit
HEALTH_PATHS = {"/healthz", "/readyz"}  # allowed for any host, since monitors use IP addresses
IS_CACHEABLE = "cop.is_cacheable"  # WSGI environ key: whether the host is the site's own
_HOST = re.compile(r"(\[[0-9a-f:.]*\]|[^:\[\]]+?)\.?(?::(\d+))?")
_MAX_ADDRESS_LENGTH = 64
_POSSIBLE_LENGTHS = range(1, 270)  # of a host name and a port (RFC 1035)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Normalizer:
    """WSGI middleware before all that reads the host or the client's address.

    Only Werkzeug's ProxyFix runs earlier: it copies the address from `X-Forwarded-For` unchecked.
    """

    def __init__(self, app: "WSGIApplication", settings: Settings) -> None:
        self._app = app
        self._warns_of_proxies = settings.trusted_proxies == 0
        base = urlsplit(settings.base_url or "")
        self._name, self._host = (base.hostname or "").removesuffix("."), base.netloc
        self._trusted_host = settings.host_names[0]
        self._normal_host = lru_cache(200)(self._normalize_host)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["wsgi.url_scheme"] not in _DEFAULT_PORTS:
            environ["wsgi.url_scheme"] = "http"
        environ["REMOTE_ADDR"] = client_address(environ.get("REMOTE_ADDR") or "")
        if environ["PATH_INFO"] in HEALTH_PATHS:
            environ["HTTP_HOST"] = self._trusted_host
        elif len(host := environ.get("HTTP_HOST", "")) in _POSSIBLE_LENGTHS:
            environ["HTTP_HOST"], environ[IS_CACHEABLE] = self._normal_host(
                host, environ["wsgi.url_scheme"], environ.get("SERVER_PORT", "")
            )
        if "HTTP_X_FORWARDED_FOR" in environ and self._warns_of_proxies:
            self._warn_once()
        return self._app(environ, start_response)

    def _normalize_host(self, host: str, scheme: str, server_port: str) -> tuple[str, bool]:
        """Return the host in its normal spelling, and whether pages may be cached for it."""
        name, port = split_host(host)
        if self._name and name == self._name:  # the port does not matter
            return self._host, True
        if not self._name and name in LOOPBACK_NAMES:
            # Links need the client's port, which differs from the server's if ports are mapped.
            # Pages are cached for the server's port only, so that clients cannot fill the cache.
            is_server_port = (port or _DEFAULT_PORTS[scheme]) == server_port
            return (f"{name}:{port}" if port else name), is_server_port
        return host, False

    def _warn_once(self) -> None:
        self._warns_of_proxies = False
        log.warning("X-Forwarded-For is ignored, since COP_TRUSTED_PROXIES is 0")


def split_host(host: str) -> tuple[str, str]:
    """Split a `Host` header into name and port; both are empty if it is invalid.

    The name is in lower case and without a final dot. The IPv6 loopback address becomes localhost,
    since Werkzeug's TRUSTED_HOSTS does not support IPv6 addresses.
    """
    match = _HOST.fullmatch(host.lower())
    if not match:
        return "", ""
    name, port = match.groups(default="")
    return "localhost" if name == "[::1]" else name, port


def client_address(text: str) -> str:
    """Parse the client's address, dropping its port, brackets and zone.

    A proxy may write `203.0.113.9:4711`, `[2001:db8::1]:4711`, `unknown`, or any text of a client.
    """
    return _client_address(text) if len(text) <= _MAX_ADDRESS_LENGTH else UNKNOWN


@lru_cache(1000)
def _client_address(text: str) -> str:
    text = text.strip().strip('"')
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
