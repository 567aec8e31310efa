"""The small groups of a meeting: made for those who come, changed by hand, taken along."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TextIO

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, aliased

from cop.groups import mixing
from cop.mail.recipients import LIVE_STATUSES
from cop.meetings import locking
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.person_names import fold
from cop.web.downloads import guard_formula

DEFAULT_SIZE = 4  # people to a room, unless somebody asks for another number
# What one person, booked for a room, does for everybody in it.
_BOOKED = ("asl", "cart")
_INTERPRETED, _STAYS = "interpretation", "main-room"


@dataclass(frozen=True)
class Person:
    """Somebody who may be in a small group."""

    id: int
    status: str
    name: str
    email: str
    organization: str
    hats: list[str]
    access: list[str]
    access_language: str
    first_time: bool
    attended: bool | None
    room: int | None
    last_room: int | None

    @property
    def is_expected(self) -> bool:
        """Whether they hold a place and are not known to have stayed away, or have come anyhow."""
        return self.came or (self.status == RegistrationStatus.HELD and self.attended is None)

    @property
    def came(self) -> bool:
        return self.attended is True

    @property
    def stays(self) -> bool:
        """Whether they asked to stay in the main room."""
        return _STAYS in self.access

    def to_place(self, *, keeps: bool) -> mixing.Participant:
        """The same person, as the mixing sees them."""
        needs = {need for need in _BOOKED if need in self.access}
        if _INTERPRETED in self.access:
            needs.add(f"{_INTERPRETED} {fold(self.access_language)}")
        return mixing.Participant(
            self.id,
            organization=fold(self.organization),
            hats=frozenset(self.hats),
            is_new=self.first_time,
            needs=frozenset(needs),
            last_room=self.last_room,
            room=self.room if keeps else None,
        )


@dataclass(frozen=True)
class Groups:
    """The people of a meeting by name, and how its rooms were made, if they were."""

    people: tuple[Person, ...]
    size: int | None

    @cached_property
    def rooms(self) -> dict[int, list[Person]]:
        """Who is in each room, also in one that everybody has been moved out of."""
        last = max((person.room or 0 for person in self.people), default=0)
        return {n: [p for p in self.people if p.room == n] for n in range(1, last + 1)}

    @cached_property
    def staying(self) -> list[Person]:
        return [person for person in self.people if person.stays and not person.room]

    @cached_property
    def roomless(self) -> list[Person]:
        """Who is expected, did not ask to stay in the main room, and has no room."""
        return [p for p in self.people if p.is_expected and not (p.stays or p.room)]

    def to_mix(self, *, came: bool) -> list[Person]:
        """Whom to find rooms for: all who are expected, or those who are known to have come."""
        return [p for p in self.people if p.is_expected and not p.stays and (p.came or not came)]


_COLUMNS = [
    getattr(Member if name == "email" else Registration, name)
    for name in Person.__dataclass_fields__
    if name != "last_room"
]


def read_groups(db_session: Session, meeting_id: int) -> Groups:
    """Read who may be in a small group, and which one: one statement."""
    before = aliased(Registration)
    was_there = (
        (before.member_id == Registration.member_id)
        & (before.meeting_id == _meeting_before(meeting_id).scalar_subquery())
        & before.status.in_(LIVE_STATUSES)
    )
    rows = db_session.execute(
        select(*_COLUMNS, before.room, Meeting.room_size)
        .join(Member, Member.id == Registration.member_id)
        .join(Meeting, Meeting.id == Registration.meeting_id)
        .outerjoin(before, was_there)
        .where(Registration.meeting_id == meeting_id, Registration.status.in_(LIVE_STATUSES))
    ).all()
    found = (Person(*row[:-1]) for row in rows)
    people = sorted(
        (person for person in found if person.is_expected or person.room),
        key=lambda person: (person.name.casefold(), person.id),
    )
    return Groups(tuple(people), rows[0].room_size if rows else None)


def _meeting_before(meeting_id: int) -> Select[int]:
    """The last meeting before this one that had small groups."""
    starts_at = select(Meeting.starts_at).where(Meeting.id == meeting_id).scalar_subquery()
    earlier, in_room = aliased(Meeting), aliased(Registration)
    return (
        select(earlier.id)
        .join(in_room, in_room.meeting_id == earlier.id)
        .where(in_room.room.is_not(None), earlier.starts_at < starts_at)
        .order_by(earlier.starts_at.desc())
        .limit(1)
    )


def make_groups(db_session: Session, meeting_id: int, *, size: int, came: bool = False) -> int:
    """Make rooms, each time other ones, for all who are expected or who came; return how many."""
    locking.lock(db_session, [meeting_id])
    groups = read_groups(db_session, meeting_id)
    seed = (db_session.scalar(select(Meeting.room_seed).where(Meeting.id == meeting_id)) or 0) + 1
    _change(db_session, meeting_id, room_size=size, room_seed=seed)
    people = [person.to_place(keeps=False) for person in groups.to_mix(came=came)]
    room_of: dict[int, int | None] = {person.id: None for person in groups.people}
    _write(db_session, room_of | mixing.assign_rooms(people, size, seed=seed))
    return len(people)


def assign_late_arrivals(db_session: Session, meeting_id: int) -> int:
    """Find rooms for those who have none; everybody else keeps theirs. Return how many."""
    locking.lock(db_session, [meeting_id])
    groups = read_groups(db_session, meeting_id)
    new = {person.id for person in groups.roomless}
    people = [p.to_place(keeps=True) for p in groups.people if p.room or p.id in new]
    room_of = mixing.assign_rooms(people, groups.size or DEFAULT_SIZE, seed=len(people))
    _write(db_session, {id_: room for id_, room in room_of.items() if id_ in new})
    return len(new)


def move(db_session: Session, meeting_id: int, room_of: Mapping[int, int | None]) -> int:
    """Put people into other rooms, a new one or none; return how many were elsewhere before."""
    locking.lock(db_session, [meeting_id])
    groups = read_groups(db_session, meeting_id)
    people = {person.id: person.room for person in groups.people}
    moved = {
        id_: room
        for id_, room in room_of.items()
        if people.get(id_, room) != room and (room or 0) <= len(groups.rooms) + 1
    }
    _write(db_session, moved)
    return len(moved)


def _change(db_session: Session, meeting_id: int, **values: int) -> None:
    meeting = update(Meeting).where(Meeting.id == meeting_id).values(**values)
    db_session.execute(meeting)


def _write(db_session: Session, room_of: Mapping[int, int | None]) -> None:
    if room_of:
        rows = [{"id": id_, "room": room} for id_, room in room_of.items()]
        db_session.execute(update(Registration), rows)


def write_csv(db_session: Session, out: TextIO, *, meeting_id: int) -> None:
    """Write the rooms to `out` as Zoom takes them in before a meeting."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("Pre-assign Room Name", "Email Address"))
    for number, people in read_groups(db_session, meeting_id).rooms.items():
        writer.writerows((f"Room {number}", guard_formula(person.email)) for person in people)
