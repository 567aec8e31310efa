"""Rendering: one address in two sizes, and what every template can say."""

from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import cast

from flask import (
    Flask,
    Request,
    Response,
    current_app,
    g,
    has_request_context,
    make_response,
    render_template,
    request,
    url_for,
)
from markupsafe import Markup
from wtforms import Form

from cop import i18n
from cop.community.community import CommunityFacts, load_community
from cop.config import Settings
from cop.dates import DateFormatter
from cop.db.engine import joined_tx
from cop.links import Links
from cop.mail.writer import LetterWriter

EMBED, CONSOLE = "/embed", "/coordinator"
THEMES = ("light", "dark", "auto")


def install(app: Flask) -> None:
    """Give the templates their words."""
    app.extensions.setdefault("cop.clock", lambda: datetime.now(UTC))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        public_url=public_url, links=links, language=language, sender=sender
    )
    app.jinja_env.globals.update(is_embedded=is_embedded, theme=theme, away=external_target)
    app.context_processor(_shared_context)
    app.url_defaults(_add_language_and_theme)


def current_community() -> CommunityFacts:
    """The community, read once per request, in the open transaction if there is one."""
    if "community" not in g:
        with joined_tx() as db_session:
            g.community = load_community(db_session)
    return cast("CommunityFacts", g.community)


def _shared_context() -> dict[str, object]:
    """What every template can use."""
    return {"community": current_community(), "coordinator": g.get("coordinator")}


def settings() -> Settings:
    """The settings of this installation."""
    return cast("Settings", current_app.extensions["cop.settings"])


def now() -> datetime:
    """The moment of this request, as the app's clock tells it."""
    return cast("datetime", current_app.extensions["cop.clock"]())


class RequestContext(Request):
    """A request, with what its address says of how to answer it: read once, asked for often."""

    @cached_property
    def language(self) -> str:
        wanted = self.args.get("lang")
        return wanted if wanted in i18n.LANGUAGES else i18n.LANGUAGES[0]

    @cached_property
    def is_embedded(self) -> bool:
        return f"{self.path}/".startswith(f"{EMBED}/")

    @cached_property
    def theme(self) -> str:
        if not self.is_embedded:
            return "auto"
        wanted = self.args.get("theme")
        return wanted if wanted in THEMES else THEMES[0]


def request_context() -> RequestContext:
    """The request that is being answered."""
    return cast("RequestContext", request)


def language() -> str:
    """The language of this answer: that of the address, else English; never a cookie's."""
    return request_context().language if has_request_context() else i18n.LANGUAGES[0]


def is_embedded() -> bool:
    """Whether this address is for a frame in another site's page; errors there are, too.

    By the path, since an address that does not exist belongs to no blueprint.
    """
    return has_request_context() and request_context().is_embedded


def is_console() -> bool:
    """Whether this address is the coordinators'; by the path, also where there is no such page."""
    return has_request_context() and request.path.startswith(CONSOLE)


def theme() -> str:
    """The colours of this answer: the visitor's own; in a frame those of the address, else light.

    A page around the frame may be light where its visitor prefers dark, and only it can know.
    """
    return request_context().theme


def external_target() -> Markup:
    """What a link needs that leads out of the frame, if this is one: it opens a new tab."""
    return Markup(' target="_blank" rel="noopener"') if is_embedded() else Markup()


def _add_language_and_theme(endpoint: str, values: dict[str, object]) -> None:
    """Keep the language and the theme of this address in those of the public pages it links to."""
    zone = endpoint.partition(".")[0]
    if not has_request_context() or zone not in {"public", "embed"}:
        return
    if language() != i18n.LANGUAGES[0]:
        values.setdefault("lang", language())
    if zone == "embed" and is_embedded() and theme() != THEMES[0]:
        values.setdefault("theme", theme())


def links() -> Links:
    """Absolute addresses: of the settings, or where there are none, of the local name in use."""
    return Links(settings().base_url or request.host_url.rstrip("/"), settings().secret_key)


def sender() -> str:
    """The address that our mail comes from, as mail programs show it."""
    return str(settings().sender)


def writer(community: CommunityFacts | None = None) -> LetterWriter:
    """Who writes mail for this request: with addresses of the settings, never of the request."""
    links = Links(settings().base, settings().secret_key)
    return LetterWriter(community or current_community(), links, now(), language())


def public_url(name: str, **values: str) -> str:
    """The address of a public page, in the same zone as this one: the site, or what is embedded."""
    zone = "embed" if is_embedded() else "public"
    here = (request.script_root, language(), theme())
    return _address(f"{zone}.{name}", tuple(values.items()), here)


@lru_cache(2000)
def _address(endpoint: str, values: tuple[tuple[str, str], ...], _here: tuple[str, ...]) -> str:
    """What Flask makes of it, once: nothing else of a request is in an address."""
    return url_for(endpoint, **dict(values))  # type: ignore[arg-type]


def wants_fragment() -> bool:
    """Whether HTMX asks for this answer, and will put it into a page that is there."""
    headers = request.environ
    return "HTTP_HX_REQUEST" in headers and "HTTP_HX_HISTORY_RESTORE_REQUEST" not in headers


def render(
    page: str,
    *,
    fragment: str | None = None,
    status: int = 200,
    same_for_all: bool = False,
    form: Form | None = None,
    **context: object,
) -> Response:
    """Answer with the page, or with its fragment where HTMX asks for it.

    The status is 422 where the form has errors. (In htmx, too, every status swaps.)
    `same_for_all` is for pages with neither a form nor a person: those may be kept, and `kept`
    does so.
    """
    is_fragment = fragment is not None and wants_fragment()
    template = fragment if is_fragment and fragment else page
    body = render_template(template, is_fragment=is_fragment, form=form, **context)
    if status == 200 and form and form.errors:
        status = 422
    response = make_response(body, status)
    response.vary.add("HX-Request")
    if same_for_all and status == 200:
        response.cache_control.no_cache = True
    else:
        response.cache_control.no_store = True
    return response


def date_formatter(community: CommunityFacts | None = None) -> DateFormatter:
    return DateFormatter(language(), (community or current_community()).zone_info, now())
