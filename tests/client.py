"""Looking at what came back, and at what was stored."""

import re
from contextvars import Context
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import inspect, select, update

from cop.accounts import login_sessions
from cop.accounts.access_control import TOKEN as COOKIE_KEY
from cop.db.engine import read_tx, write_tx
from cop.links import Links, Owner
from cop.meetings import locking
from cop.models.community import Community
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration, Submission
from cop.web.preserved_form import OWNER_ID
from tests.builders import NOW, PASSWORD, a_registration
from tests.page import check, parse

DECEMBER, JANUARY, FEBRUARY = "2026-12-15", "2027-01-19", "2027-02-16"
ALL_SIX = [DECEMBER, JANUARY, FEBRUARY, "2027-03-16", "2027-04-20", "2027-05-18"]


def form_values(soup):
    """What a browser would send if the form on this page were sent: name -> values."""
    sent = {}
    for control in soup.find("form", method="post").select("input, textarea, select"):
        if control.get("type") in {"checkbox", "radio"} and not control.has_attr("checked"):
            continue
        value = control.get("value", "")
        if control.name == "textarea":
            value = control.get_text().removeprefix("\n")
        elif control.name == "select":
            value = (control.select_one("[selected]") or control.option)["value"]
        sent.setdefault(control["name"], []).append(value)
    return sent


def error_summary(soup):
    """The sentences of the summary on top."""
    return [line.get_text(strip=True) for line in soup.select(".summary li")]


def checked_sessions(soup):
    return form_values(soup).get("sessions", [])


def rows(model=Registration):
    """Every row of a table as a dict, by id."""
    key = inspect(model).primary_key[0]
    with read_tx() as db_session:
        found = db_session.execute(select(*inspect(model).columns).order_by(key))
        return [dict(row._mapping) for row in found]


def registration_statuses():
    """Who has what: (address as typed, slug, status), in the order of registering."""
    query = (
        select(Member.email, Meeting.slug, Registration.status)
        .join(Registration, Registration.member_id == Member.id)
        .join(Meeting, Meeting.id == Registration.meeting_id)
        .order_by(Registration.id)
    )
    with read_tx() as db_session:
        return [tuple(row) for row in db_session.execute(query)]


def update_meeting(slug, **values):
    """Give a meeting other values, and raise the revision as every change of it does."""
    row = update(Meeting).where(Meeting.slug == slug)
    with write_tx() as db_session:
        db_session.execute(row.values(lock_version=Meeting.lock_version + 1, **values))


def update_community(**values):
    with write_tx() as db_session:
        db_session.execute(update(Community).values(revision=Community.revision + 1, **values))


def add_registrations(slug, *emails, status="held", **values):
    """Put people on a meeting's roster."""
    with write_tx() as db_session:
        meeting = db_session.scalars(select(Meeting).where(Meeting.slug == slug)).one()
        for email in emails:
            a_registration(db_session, meeting, email, status, **values)
        meeting.lock_version += 1


def mark_notified(slug):
    """Let everybody on a meeting's roster know what holds, as their confirmation told them."""
    with write_tx() as db_session:
        meeting = db_session.scalars(select(Meeting).where(Meeting.slug == slug)).one()
        [inside] = locking.read(db_session, [meeting.id])
        people = update(Registration).where(Registration.meeting_id == meeting.id)
        db_session.execute(people.values(announced=str(inside.snapshot)))


def advance_clock(app, ahead):
    """Let the app's clock show a later time than that of the tests' world."""
    app.extensions["cop.clock"] = lambda: NOW + ahead


PAST = "2026-11-17"  # a session that is over


def example_path(app, rule, *, slug=DECEMBER):
    """An address that a rule answers to."""
    values = {name: _value(rule, name, slug) for name in rule.arguments}
    return app.url_map.bind("localhost").build(rule.endpoint, values, method=min(rule.methods))


def console_paths(app, *, method=None):
    """Every address of the console that is not for everybody, with values that exist."""
    for rule in app.url_map.iter_rules():
        if method and method not in rule.methods:
            continue
        is_open = hasattr(app.view_functions[rule.endpoint], "is_open_to_all")
        if rule.rule.startswith("/coordinator") and not is_open:
            for slug in (DECEMBER, PAST) if "slug" in rule.arguments else (DECEMBER,):
                yield example_path(app, rule, slug=slug)


def _value(rule, name, slug):
    known = {"slug": slug, "filename": "site.css", "token": "unknown"}
    items = getattr(rule._converters[name], "items", None)
    return known.get(name) or (min(items) if items else 1)


CSRF_TOKEN = re.compile(r'name="(csrf_)?token" value="[^"]*"')


class SeparateRequests(FlaskClient):
    """The test client: it checks every page, and gives each request a context of its own.

    Flask gives a request the app context that is open already, and `g` with it: the console's
    token would then live as long as the test.
    """

    sound = set()  # noqa: RUF012 - meant to be shared

    def open(self, *args, **kwargs):
        kwargs.setdefault("buffered", True)  # so that a file that is sent is closed
        response = Context().run(FlaskClient.open, self, *args, **kwargs)
        is_redirect = 300 <= response.status_code < 400  # Werkzeug's page, which nobody sees
        is_plain = "Content-Encoding" not in response.headers
        if response.mimetype == "text/html" and response.data and is_plain and not is_redirect:
            self._check_once(response.get_data(as_text=True))
        return response

    def page(self, path, status=200, **kwargs):
        """Return the parsed page at a path, which must answer with this status."""
        response = self.get(path, **kwargs)
        assert response.status_code == status, (path, response.status_code)
        return parse(response)

    def _check_once(self, html):
        """Check a page, unless one that differs by its token alone was found sound before."""
        without_token = CSRF_TOKEN.sub("", html)
        if without_token not in self.sound:
            check(html, self.application)
            self.sound.add(without_token)


SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
HTMX = {"HX-Request": "true"}
# The client has looked at the whole page already, which costs ten times what looking for this does.
TOKEN = re.compile(r'<input [^>]*name="(csrf_token|token)"[^>]* value="([^"]*)"')


def form_token(client, path="/register"):
    """The token of a form that was fetched."""
    return _tokens(client, path)["token"]


REQUIRED = ("sessions", "name", "email", "token", "leave_blank")


def register(client, sessions="all", headers=(), token=None, path="/register", **answers):
    """Register as Ada, unless the answers say otherwise; save the optional ones afterwards."""
    answers = {"name": "Ada Example", "email": "ada@example.org", "sessions": sessions} | answers
    answers = {name: value for name, value in answers.items() if value is not None}
    answers["token"] = form_token(client) if token is None else token
    optional = {name: answers.pop(name) for name in [*answers] if name not in REQUIRED}
    response = client.post(path, data=answers, headers=SAME_ORIGIN | dict(headers))
    if optional and response.status_code == 303:
        client.post(response.location, data=optional, headers=SAME_ORIGIN)
    return response


FORM_KEY = "f" * 64
CONFIRMATION = f"/registered?form={FORM_KEY}"


def add_confirmation(held=(DECEMBER,), waiting=()):
    """Store a form that was just sent, whose confirmation is at `CONFIRMATION`."""
    values = {"held": list(held), "waiting": list(waiting), "created_at": NOW}
    values |= {"name": "Ada Example", "email": "ada@example.org", "registration_ids": []}
    with write_tx() as db_session:
        db_session.add(Submission(key=FORM_KEY, member_id=None, **values))


def sign_in(client, email="corin@example.org", password=PASSWORD, path="/coordinator/sign-in"):
    """Sign a coordinator in."""
    return post(client, path, email=email, password=password)


def signed_in(client, coordinator_id=1, **values):
    """Sign a client in as a coordinator, without the form and the password."""
    with write_tx() as db_session:
        token = login_sessions.start_session(db_session, coordinator_id, now=NOW, **values)
    with client.session_transaction("/coordinator/") as cookie:
        cookie.update({COOKIE_KEY: token, OWNER_ID: coordinator_id})
    return client


def post(client, path, form_at=None, headers=(), **answers):
    """Send a form of the console, with the token from its page."""
    answers["csrf_token"] = _tokens(client, form_at or path).get("csrf_token", "")
    return client.post(path, data=answers, headers=SAME_ORIGIN | dict(headers))


def submit(client, page, path, headers=(), **answers):
    """Send the form of a page as a browser does, with some answers changed."""
    data = {name: values[0] for name, values in form_values(page.main).items()} | answers
    return client.post(path, data=data, headers=SAME_ORIGIN | dict(headers))


def _tokens(client, path):
    """The tokens on a page that was fetched, by their names."""
    return dict(TOKEN.findall(client.get(path).get_data(as_text=True)))


ADA, GRACE = "ada@example.org", "grace@example.org"
LINKS = Links("", "k" * 40)  # as paths: the tests' site has the same key


def find_member(email=ADA):
    with read_tx() as db_session:
        return db_session.scalars(select(Member).where(Member.email_key == email)).one()


def owner(email=ADA):
    found = find_member(email)
    return Owner(found.id, found.token_version)


def member_path(below="", email=ADA, age=timedelta()):
    """The address of a member's own page, or of one below it, from a mail of some age."""
    return LINKS.member(owner(email), below, on=(NOW - age).date())


def join_path(email=ADA):
    """The way into the first meeting that a member registered for."""
    with read_tx() as db_session:
        query = select(Registration.id).join(Member).where(Member.email_key == email)
        id_ = db_session.scalars(query.order_by(Registration.id)).first()
    return LINKS.join(owner(email), id_)


def unsubscribe_path(kind, email=ADA):
    return LINKS.unsubscribe(find_member(email).id, kind)


def confirm_list_path(email=ADA):
    return LINKS.confirm_list(owner(email))


def press_button(client, path, **sent):
    """Press a button."""
    return client.post(path, data=sent, headers=SAME_ORIGIN)


def outbox_emails(*kinds):
    """(to, subject) of each mail in the outbox, or of those of some kinds."""
    query = select(OutboxEmail.to_address, OutboxEmail.subject).order_by(OutboxEmail.id)
    query = query.where(OutboxEmail.kind.in_(kinds)) if kinds else query
    with read_tx() as db_session:
        return [tuple(row) for row in db_session.execute(query)]


def main_text(page):
    """What a page says, without what every page has around it."""
    return text_of(page.main)


def text_of(tag):
    """The words inside of a tag, with one space between them."""
    return " ".join(tag.get_text(" ").split())


def calendar_path(email=ADA):
    """The address of a member's own calendar."""
    found = find_member(email)
    return LINKS.calendar(found.id, found.calendar_version)
