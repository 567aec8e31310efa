"""Lines of calendar files (RFC 5545; the numbers are its sections)."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

MAX_OCTETS = 75  # of a line, without its CRLF (3.1)
# All control characters but tab and the line breaks, which `splitlines` has removed before.
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def component(name: str, lines: Iterable[str]) -> list[str]:
    """Return the lines of a component between its BEGIN and END (3.4)."""
    return [f"BEGIN:{name}", *lines, f"END:{name}"]


def serialize(lines: Iterable[str]) -> bytes:
    """Fold long lines, end each with CRLF, and encode them (3.1)."""
    return b"".join(_fold(line.encode()) + b"\r\n" for line in lines)


def escape_text(value: str) -> str:
    """Escape a text of one or more lines; remove control characters (3.3.11)."""
    clean = _clean_lines(value)
    escaped = clean.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\n", "\\n")


def quote_parameter(value: str) -> str:
    """Quote a text as the value of a parameter (3.2; escaped as in RFC 6868, 3.1)."""
    escaped = _clean_lines(value).replace("^", "^^").replace("\n", "^n").replace('"', "^'")
    return f'"{escaped}"'


def format_utc(moment: datetime) -> str:
    """Format a time in UTC (3.3.5)."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def format_local(moment: datetime) -> str:
    """Format a local time without its zone, which the TZID parameter names (3.3.5)."""
    return f"{moment:%Y%m%dT%H%M%S}"


def format_offset(offset: timedelta) -> str:
    """Format an offset from UTC, with seconds only if it has some (3.3.14)."""
    all_minutes, seconds = divmod(round(abs(offset).total_seconds()), 60)
    hours, minutes = divmod(all_minutes, 60)
    sign = "-" if offset < timedelta() else "+"
    return f"{sign}{hours:02}{minutes:02}{f'{seconds:02}' if seconds else ''}"


def _clean_lines(value: str) -> str:
    """Remove control characters, and separate lines by a line feed alone."""
    return _CONTROLS.sub("", "\n".join(value.splitlines()))


def _fold(line: bytes) -> bytes:
    """Split a line between characters; each continuation line begins with a space."""
    pieces: list[bytes] = []
    start, max_length = 0, MAX_OCTETS
    while len(line) - start > max_length:
        end = start + max_length
        while line[end] & 0b1100_0000 == 0b1000_0000:  # inside a UTF-8 character
            end -= 1
        pieces.append(line[start:end])
        start, max_length = end, MAX_OCTETS - 1  # one octet less, for the space
    return b"\r\n ".join([*pieces, line[start:]])
