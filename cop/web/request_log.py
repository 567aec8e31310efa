"""One line of JSON a request: what was asked for, how it went; never who, never what was typed."""

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

from flask import Flask, Response, g, request

log = logging.getLogger("cop.web")
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
            # Where it happened, not what the exception says: that may quote what somebody typed.
            line["error"] = record.exc_info[0].__qualname__
            line["traceback"] = traceback.format_tb(record.exc_info[2])
        return json.dumps(line, default=str)


class JsonLineHandler(logging.Handler):
    """Writes each record to standard error at once, as one line by one write.

    The usual handler holds a lock meanwhile, and threads that wait for it were a third of the time
    that a kept page takes. The system keeps lines apart in a file, and in a pipe those of requests:
    all that are shorter than 4,096 bytes.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        """Take a record, without the lock."""
        is_wanted = bool(self.filter(record))
        if is_wanted:
            self.emit(record)
        return is_wanted

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # nobody reads it any more: no line is worth a page
            os.write(STANDARD_ERROR, f"{self.format(record)}\n".encode())


def install(app: Flask) -> None:
    """Log every request, once."""
    ours = logging.getLogger("cop")
    if not ours.handlers:
        handler = JsonLineHandler()
        handler.setFormatter(JsonFormatter())
        ours.addHandler(handler)
        ours.setLevel(logging.INFO)
        ours.propagate = False
    app.before_request(_begin)
    app.after_request(_end)


def new_id() -> str:
    """A name for a request: rare enough to be found by, and no secret."""
    return f"{random.getrandbits(64):016x}"


def _begin() -> None:
    g.began, g.request_id = time.perf_counter(), new_id()


def _end(response: Response) -> Response:
    if "began" in g and request.endpoint != "static":
        note(
            route=request.endpoint, method=request.method, status=response.status_code,
            request_id=g.request_id, began=g.began, remote=request.remote_addr,
        )  # fmt: skip
    return response


def note(
    *, route: str | None, method: str, status: int, request_id: str, began: float,
    remote: str | None,
) -> None:  # fmt: skip
    """Log a request that is answered; it began when `time.perf_counter()` said so."""
    answered = {
        "request_id": request_id,
        "route": route,
        "method": method,
        "status": status,
        "ms": round((time.perf_counter() - began) * 1000, 1),
        "from": _truncated(remote),
    }
    log.info("request", extra=answered)


@lru_cache(1000)
def _truncated(remote: str | None) -> str:
    """An address without the part that tells one person's from the next: a /24, or a /48."""
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return "unknown"
    bits = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, bits), strict=False))
