"""Sites that may embed the public pages in frames, and the HTML to paste."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from html import escape
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import idna
from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.community.community import change_community
from cop.errors import Refused
from cop.i18n import N_, catalog
from cop.links import Links
from cop.models.community import Community

_INVALID_SITE = N_(
    "This isn't a valid site address. Check for a missing dot, a space or a comma, and enter it "
    "like https://www.example.org."
)

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # one part of a host name


@dataclass(frozen=True)
class Preset:
    """Hosts that are allowed together, because a site builder needs all of them."""

    name: str
    label: str
    hosts: tuple[str, ...]
    effect: str  # of allowing them, as a sentence
    why_not_yet: str  # why a page at one of them cannot embed ours yet


PRESETS = (
    Preset(
        "google-sites",
        "Google Sites",
        ("https://sites.google.com", "https://*.googleusercontent.com"),
        N_(
            "You need this if your page is a Google Site. All Google Sites share one address, so "
            "anyone's Google Site can then show your pages."
        ),
        N_("Not yet: %(host)s is a Google Sites address. Allow Google Sites in step 1."),
    ),
    Preset(
        "squarespace-editor",
        "Squarespace editor",
        ("https://*.squarespace.com",),
        N_(
            "You need this only to see the pages while you edit your Squarespace site. Other "
            "Squarespace sites can then show them in their previews, too."
        ),
        N_(
            "Not yet: Squarespace uses %(host)s only while you edit your site. Check the public "
            "address of your site, or allow the Squarespace editor in step 1."
        ),
    ),
)


class Snippets(NamedTuple):
    """HTML to paste into a page: with our script, without it, or only a link."""

    with_script: str
    without_script: str
    link: str


def hosts(db_session: Session) -> tuple[str, ...]:
    """Read the sites that may embed our pages, as origins like in a CSP."""
    return tuple(db_session.execute(select(Community.embed_hosts)).scalar_one())


def host_of(text: str) -> str:
    """Parse a site into its origin as browsers send it, as `https://www.ctdata.org`."""
    host, parts = _parse(text)
    for preset in PRESETS:
        if host in preset.hosts:
            raise Refused(
                N_("This address alone is not enough. Use “Allow %(name)s” below instead."),
                host=host,
                name=preset.label,
            )
    if parts.path not in {"", "/"} or parts.query or parts.fragment or "?" in text or "#" in text:
        raise Refused(N_("Enter only the start of the address: %(host)s."), host=host)
    return host


def add_host(db_session: Session, text: str) -> str:
    """Allow a site to embed our pages; return its normalized name."""
    host = host_of(text)
    allowed = _lock_hosts(db_session)
    if host in allowed:
        raise Refused(N_("%(host)s is already on the list."), host=host)
    change_community(db_session, embed_hosts=[*allowed, host])
    return host


def remove_host(db_session: Session, host: str) -> bool:
    """Remove a site from the list; return whether it was on it."""
    allowed = _lock_hosts(db_session)
    if host not in allowed:
        return False
    change_community(db_session, embed_hosts=[other for other in allowed if other != host])
    return True


def set_preset(db_session: Session, preset: Preset, *, is_allowed: bool) -> None:
    """Allow the hosts of a preset, or remove them."""
    others = [host for host in _lock_hosts(db_session) if host not in preset.hosts]
    change_community(db_session, embed_hosts=[*others, *preset.hosts] if is_allowed else others)


def www_variant(host: str) -> str | None:
    """Return the site with or without `www.`, which is another one to browsers."""
    name = host.removeprefix("https://")
    if name.startswith("www."):
        return f"https://{name.removeprefix('www.')}"
    return f"https://www.{name}" if name.count(".") == 1 else None


def check_embeddable(address: str, allowed: Collection[str]) -> str:
    """Return the site of a page that may embed ours; the page is not fetched.

    Raises:
        Refused: it may not; the refusal says why.
    """
    host, _ = _parse(address)
    if any(fnmatchcase(host, pattern) for pattern in allowed):
        return host
    variant = www_variant(host)
    if variant in allowed:
        raise Refused(
            N_(
                "Not yet: the list has %(listed)s, but your page is at %(host)s. Browsers treat "
                "them as two sites, so add this one too."
            ),
            listed=variant,
            host=host,
        )
    for preset in PRESETS:
        if any(fnmatchcase(host, pattern) for pattern in preset.hosts):
            raise Refused(preset.why_not_yet, host=host)
    raise Refused(N_("Not yet: %(host)s is not on the list. Add it in step 1."), host=host)


def snippets(links: Links, *, name: str, language: str) -> Snippets:
    """Make the HTML to paste into a page.

    The height is also set as a style, since themes set `iframe { height: auto }`, which overrides
    attributes. It is less than the window's, so that a frame that has its own scroll bar is visible
    as a whole, and the page can be scrolled beside it. The script removes both.
    """
    translate = catalog(language).gettext
    title = escape(translate(N_("Register for %(name)s sessions")) % {"name": name})
    link = (
        f'<p><a href="{links.schedule}" target="_blank" rel="noopener">'
        f"{escape(translate(N_('Open the registration page in a new tab')))}</a></p>"
    )
    frame = (
        f'<iframe src="{links.page("/embed/schedule")}" title="{title}" width="100%" height="900" '
        f'style="border:0;width:100%;height:900px;max-height:80vh"></iframe>'
    )
    script = f'<script src="{links.page("/embed.js")}" async></script>'
    return Snippets(f"{frame}\n{link}\n{script}", f"{frame}\n{link}", link)


def _parse(text: str) -> tuple[str, SplitResult]:
    """Parse an address into its site and its parts."""
    try:
        parts = urlsplit(_normalize_input(text))
        name, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Refused(_INVALID_SITE) from error
    if "@" in parts.netloc:
        raise Refused(N_("Enter the address without the @ and anything before it."))
    if port == 0:
        raise Refused(_INVALID_SITE)
    port_text = f":{port}" if port not in {None, 443} else ""
    return f"https://{_normalize_name(name)}{port_text}", parts


def _normalize_input(text: str) -> str:
    """Refuse what `urlsplit` would silently accept; add the scheme if it is missing."""
    typed = text.strip()
    scheme, separator, _ = typed.partition("://")
    if not typed:
        raise Refused(N_("Enter the address of a site, like https://www.example.org."))
    if "*" in typed:
        raise Refused(
            N_(
                "Enter one full address without *, like https://www.example.org. For Google Sites "
                "or the Squarespace editor, use the buttons below."
            )
        )
    if separator and scheme.lower() != "https":
        raise Refused(
            N_(
                "The address must start with https://, so that no one else can read what visitors "
                "type."
            )
        )
    if any(letter.isspace() for letter in typed):  # urlsplit would remove tabs and line breaks
        raise Refused(_INVALID_SITE)
    return typed if separator else f"https://{typed}"


def _normalize_name(typed: str) -> str:
    """Encode a host name as browsers send it (IDNA) and validate it."""
    try:
        name = idna.encode(typed.removesuffix("."), uts46=True).decode()
    except idna.IDNAError as error:
        raise Refused(_INVALID_SITE) from error
    labels = name.split(".")
    if labels[-1].isdigit():
        raise Refused(
            N_("Enter the name of the site, like https://www.example.org, not its IP address.")
        )
    if len(labels) < 2 or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refused(_INVALID_SITE)
    return name


def _lock_hosts(db_session: Session) -> list[str]:
    # Without the lock, two coordinators at the same time would overwrite each other's change.
    return db_session.execute(select(Community.embed_hosts).with_for_update()).scalar_one()
