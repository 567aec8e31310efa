"""Calendar files line by line, as RFC 5545 has them; the numbers are its sections."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

MAX_OCTETS = 75  # of a line, without its end (3.1)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def component(name: str, lines: Iterable[str]) -> list[str]:
    """Lines between a BEGIN and an END (3.4)."""
    return [f"BEGIN:{name}", *lines, f"END:{name}"]


def serialize(lines: Iterable[str]) -> bytes:
    """The lines as a file: each folded where it is long, and ended by CRLF (3.1)."""
    return b"".join(_fold(line.encode()) + b"\r\n" for line in lines)


def escape_text(value: str) -> str:
    """Any text, on as many lines as it has, without control characters (3.3.11)."""
    clean = _strip_controls(value).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return clean.replace("\n", "\\n")


def quote_parameter(value: str) -> str:
    """A text as the value of a parameter (3.2, and RFC 6868, 3.1 for what it cannot hold)."""
    clean = _strip_controls(value).replace("^", "^^").replace("\n", "^n").replace('"', "^'")
    return f'"{clean}"'


def format_utc(moment: datetime) -> str:
    """A moment in UTC (3.3.5)."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def format_local(moment: datetime) -> str:
    """What the clocks of a zone show, which stands elsewhere (3.3.5)."""
    return f"{moment:%Y%m%dT%H%M%S}"


def format_offset(difference: timedelta) -> str:
    """A zone's difference from UTC, with seconds where it has some (3.3.14)."""
    seconds = round(abs(difference).total_seconds())
    hours, minutes, rest = seconds // 3600, seconds % 3600 // 60, seconds % 60
    sign = "-" if difference < timedelta() else "+"
    return f"{sign}{hours:02}{minutes:02}{f'{rest:02}' if rest else ''}"


def _strip_controls(value: str) -> str:
    return _CONTROLS.sub("", "\n".join(value.splitlines()))


def _fold(line: bytes) -> bytes:
    """The line, gone on with a space on the next as often as it is too long; no letter is cut."""
    pieces: list[bytes] = []
    start = 0
    while len(line) - start > (room := MAX_OCTETS - bool(pieces)):
        end = start + room
        while line[end] & 0b1100_0000 == 0b1000_0000:  # inside a letter of several octets
            end -= 1
        pieces.append(line[start:end])
        start = end
    return b"\r\n ".join([*pieces, line[start:]])
