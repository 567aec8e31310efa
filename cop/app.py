"""Create the Flask app: configuration, middleware, blueprints and the database."""

from importlib import import_module

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_migrate import Migrate
from sqlalchemy.exc import OperationalError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.utils import find_modules

from cop.config import Settings
from cop.db import engine
from cop.db.migrations import migrations_folder
from cop.meetings import filters
from cop.web import assets, blueprints, errors, i18n, page_cache, rendering, request_log, security
from cop.web.environ import Normalizer

MAX_BODY = 65_536  # bytes of a request; web/security.py allows some forms more
MAX_TRANSACTION_TRIES = 3
# PostgreSQL's SQLSTATE codes for a transaction that it ended because of a conflict.
SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"


class ConsoleSessionInterface(SecureCookieSessionInterface):
    """Session cookie of the console; all other pages neither read nor set one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Open no session outside the console, so that Flask refuses writes to it."""
        # rendering.is_console() does not work yet: there is no request context.
        is_console = request.path.startswith(rendering.CONSOLE)
        return super().open_session(app, request) if is_console else None


class Application(Flask):
    """Flask that repeats a request whose transaction was ended by a conflict.

    That is safe, since an ended transaction has changed nothing, and a view has no other effects.
    """

    def dispatch_request(self) -> ResponseReturnValue:
        for _ in range(MAX_TRANSACTION_TRIES - 1):
            try:
                return super().dispatch_request()
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in {SERIALIZATION_FAILURE, DEADLOCK}:
                    raise
        return super().dispatch_request()


def create_app(settings: Settings) -> Flask:
    """Create the app for these settings, bound to its database."""
    app = Application("cop")
    app.session_interface = ConsoleSessionInterface()
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TRUSTED_HOSTS=settings.host_names,
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        SESSION_COOKIE_NAME="__Host-cop" if settings.is_https else "cop",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,  # access_control.py checks it for the console
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=False,  # security.py checks Origin and Sec-Fetch-Site instead
    )
    app.extensions["cop.settings"] = settings
    # Flask runs `after_request` functions in reverse order: the page cache, installed first, runs
    # last and so stores complete responses.
    for part in (page_cache, request_log, security, rendering, i18n, filters, assets, errors):
        part.install(app)
    _import_views()
    for blueprint in blueprints.ALL:
        app.register_blueprint(blueprint)
    # The public pages a second time below /embed, for iframes in other sites' pages.
    app.register_blueprint(blueprints.public, url_prefix=rendering.EMBED, name="embed")
    security.limit_posts(app)
    app.wsgi_app = Normalizer(app.wsgi_app, settings)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )
    engine.bind(app, settings)
    Migrate(app, engine.db, directory=str(migrations_folder()))
    return app


def _import_views() -> None:
    """Import all `views*.py` and `access_control.py`, which add to the blueprints."""
    for name in find_modules("cop", recursive=True):
        if name.rpartition(".")[2].startswith(("views", "access_control")):
            import_module(name)
