"""The Flask app, before it has a database."""

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from werkzeug.middleware.proxy_fix import ProxyFix

from cop.config import Settings
from cop.web import (
    assets,
    embedding,
    errors,
    feeds,
    filters,
    health,
    kept_pages,
    logs,
    member,
    public,
    rendering,
    saying,
    search,
    security,
)
from cop.web.console import console
from cop.web.environ import Normalizer

MAX_BODY = 65_536  # bytes
TRIES = 3
# What PostgreSQL says when two transactions stood in each other's way and it ended one of them.
SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"


class ConsoleCookie(SecureCookieSessionInterface):
    """The cookie of the console's browsers; everywhere else none is read, and none can be set."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Open nothing outside the console: what would write into it is refused by Flask."""
        is_console = request.path.startswith(rendering.CONSOLE)  # before there is a context
        return super().open_session(app, request) if is_console else None


class Application(Flask):
    """Flask, running a request again when the database ended its transaction for another's sake.

    A request has one transaction and leaves nothing elsewhere, so running it again is safe.
    """

    request_class = rendering.Visit

    def dispatch_request(self) -> ResponseReturnValue:
        for _ in range(TRIES - 1):
            try:
                return super().dispatch_request()
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in {SERIALIZATION_FAILURE, DEADLOCK}:
                    raise
        return super().dispatch_request()


def create(settings: Settings) -> Flask:
    """Make the app and give it its pages."""
    app = Application("cop")
    app.session_interface = ConsoleCookie()
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TRUSTED_HOSTS=settings.host_names,
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        SESSION_COOKIE_NAME="__Host-cop" if settings.is_https else "cop",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,  # the console asks for the check itself
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=False,  # security.py looks at Origin and Sec-Fetch-Site instead
    )
    app.extensions["cop.settings"] = settings
    # What is added to answers is added in the opposite order: pages are kept as they go out.
    for part in (logs, kept_pages, security, rendering, saying, filters, assets, errors):
        part.install(app)
    app.register_blueprint(public.public)
    embedding.install(app)
    app.register_blueprint(console)
    app.register_blueprint(feeds.feeds)
    app.register_blueprint(health.health)
    app.register_blueprint(search.search)
    app.register_blueprint(member.member)
    security.limit_posts(app)
    app.wsgi_app = Normalizer(app.wsgi_app, settings)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )
    return app
