"""The Flask app, before it has a database."""

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from werkzeug.middleware.proxy_fix import ProxyFix

from cop.accounts import (
    access_control,
    views_account,
    views_coordinators,
    views_sign_in,
    views_two_factor,
)
from cop.attendance import views as attendance_views
from cop.attendance import views_report
from cop.audit import views as audit_views
from cop.calendar import views as calendar_views
from cop.changes import views_cancel, views_edit, views_takeaways
from cop.config import Settings
from cop.dashboard import views as dashboard_views
from cop.embedding import views as embedding_views
from cop.embedding import views_console
from cop.groups import views as groups_views
from cop.meetings import filters, views_new
from cop.members import views as members_views
from cop.members import (
    views_answers,
    views_download,
    views_join,
    views_mailing_list,
    views_preferences,
)
from cop.messages import views as messages_views
from cop.operations import views_health
from cop.outbox import views as outbox_views
from cop.pages import views as pages_views
from cop.pages import views_search_engines
from cop.privacy import views_clock
from cop.registration import views as registration_views
from cop.roster import views as roster_views
from cop.roster import views_add, views_export, views_person
from cop.settings import views as settings_views
from cop.settings import views_rhythm
from cop.statistics import views as statistics_views
from cop.web import assets, blueprints, errors, i18n, page_cache, rendering, request_log, security
from cop.web.blueprints import console
from cop.web.environ import Normalizer

# Imported for their views, which add themselves to the blueprints.
VIEWS = (
    access_control,
    views_account,
    views_coordinators,
    views_sign_in,
    views_two_factor,
    attendance_views,
    views_report,
    audit_views,
    views_cancel,
    views_edit,
    views_takeaways,
    dashboard_views,
    views_console,
    groups_views,
    views_new,
    members_views,
    views_answers,
    views_download,
    views_join,
    views_mailing_list,
    views_preferences,
    messages_views,
    outbox_views,
    pages_views,
    views_clock,
    registration_views,
    roster_views,
    views_add,
    views_export,
    views_person,
    settings_views,
    views_rhythm,
    statistics_views,
)

MAX_BODY = 65_536  # bytes
MAX_TRANSACTION_TRIES = 3
# What PostgreSQL says when two transactions stood in each other's way and it ended one of them.
SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"


class ConsoleSessionInterface(SecureCookieSessionInterface):
    """The cookie of the console's browsers; everywhere else none is read, and none can be set."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Open nothing outside the console: what would write into it is refused by Flask."""
        is_console = request.path.startswith(rendering.CONSOLE)  # before there is a context
        return super().open_session(app, request) if is_console else None


class Application(Flask):
    """Flask, running a request again when the database ended its transaction for another's sake.

    A request has one transaction and leaves nothing elsewhere, so running it again is safe.
    """

    request_class = rendering.RequestContext

    def dispatch_request(self) -> ResponseReturnValue:
        for _ in range(MAX_TRANSACTION_TRIES - 1):
            try:
                return super().dispatch_request()
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in {SERIALIZATION_FAILURE, DEADLOCK}:
                    raise
        return super().dispatch_request()


def create(settings: Settings) -> Flask:
    """Make the app and give it its pages."""
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
        WTF_CSRF_CHECK_DEFAULT=False,  # the console asks for the check itself
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=False,  # security.py looks at Origin and Sec-Fetch-Site instead
    )
    app.extensions["cop.settings"] = settings
    # What is added to answers is added in the opposite order: pages are kept as they go out.
    for part in (request_log, page_cache, security, rendering, i18n, filters, assets, errors):
        part.install(app)
    app.register_blueprint(blueprints.public)
    embedding_views.install(app)
    app.register_blueprint(console)
    app.register_blueprint(calendar_views.feeds)
    app.register_blueprint(views_health.health)
    app.register_blueprint(views_search_engines.search)
    app.register_blueprint(blueprints.member)
    security.limit_posts(app)
    app.wsgi_app = Normalizer(app.wsgi_app, settings)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )
    return app
