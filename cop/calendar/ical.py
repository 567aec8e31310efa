"""Lines of calendar files (RFC 5545; the numbers are its sections)."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

MAX_OCTETS = 75  # of a line, without its end (3.1)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def component(name: str, lines: Iterable[str]) -> list[str]:
    """Put lines between BEGIN and END (3.4)."""
    return [f"BEGIN:{name}", *lines, f"END:{name}"]


def serialize(lines: Iterable[str]) -> bytes:
    """Fold long lines and end each by CRLF (3.1)."""
    return b"".join(_fold(line.encode()) + b"\r\n" for line in lines)


def escape_text(value: str) -> str:
    """Escape a text of any number of lines, without control characters (3.3.11)."""
    clean = _strip_controls(value).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return clean.replace("\n", "\\n")


def quote_parameter(value: str) -> str:
    """Quote a text as the value of a parameter (3.2, and RFC 6868, 3.1)."""
    clean = _strip_controls(value).replace("^", "^^").replace("\n", "^n").replace('"', "^'")
    return f'"{clean}"'


def format_utc(moment: datetime) -> str:
    """Format a time in UTC (3.3.5)."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def format_local(moment: datetime) -> str:
    """Format the local time of a zone that is named elsewhere (3.3.5)."""
    return f"{moment:%Y%m%dT%H%M%S}"


def format_offset(offset: timedelta) -> str:
    """Format an offset from UTC, with seconds where it has any (3.3.14)."""
    seconds = round(abs(offset).total_seconds())
    hours, minutes, rest = seconds // 3600, seconds % 3600 // 60, seconds % 60
    sign = "-" if offset < timedelta() else "+"
    return f"{sign}{hours:02}{minutes:02}{f'{rest:02}' if rest else ''}"


def _strip_controls(value: str) -> str:
    return _CONTROLS.sub("", "\n".join(value.splitlines()))


def _fold(line: bytes) -> bytes:
    """Split a line between characters; each continuation begins with a space."""
    pieces: list[bytes] = []
    start = 0
    while len(line) - start > (room := MAX_OCTETS - bool(pieces)):
        end = start + room
        while line[end] & 0b1100_0000 == 0b1000_0000:  # inside a character
            end -= 1
        pieces.append(line[start:end])
        start = end
    return b"\r\n ".join([*pieces, line[start:]])
