"""Looking at what came back, and at what was stored."""

from sqlalchemy import inspect, select, update

from cop.db import read_tx, write_tx
from cop.domain import meetings
from cop.models import Community, Meeting, Member, Registration
from tests.world import NOW, a_registration

DECEMBER, JANUARY, FEBRUARY = "2026-12-15", "2027-01-19", "2027-02-16"
ALL_SIX = [DECEMBER, JANUARY, FEBRUARY, "2027-03-16", "2027-04-20", "2027-05-18"]


def typed(soup):
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


def refusals(soup):
    """The sentences of the summary on top."""
    return [line.get_text(strip=True) for line in soup.select(".summary li")]


def ticked(soup):
    return typed(soup).get("sessions", [])


def rows(model=Registration):
    """Every row of a table as a dict, by id."""
    key = inspect(model).primary_key[0]
    with read_tx() as db_session:
        found = db_session.execute(select(*inspect(model).columns).order_by(key))
        return [dict(row._mapping) for row in found]


def places():
    """Who has what: (address as typed, slug, status), in the order of registering."""
    query = (
        select(Member.email, Meeting.slug, Registration.status)
        .join(Registration, Registration.member_id == Member.id)
        .join(Meeting, Meeting.id == Registration.meeting_id)
        .order_by(Registration.id)
    )
    with read_tx() as db_session:
        return [tuple(row) for row in db_session.execute(query)]


def change(slug, **values):
    """Give a meeting other values, and raise the revision as every change of it does."""
    row = update(Meeting).where(Meeting.slug == slug)
    with write_tx() as db_session:
        db_session.execute(row.values(lock_version=Meeting.lock_version + 1, **values))


def change_community(**values):
    with write_tx() as db_session:
        db_session.execute(update(Community).values(revision=Community.revision + 1, **values))


def fill(slug, *emails, status="held", **values):
    """Put people on a meeting's roster."""
    with write_tx() as db_session:
        meeting = db_session.scalars(select(Meeting).where(Meeting.slug == slug)).one()
        for email in emails:
            a_registration(db_session, meeting, email, status, **values)
        meeting.lock_version += 1


def tell(slug):
    """Let everybody on a meeting's roster know what holds, as their confirmation told them."""
    with write_tx() as db_session:
        meeting = db_session.scalars(select(Meeting).where(Meeting.slug == slug)).one()
        [inside] = meetings.look(db_session, [meeting.id])
        people = update(Registration).where(Registration.meeting_id == meeting.id)
        db_session.execute(people.values(announced=str(inside.snapshot)))


def turn_clock(app, ahead):
    """Let the app's clock show a later time than that of the tests' world."""
    app.extensions["cop.clock"] = lambda: NOW + ahead
