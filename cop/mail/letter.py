"""The content of an email, written once and rendered as text and as simple HTML."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from cop.dates import Tile
from cop.markdown import to_html

TEMPLATES = Path(__file__).parent.parent / "templates" / "email"


@dataclass(frozen=True)
class Letter:
    """A composed email without its recipient."""

    subject: str
    text: str
    html: str
    calendar: str | None = None
    unsubscribe_url: str | None = None


@dataclass(frozen=True)
class Link:
    """A link on a line of its own."""

    text: str
    url: str


@dataclass(frozen=True)
class Button(Link):
    """The main link of an email."""


@dataclass(frozen=True)
class Session:
    """A session: its date tile, topic and time, with lines and links below."""

    tile: Tile
    topic: str
    when: str
    lines: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    is_cancelled: bool = False


@dataclass(frozen=True)
class Prose:
    """A coordinator's text: Markdown in the text part, sanitized HTML."""

    markdown: str
    html: Markup

    @classmethod
    def of(cls, markdown: str) -> "Prose":
        return cls(markdown, Markup(to_html(markdown)))  # noqa: S704 - to_html() sanitizes it


Block = str | Link | Session | Prose


def render(
    language: str,
    subject: str,
    greeting: str,
    blocks: Iterable[Block],
    *,
    signature: Iterable[str],
    small_print: Iterable[str | Link],
) -> Letter:
    """Render the text and the HTML part.

    The small print says why the recipient gets the email.
    """
    values = {
        "language": language,
        "subject": subject,
        "greeting": greeting,
        "blocks": [(type(block).__name__, block) for block in blocks],
        "signature": signature,
        "small_print": small_print,
    }
    text, html = (_template(name).render(values) for name in ("letter.txt", "letter.html"))
    return Letter(subject, text.strip() + "\n", html)


@cache
def _template(name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
