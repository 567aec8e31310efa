"""Render templates, whole or as fragments, with globals and shared context."""

from datetime import UTC, datetime
from typing import cast

from flask import (
    Flask,
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

EMBED, CONSOLE = "/embed", "/coordinator"  # path prefixes
THEMES = ("light", "dark", "auto")


def install(app: Flask) -> None:
    """Give templates their globals and their context."""
    app.extensions.setdefault("cop.clock", lambda: datetime.now(UTC))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        away=external_target,
        is_email_set_up=lambda: settings().smtp is not None,
        is_embedded=is_embedded,
        language=language,
        links=links,
        public_url=public_url,
        sender=sender,
        theme=theme,
    )
    app.context_processor(_shared_context)
    app.url_defaults(_add_language_and_theme)


def current_community() -> CommunityFacts:
    """Return the community, which is read once per request."""
    if "community" not in g:
        with joined_tx() as db_session:
            g.community = load_community(db_session)
    return cast("CommunityFacts", g.community)


def _shared_context() -> dict[str, object]:
    return {"community": current_community(), "coordinator": g.get("coordinator")}


def settings() -> Settings:
    """Return the settings of this installation."""
    return cast("Settings", current_app.extensions["cop.settings"])


def now() -> datetime:
    """Return the current time by the app's clock."""
    return cast("datetime", current_app.extensions["cop.clock"]())


def language() -> str:
    """Return the response's language: from the URL, never a cookie; else English."""
    wanted = request.args.get("lang") if has_request_context() else None
    return wanted if wanted in i18n.LANGUAGES else i18n.LANGUAGES[0]


def is_embedded() -> bool:
    """Return whether the URL is for a frame in another site's page.

    The path decides, not the blueprint: a URL that does not exist has none.
    """
    return has_request_context() and f"{request.path}/".startswith(f"{EMBED}/")


def is_console() -> bool:
    """Return whether the URL is the console's; the path decides, as in `is_embedded`."""
    return has_request_context() and request.path.startswith(CONSOLE)


def theme() -> str:
    """Return the color theme: `auto`, but in a frame the one of its URL.

    The default in a frame is light.

    In a frame, `auto` could be wrong: the page around it may be light even if the visitor prefers
    dark. So that page chooses the theme.
    """
    if not is_embedded():
        return "auto"
    wanted = request.args.get("theme")
    return wanted if wanted in THEMES else THEMES[0]


def external_target() -> Markup:
    """Return the attributes that make links open in a new tab.

    They are empty outside of frames.
    """
    return Markup(' target="_blank" rel="noopener"') if is_embedded() else Markup()


def links() -> Links:
    """Return the builder of absolute links, to the base URL or this host."""
    return Links(settings().base_url or request.host_url.rstrip("/"), settings().secret_key)


def sender() -> str:
    """Return the sender of emails, as email programs show it."""
    return str(settings().sender)


def writer(community: CommunityFacts | None = None) -> LetterWriter:
    """Return a writer of emails, whose links never use this request's host.

    The host of a request could be forged.
    """
    links = Links(settings().base, settings().secret_key)
    return LetterWriter(community or current_community(), links, now(), language())


def date_formatter(community: CommunityFacts | None = None) -> DateFormatter:
    """Return the formatter of dates for this response."""
    return DateFormatter(language(), (community or current_community()).zone_info, now())


def public_url(name: str, **values: str) -> str:
    """Return the URL of a public page, embedded if this page is."""
    return url_for(f"{'embed' if is_embedded() else 'public'}.{name}", **values)  # type: ignore[arg-type]


def wants_fragment() -> bool:
    """Return whether htmx requests the page, to swap a fragment of it."""
    headers = request.environ
    return "HTTP_HX_REQUEST" in headers and "HTTP_HX_HISTORY_RESTORE_REQUEST" not in headers


def render(
    page: str,
    /,
    *,
    fragment: str | None = None,
    status: int = 200,
    is_cacheable: bool = False,
    form: Form | None = None,
    **context: object,
) -> Response:
    """Respond with the page, or with its fragment if htmx requests it.

    The status is 422 if the form has errors; htmx 4 swaps the response all the same. Only pages
    without a form and personal data may be `is_cacheable`: see `page_cache.cached`.
    """
    is_fragment = fragment is not None and wants_fragment()
    template = fragment if is_fragment and fragment else page
    if status == 200 and form and form.errors:
        status = 422
    body = render_template(template, is_fragment=is_fragment, form=form, **context)
    response = make_response(body, status)
    response.vary.add("HX-Request")
    if is_cacheable and status == 200:
        response.cache_control.no_cache = True
    else:
        response.cache_control.no_store = True
    return response


def _add_language_and_theme(endpoint: str, values: dict[str, object]) -> None:
    """Add the language and the theme of this request's URL to links to public pages."""
    blueprint = endpoint.partition(".")[0]
    if not has_request_context() or blueprint not in {"public", "embed"}:
        return
    if language() != i18n.LANGUAGES[0]:
        values.setdefault("lang", language())
    if blueprint == "embed" and is_embedded() and theme() != THEMES[0]:
        values.setdefault("theme", theme())
