"""Log a line of JSON per request, without personal data and typed text."""

import ipaddress
import json
import logging
import os
import random
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Flask, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("cop.web")
REQUEST_ID, ROUTE = "cop.request_id", "cop.route"  # WSGI environ keys
STANDARD_ERROR = 2
_STANDARD_ATTRIBUTES = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "log": record.name,
            "message": record.getMessage(),
        }
        line |= {
            name: value for name, value in vars(record).items() if name not in _STANDARD_ATTRIBUTES
        }
        if record.exc_info and record.exc_info[0]:
            # The message of the exception is left out, since it may quote what somebody typed.
            line["error"] = record.exc_info[0].__qualname__
            line["traceback"] = traceback.format_tb(record.exc_info[2])
        return json.dumps(line, default=str)


class JsonLineHandler(logging.Handler):
    """Write each record to standard error as one line, by one write, without a lock.

    Waiting for the lock of the standard handler was a third of the time that a cached page takes.
    Lines do not get mixed without it: the system keeps a write to a file in one piece, and a write
    to a pipe if it has less than 4,096 bytes, as all lines about requests have.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit a record without the lock."""
        is_wanted = bool(self.filter(record))
        if is_wanted:
            self.emit(record)
        return is_wanted

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # if nobody reads the log anymore, requests must not fail for it
            os.write(STANDARD_ERROR, f"{self.format(record)}\n".encode())


def install(app: Flask) -> None:
    """Set up logging, and log every request."""
    logger = logging.getLogger("cop")
    if not logger.handlers:  # another app of this process may have set it up
        handler = JsonLineHandler()
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    app.before_request(_name_route)
    app.wsgi_app = RequestLog(app.wsgi_app)  # type: ignore[method-assign]


def _name_route() -> None:
    request.environ[ROUTE] = request.endpoint


class RequestLog:
    """WSGI middleware that logs each request as its response begins."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        started_at = time.perf_counter()
        environ[REQUEST_ID] = f"{random.getrandbits(64):016x}"  # a secure generator is not needed

        def log_and_start(status: str, *response: Any) -> "Callable[[bytes], object]":
            if environ.get(ROUTE) != "static":
                _log_request(environ, int(status[:3]), time.perf_counter() - started_at)
            return start_response(status, *response)

        return self._app(environ, log_and_start)


def _log_request(environ: "WSGIEnvironment", status: int, seconds: float) -> None:
    values = {
        "request_id": environ[REQUEST_ID],
        "route": environ.get(ROUTE),
        "method": environ["REQUEST_METHOD"],
        "status": status,
        "ms": round(seconds * 1000, 1),
        "from": _truncated(environ.get("REMOTE_ADDR")),
    }
    log.info("request", extra=values)


@lru_cache(1000)
def _truncated(address: str | None) -> str:
    """Return the /24 or /48 network of an IP address, to identify nobody."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))
