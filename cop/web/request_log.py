"""One line of JSON per request: what was requested and the outcome; never who, never input."""

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
    """Write each record to standard error at once, as one line by one write.

    The standard handler holds a lock, and waiting for it was a third of the time that a cached page
    takes. The system does not mix writes to a file, nor writes to a pipe of under 4,096 bytes,
    which all request lines are.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit a record without the lock."""
        is_wanted = bool(self.filter(record))
        if is_wanted:
            self.emit(record)
        return is_wanted

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # nobody reads it anymore: losing a line beats failing a request
            os.write(STANDARD_ERROR, f"{self.format(record)}\n".encode())


def install(app: Flask) -> None:
    """Log every request, once."""
    logger = logging.getLogger("cop")
    if not logger.handlers:
        handler = JsonLineHandler()
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    app.before_request(_begin)
    app.after_request(_end)


def new_id() -> str:
    """Return a random id to find a request by; not a secret."""
    return f"{random.getrandbits(64):016x}"


def _begin() -> None:
    g.began, g.request_id = time.perf_counter(), new_id()


def _end(response: Response) -> Response:
    if "began" in g and request.endpoint != "static":
        log_request(
            g.request_id,
            request.endpoint,
            request.method,
            response.status_code,
            began=g.began,
            address=request.remote_addr,
        )
    return response


def log_request(
    request_id: str,
    route: str | None,
    method: str,
    status: int,
    *,
    began: float,
    address: str | None,
) -> None:
    """Log an answered request; `began` is its start by `time.perf_counter()`."""
    values = {
        "request_id": request_id,
        "route": route,
        "method": method,
        "status": status,
        "ms": round((time.perf_counter() - began) * 1000, 1),
        "from": _truncated(address),
    }
    log.info("request", extra=values)


@lru_cache(1000)
def _truncated(address: str | None) -> str:
    """Return the network of an IP address, which identifies nobody: /24 or /48."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))
