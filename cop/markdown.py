"""Render coordinators' Markdown as sanitized HTML."""

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import nh3

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_ALLOWED = {"p", "h2", "h3", "h4", "ul", "ol", "li", "em", "strong", "a", "blockquote", "code",
            "br", "hr"}  # fmt: skip


@lru_cache(maxsize=64)
def to_html(text: str) -> str:
    """Render Markdown as sanitized HTML; HTML in it is shown as text."""
    # The page has its own h1.
    html = _parser().render(text).replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    return nh3.clean(html, tags=_ALLOWED, attributes={"a": {"href"}}, link_rel="noopener",
                     url_schemes={"https", "http", "mailto"})  # fmt: skip


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415 - sixty modules, slow to import

    return MarkdownIt("commonmark", {"html": False, "linkify": False})
