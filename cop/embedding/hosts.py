"""Which other sites may show the public pages in theirs, and what they put there."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import idna
from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.errors import Refused
from cop.i18n import N_, translator
from cop.links import Links
from cop.models.community import Community

_UNREADABLE = N_(
    "This is no name that a site can have. Look for a missing dot, a space or a comma, and write "
    "it like https://www.example.org."
)

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Preset:
    """Hosts that are allowed together, since one tool needs all of them."""

    name: str
    label: str
    hosts: tuple[str, ...]
    opens_up: str

    def is_on(self, allowed: Collection[str]) -> bool:
        return set(self.hosts) <= set(allowed)


PRESETS = (
    Preset(
        "google-sites",
        "Google Sites",
        ("https://sites.google.com", "https://*.googleusercontent.com"),
        N_(
            "Anybody's Google Site can then show the pages, since all of them have the same "
            "address. Needed where the page is a Google Site."
        ),
    ),
    Preset(
        "squarespace-editor",
        "Squarespace editor",
        ("https://*.squarespace.com",),
        N_(
            "Every site's preview at Squarespace can then show the pages. Only needed to see them "
            "while you edit: the published site works without it."
        ),
    ),
)


class EmbedCheck(NamedTuple):
    """Whether a page can show ours, and why, in a sentence with the host in it."""

    works: bool
    sentence: str
    values: dict[str, str]


class Snippets(NamedTuple):
    """What is pasted into a page: with our script, without it, or a link alone."""

    with_script: str
    without_script: str
    link: str


def hosts(db_session: Session) -> tuple[str, ...]:
    """The sites whose pages may show ours, as Content-Security-Policy names them."""
    return tuple(db_session.execute(select(Community.embed_hosts)).scalar_one())


def host_of(text: str) -> str:
    """The site that was typed, as its pages name themselves: `https://www.ctdata.org`."""
    host, parts = _read(text)
    for preset in PRESETS:
        if host in preset.hosts:
            raise Refused(
                N_("Pages at %(host)s need more than this one site: allow %(name)s below instead."),
                field="host",
                host=host,
                name=preset.label,
            )
    if parts.path not in {"", "/"} or parts.query or parts.fragment or "?" in text or "#" in text:
        raise Refused(
            N_("Leave out what comes after the name of the site: write %(host)s."),
            field="host",
            host=host,
        )
    return host


def add_host(db_session: Session, text: str) -> str:
    """Let a site's pages show ours; return it as it was read."""
    host = host_of(text)
    community = _locked(db_session)
    if host in community.embed_hosts:
        raise Refused(N_("%(host)s is on the list already."), field="host", host=host)
    _change(community, [*community.embed_hosts, host])
    return host


def remove_host(db_session: Session, host: str) -> bool:
    """Let a site's pages show ours no longer, from now on; return whether they could."""
    community = _locked(db_session)
    if host not in community.embed_hosts:
        return False
    _change(community, [other for other in community.embed_hosts if other != host])
    return True


def set_preset(db_session: Session, preset: Preset, *, on: bool) -> None:
    """Allow the hosts of a preset, or no longer."""
    community = _locked(db_session)
    others = [host for host in community.embed_hosts if host not in preset.hosts]
    _change(community, [*others, *preset.hosts] if on else others)


def www_variant(host: str) -> str | None:
    """The same site with `www.` or without, which browsers take for another one."""
    name = host.removeprefix("https://")
    if name.startswith("www."):
        return f"https://{name.removeprefix('www.')}"
    return f"https://www.{name}" if name.count(".") == 1 else None


def check_embeddable(address: str, allowed: Collection[str]) -> EmbedCheck:
    """Whether the page at an address can show ours, by what is allowed now; nothing is fetched."""
    host, _ = _read(address)
    if any(_matches(host, pattern) for pattern in allowed):
        said = N_("Yes: pages of %(host)s can show the schedule and the form.")
        return EmbedCheck(True, said, {"host": host})
    values = {"host": host, "listed": www_variant(host) or ""}
    return EmbedCheck(False, _failure_reason(host, allowed), values)


def snippets(links: Links, *, name: str, language: str) -> Snippets:
    """What to paste into a page.

    The height is a style, too, since themes say `iframe { height: auto }`, which beats attributes.
    It is less than a window's, so that a frame that scrolls is seen whole, with a place beside it
    to scroll past it. The script does away with both.
    """
    say = translator(language)
    title = escape(say(N_("Register for %(name)s sessions")) % {"name": name})
    link = (
        f'<p><a href="{links.schedule}" target="_blank" rel="noopener">'
        f"{escape(say(N_('Open the registration page in a new tab')))}</a></p>"
    )
    frame = (
        f'<iframe src="{links.page("/embed/schedule")}" title="{title}" width="100%" height="900" '
        f'style="border:0;width:100%;height:900px;max-height:80vh"></iframe>'
    )
    script = f'<script src="{links.page("/embed.js")}" async></script>'
    return Snippets(f"{frame}\n{link}\n{script}", f"{frame}\n{link}", link)


def _read(text: str) -> tuple[str, SplitResult]:
    """The site of an address, and the address in its parts."""
    try:
        parts = urlsplit(_normalize_input(text))
        name, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Refused(_UNREADABLE, field="host") from error
    if "@" in parts.netloc:
        raise Refused(
            N_("Leave out what stands before the @: a site is known by its name alone."),
            field="host",
        )
    if port == 0:
        raise Refused(_UNREADABLE, field="host")
    name = _name(name)
    return f"https://{name}{f':{port}' if port not in {None, 443} else ''}", parts


def _normalize_input(text: str) -> str:
    """An address over HTTPS, as far as that can be told before it is taken apart."""
    typed = text.strip()
    scheme, separator, _ = typed.partition("://")
    if not typed:
        raise Refused(
            N_("Write the address of a site, like https://www.example.org."), field="host"
        )
    if "*" in typed:
        raise Refused(
            N_(
                "Write each site out, without a star: nobody knows who has the others. For Google "
                "Sites and the Squarespace editor there are the choices below."
            ),
            field="host",
        )
    if separator and scheme.lower() != "https":
        raise Refused(
            N_(
                "Only a site that begins with https:// can show the form: what is typed there "
                "could otherwise be read on the way."
            ),
            field="host",
        )
    if any(letter.isspace() for letter in typed):  # some of them, urlsplit would leave out
        raise Refused(_UNREADABLE, field="host")
    return typed if separator else f"https://{typed}"


def _name(typed: str) -> str:
    """The host's name in the letters of the Internet: those of other scripts are spelt out."""
    try:
        name = idna.encode(typed.removesuffix("."), uts46=True).decode()
    except idna.IDNAError as error:
        raise Refused(_UNREADABLE, field="host") from error
    labels = name.split(".")
    if labels[-1].isdigit():
        raise Refused(
            N_("Write the site's name, not its number: browsers compare names only."), field="host"
        )
    if len(labels) < 2 or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Refused(_UNREADABLE, field="host")
    return name


def _locked(db_session: Session) -> Community:
    # Two coordinators at once would each write the list without the other's change.
    return db_session.execute(select(Community).with_for_update()).scalar_one()


def _change(community: Community, allowed: list[str]) -> None:
    community.embed_hosts = allowed
    community.revision += 1


def _matches(host: str, pattern: str) -> bool:
    before, star, after = pattern.partition("*")
    if not star:
        return host == pattern
    return host.startswith(before) and host.endswith(after) and len(host) > len(before + after)


def _failure_reason(host: str, allowed: Collection[str]) -> str:
    if www_variant(host) in allowed:
        return N_(
            "Not yet: %(listed)s is on the list, and this page is at %(host)s. Browsers take the "
            "two for different sites, so add this one as well."
        )
    for preset, sentence in _PREVIEWS.items():
        if any(_matches(host, pattern) for pattern in _preset(preset).hosts):
            return sentence
    return N_("Not yet: %(host)s is not on the list. Add it above, and it works from then on.")


_PREVIEWS = {
    "google-sites": N_(
        "Not yet: %(host)s is an address of Google Sites. Allow Google Sites above."
    ),
    "squarespace-editor": N_(
        "Not here: %(host)s is the address at which Squarespace shows a site to who edits it. The "
        "published site has its own address: check that one, or allow the Squarespace editor above."
    ),
}


def _preset(name: str) -> Preset:
    return next(preset for preset in PRESETS if preset.name == name)
