"""What a new installation begins with, and invented life for trying it out."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from cop.audit import clock_check
from cop.community import community
from cop.community.community import load_community
from cop.errors import Refused
from cop.i18n import N_
from cop.meetings import schedule
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.questions import registry

_REAL_DATA = N_(
    "There are real registrations in this database. Demonstration data goes into a database of its "
    "own: set COP_INSTANCE to another folder."
)

DEMO = Path(__file__).with_name("demo.toml")
DEMO_DOMAIN = "@example.org"


@cache
def _demo() -> dict[str, Any]:
    return tomllib.loads(DEMO.read_text("utf-8"))


def create_site(db_session: Session, *, now: datetime) -> list[str]:
    """Make what a start needs and does not find: the community, and its next meetings.

    Those not while the clock is in doubt: the worker plans them once it may.
    """
    community.create(db_session)
    community.note_write_probe(db_session, now=now)
    if not clock_check.can_plan(load_community(db_session), now=now):
        return []
    return schedule.plan_ahead(db_session, now=now)


def add_demo(db_session: Session, *, now: datetime) -> bool:
    """Add past sessions, two upcoming ones with a topic, and 34 invented people.

    Return False where they are there already.
    """
    is_invented = Member.email_key.endswith(DEMO_DOMAIN)
    if db_session.scalar(select(exists().where(Registration.member_id == Member.id, ~is_invented))):
        raise Refused(_REAL_DATA)
    if db_session.scalar(select(exists().where(Meeting.topic == _demo()["recent"]["topic"]))):
        return False
    if db_session.scalar(select(exists().where(Registration.id.is_not(None)))):
        raise Refused(_REAL_DATA)
    create_site(db_session, now=now)
    rhythm = load_community(db_session).rhythm
    for told in _demo()["past"]:
        _set_texts(schedule.add(db_session, rhythm.on(told["on"]), now=now), told)
    recent = _add_recent(db_session, now=now)
    first, second = _describe_upcoming(db_session, now=now)
    _fill(db_session, _DemoPeople(recent, first, second), now=now)
    return True


def _add_recent(db_session: Session, *, now: datetime) -> Meeting:
    """The last session, with its roster; on a day of its own where the rhythm's is long ago."""
    rhythm = load_community(db_session).rhythm
    occurrence = rhythm.last_before(now)
    by_rhythm = occurrence is not None and now - occurrence.ends_at < timedelta(days=28)
    if occurrence is None or not by_rhythm:
        occurrence = rhythm.on((now - timedelta(days=14)).astimezone(rhythm.zone).date())
    planned = select(Meeting).where(Meeting.occurrence_on == occurrence.on)
    meeting = db_session.scalars(planned).one_or_none() or schedule.add(
        db_session, occurrence, now=now, by_rhythm=by_rhythm
    )
    _set_texts(meeting, _demo()["recent"])
    return meeting


def _describe_upcoming(db_session: Session, *, now: datetime) -> list[Meeting]:
    ahead = (Meeting.starts_at > now) & (Meeting.status == MeetingStatus.PLANNED)
    query = select(Meeting).where(ahead).order_by(Meeting.starts_at).limit(2)
    upcoming = list(db_session.scalars(query))
    for meeting, told in zip(upcoming, _demo()["upcoming"], strict=True):
        _set_texts(meeting, told)
    return upcoming


def _set_texts(meeting: Meeting, told: Mapping[str, Any]) -> None:
    for name, value in told.items():
        if name != "on":
            setattr(meeting, name, value)
    meeting.lock_version += 1


@dataclass(frozen=True)
class _DemoPeople:
    recent: Meeting
    first: Meeting
    second: Meeting


def _fill(db_session: Session, roll: _DemoPeople, *, now: datetime) -> None:
    """Spread the people: the last session attended, the next nearly full, the one after full."""
    answers = _answers()
    for number, (name, organization) in enumerate(_demo()["people"].items()):
        address = f"{name.split()[0]}.{name.split()[-1]}".lower() + DEMO_DOMAIN
        member = Member(email=address, email_key=address)
        db_session.add(member)
        db_session.flush()
        for meeting, status, came in _places(number, roll):
            said = next(answers) if came is None else {}
            # In the order of the list, over the two weeks before the session or before today.
            until = min(now, meeting.starts_at)
            db_session.add(
                Registration(
                    member_id=member.id,
                    meeting_id=meeting.id,
                    status=status,
                    attended=came,
                    registered_at=until - timedelta(days=14) + timedelta(hours=9.7 * number),
                    language="en",
                    name=name,
                    organization=organization,
                    **said,
                )
            )
    db_session.flush()


def _places(
    number: int, roll: _DemoPeople
) -> Iterator[tuple[Meeting, RegistrationStatus, bool | None]]:
    held, waiting, cancelled = RegistrationStatus
    if number < 26:
        yield roll.recent, held, number % 13 not in {4, 8, 11}
    if number >= 4:
        yield roll.first, cancelled if number in {9, 20} else held, None
    if number % 2 == 0 and number < 32:
        queue = held if number < 24 else waiting
        yield roll.second, queue, None
    if number == 33:
        yield roll.second, cancelled, None


def _answers() -> Iterator[dict[str, object]]:
    hats = [choice.value for choice in registry.HATS.choices]
    ways = [choice.value for choice in registry.TAKING_PART.choices]
    told = _demo()["answers"]
    needs = iter(told["access"])
    for number in cycle(range(36)):
        said: dict[str, object] = {
            "hats": list(islice(cycle(hats), number % 9, number % 9 + number % 3)),
            "taking_part": [ways[number % 3]] if number % 2 else [],
            "first_time": number % 4 == 3,
            "pronouns": told["pronouns"][number % 6],
        }
        if number % 7 == 2:
            said["prep_answer"] = told["prep"][number % len(told["prep"])]
        if number % 11 == 5:
            said |= next(needs, {})
        yield said
