"""A letter: what a mail says, written once and read as text or as plain HTML."""

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
    """A composed mail, before it is known whom it goes to."""

    subject: str
    text: str
    html: str
    calendar: str | None = None
    unsubscribe_url: str | None = None


@dataclass(frozen=True)
class Link:
    """Something to follow: the words, and the address."""

    text: str
    url: str


@dataclass(frozen=True)
class Session:
    """A session as a letter shows it: the date tile, the topic, and what is to be known."""

    tile: Tile
    topic: str
    when: str
    lines: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    is_cancelled: bool = False


@dataclass(frozen=True)
class Button:
    """The one thing to do."""

    text: str
    url: str


@dataclass(frozen=True)
class Heading:
    """A line above others."""

    text: str


@dataclass(frozen=True)
class Prose:
    """A coordinator's text in Markdown."""

    markdown: str

    @property
    def html(self) -> Markup:
        return Markup(to_html(self.markdown))  # noqa: S704 - cleaned there


@dataclass(frozen=True)
class UserText:
    """A coordinator's text in Markdown to one person, with its placeholders filled in."""

    markdown: str
    html: Markup


Block = str | Link | Session | Button | Heading | Prose | UserText


@dataclass(frozen=True)
class LetterDraft:
    """What a letter says, in order, and who signs it; the small print says why it came."""

    language: str
    subject: str
    greeting: str
    blocks: tuple[Block, ...]
    signature: tuple[str, ...]
    small_print: tuple[str | Link, ...] = ()

    def render(self, *, calendar: str | None = None, unsubscribe_url: str | None = None) -> Letter:
        """The letter in both forms."""
        blocks = [(type(block).__name__, block) for block in self.blocks]
        text, html = (
            _template(name).render(draft=self, blocks=blocks)
            for name in ("letter.txt", "letter.html")
        )
        return Letter(self.subject, text.strip() + "\n", html, calendar, unsubscribe_url)


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
