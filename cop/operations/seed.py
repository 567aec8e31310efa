"""The first data of a new installation, and demonstration data."""

import tomllib
from collections.abc import Iterator, Mapping
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
from cop.meetings import locking, planning
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.questions import registry

DEMO = Path(__file__).with_name("demo.toml")
DEMO_DOMAIN = "@example.org"


@cache
def _demo() -> dict[str, Any]:
    return tomllib.loads(DEMO.read_text("utf-8"))


def create_site(db_session: Session, *, now: datetime) -> list[str]:
    """Create the community and its next meetings where they are missing.

    While the clock is in doubt, no meetings are created: the worker plans them later.
    """
    community.create(db_session)
    community.note_write_probe(db_session, now=now)
    if not clock_check.can_plan(load_community(db_session), now=now):
        return []
    return planning.plan_ahead(db_session, now=now)


def add_demo(db_session: Session, *, now: datetime) -> bool:
    """Add past sessions, two upcoming ones with a topic, and 34 invented people.

    Return False if they are there already.

    Raises:
        Refused: the database holds real registrations.
    """
    has_demo = db_session.scalar(
        select(exists().where(Meeting.topic == _demo()["recent"]["topic"]))
    )
    is_real = exists().where(Registration.member_id == Member.id)
    if has_demo:
        is_real = is_real.where(~Member.email_key.endswith(DEMO_DOMAIN))
    if db_session.scalar(select(is_real)):
        raise Refused(
            N_(
                "This database has real registrations, so no demo data was added. Set COP_INSTANCE "
                "to another folder to try the demo data there."
            )
        )
    if has_demo:
        return False
    create_site(db_session, now=now)
    rhythm = load_community(db_session).rhythm
    for texts in _demo()["past"]:
        _set_texts(planning.add_meeting(db_session, rhythm.on(texts["on"]), now=now), texts)
    recent = _add_recent(db_session, now=now)
    first, second = _describe_upcoming(db_session, now=now)
    _fill(db_session, [recent, first, second], now=now)
    return True


def _add_recent(db_session: Session, *, now: datetime) -> Meeting:
    """The last session, or one two weeks ago if the rule's last date is long ago."""
    rhythm = load_community(db_session).rhythm
    occurrence = rhythm.last_before(now)
    by_rule = occurrence is not None and now - occurrence.ends_at < timedelta(days=28)
    if occurrence is None or not by_rule:
        occurrence = rhythm.on((now - timedelta(days=14)).astimezone(rhythm.zone).date())
    query = select(Meeting).where(Meeting.occurrence_on == occurrence.on)
    meeting = db_session.scalars(query).one_or_none() or planning.add_meeting(
        db_session, occurrence, now=now, by_rule=by_rule
    )
    _set_texts(meeting, _demo()["recent"])
    return meeting


def _describe_upcoming(db_session: Session, *, now: datetime) -> list[Meeting]:
    is_upcoming = (Meeting.starts_at > now) & (Meeting.status == MeetingStatus.PLANNED)
    query = select(Meeting).where(is_upcoming).order_by(Meeting.starts_at).limit(2)
    upcoming = list(db_session.scalars(query))
    for meeting, texts in zip(upcoming, _demo()["upcoming"], strict=True):
        _set_texts(meeting, texts)
    return upcoming


def _set_texts(meeting: Meeting, texts: Mapping[str, Any]) -> None:
    for name, value in texts.items():
        if name != "on":
            setattr(meeting, name, value)
    meeting.lock_version += 1


def _fill(db_session: Session, meetings: list[Meeting], *, now: datetime) -> None:
    """Register the people: the next session is nearly full, the one after it full."""
    answers = _answers()
    facts = locking.read(db_session, [meeting.id for meeting in meetings])
    announced = {meeting.id: str(meeting.snapshot) for meeting in facts}
    for number, (name, organization) in enumerate(_demo()["people"].items()):
        address = f"{name.split()[0]}.{name.split()[-1]}".lower() + DEMO_DOMAIN
        member = Member(email=address, email_key=address)
        db_session.add(member)
        db_session.flush()
        for meeting, status, attended in _registrations(number, *meetings):
            # Spread over the two weeks before the session, or before today.
            until = min(now, meeting.starts_at)
            db_session.add(
                Registration(
                    member_id=member.id,
                    meeting_id=meeting.id,
                    status=status,
                    attended=attended,
                    registered_at=until - timedelta(days=14) + timedelta(hours=9.7 * number),
                    language="en",
                    name=name,
                    organization=organization,
                    announced=announced[meeting.id],
                    **(next(answers) if attended is None else {}),
                )
            )
    db_session.flush()


def _registrations(
    number: int, recent: Meeting, first: Meeting, second: Meeting
) -> Iterator[tuple[Meeting, RegistrationStatus, bool | None]]:
    """The registrations of the person with this number: meeting, status, attended."""
    held, waiting, cancelled = RegistrationStatus
    if number < 26:
        yield recent, held, number % 13 not in {4, 8, 11}
    if number >= 4:
        yield first, cancelled if number in {9, 20} else held, None
    if number % 2 == 0 and number < 32:
        yield second, held if number < 24 else waiting, None
    if number == 33:
        yield second, cancelled, None


def _answers() -> Iterator[dict[str, object]]:
    """Yield the answers of one registration after another, without end."""
    hats = [choice.value for choice in registry.HATS.choices]
    taking_part = [choice.value for choice in registry.TAKING_PART.choices]
    texts = _demo()["answers"]
    access_needs = iter(texts["access"])
    for number in cycle(range(36)):
        answers: dict[str, object] = {
            # None, one or two of them, from another start each time.
            "hats": list(islice(cycle(hats), number % 9, number % 9 + number % 3)),
            "taking_part": [taking_part[number % 3]] if number % 2 else [],
            "first_time": number % 4 == 3,
            "pronouns": texts["pronouns"][number % 6],
        }
        if number % 7 == 2:
            answers["prep_answer"] = texts["prep"][number % len(texts["prep"])]
        if number % 11 == 5:
            answers |= next(access_needs, {})
        yield answers
