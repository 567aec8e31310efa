"""The small groups of a meeting: mixed for those who are expected, changed by hand, exported."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TextIO

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from cop.groups import mixing
from cop.mail.recipients import LIVE_STATUSES
from cop.meetings import locking
from cop.models.meeting import Meeting
from cop.models.registration import Registration
from cop.person_names import fold
from cop.registration.people import live_registrations
from cop.web.downloads import guard_formula

DEFAULT_SIZE = 4  # people to a room
# One booked person serves everybody in a room who needs the same.
_BOOKED = ("asl", "cart")
_INTERPRETATION = "interpretation"


@dataclass(frozen=True)
class Groups:
    """The people of a meeting by name, and how its rooms were made, if they were."""

    people: tuple[Registration, ...]
    last_rooms: Mapping[int, int | None]  # at the meeting before, by registration
    size: int | None

    @cached_property
    def rooms(self) -> dict[int, list[Registration]]:
        """Who is in each room, including rooms that everybody has been moved out of."""
        last = max((person.room or 0 for person in self.people), default=0)
        return {n: [p for p in self.people if p.room == n] for n in range(1, last + 1)}

    @cached_property
    def staying(self) -> list[Registration]:
        return [p for p in self.people if p.stays_in_main_room and not p.room]

    @cached_property
    def roomless(self) -> list[Registration]:
        """Who is expected, did not ask to stay in the main room, and has no room."""
        return [p for p in self.to_mix() if not p.room]

    def to_mix(self, *, attended_only: bool = False) -> list[Registration]:
        """Whom to find rooms for: all who are expected, or those known to have attended."""
        expected = (p for p in self.people if p.is_expected and not p.stays_in_main_room)
        return [p for p in expected if p.attended or not attended_only]

    def assign_rooms(
        self, people: Iterable[Registration], size: int, *, seed: int, keep_rooms: bool = False
    ) -> dict[int, int]:
        """Find rooms for people; return them by registration."""
        participants = [
            mixing.Participant(
                person.id,
                organization=fold(person.organization),
                hats=frozenset(person.hats),
                is_new=person.first_time,
                needs=_needs(person),
                last_room=self.last_rooms[person.id],
                room=person.room if keep_rooms else None,
            )
            for person in people
        ]
        return mixing.assign_rooms(participants, size, seed=seed)


def _needs(person: Registration) -> frozenset[str]:
    needs = {need for need in _BOOKED if need in person.access}
    if _INTERPRETATION in person.access:
        needs.add(f"{_INTERPRETATION} {fold(person.access_language)}")
    return frozenset(needs)


def read_groups(db_session: Session, meeting_id: int) -> Groups:
    """Read who may be in a small group, and in which one: one statement."""
    before = aliased(Registration)
    was_there = (
        (before.member_id == Registration.member_id)
        & (before.meeting_id == _meeting_before(meeting_id).scalar_subquery())
        & before.status.in_(LIVE_STATUSES)
    )
    rows = db_session.execute(
        live_registrations(meeting_id)
        .add_columns(before.room, Meeting.room_size)
        .join(Meeting, Meeting.id == Registration.meeting_id)
        .outerjoin(before, was_there)
    ).all()
    people = [person for person, _, _ in rows if person.is_expected or person.room]
    return Groups(
        tuple(sorted(people, key=lambda person: (person.name.casefold(), person.id))),
        {person.id: last_room for person, last_room, _ in rows},
        rows[0].room_size if rows else None,
    )


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


def make_groups(
    db_session: Session, meeting_id: int, *, size: int, attended_only: bool = False
) -> int:
    """Make new rooms, different each time, and return how many people got one."""
    locking.lock(db_session, [meeting_id])
    meeting = db_session.get_one(Meeting, meeting_id, populate_existing=True)
    meeting.room_size, meeting.room_seed = size, (meeting.room_seed or 0) + 1
    groups = read_groups(db_session, meeting_id)
    people = groups.to_mix(attended_only=attended_only)
    room_of = groups.assign_rooms(people, size, seed=meeting.room_seed)
    for person in groups.people:
        person.room = room_of.get(person.id)
    return len(people)


def assign_late_arrivals(db_session: Session, meeting_id: int) -> int:
    """Find rooms for those who have none; everybody else keeps theirs. Return how many."""
    locking.lock(db_session, [meeting_id])
    groups = read_groups(db_session, meeting_id)
    late = groups.roomless
    people = [*(person for person in groups.people if person.room), *late]
    size = groups.size or DEFAULT_SIZE
    room_of = groups.assign_rooms(people, size, seed=len(people), keep_rooms=True)
    for person in late:
        person.room = room_of[person.id]
    return len(late)


def move(db_session: Session, meeting_id: int, room_of: Mapping[int, int | None]) -> int:
    """Move people to other rooms, a new one or none; return how many were elsewhere before."""
    locking.lock(db_session, [meeting_id])
    groups = read_groups(db_session, meeting_id)
    last = len(groups.rooms) + 1
    moved = [
        person
        for person in groups.people
        if (room := room_of.get(person.id, person.room)) != person.room and (room or 0) <= last
    ]
    for person in moved:
        person.room = room_of[person.id]
    return len(moved)


def write_csv(db_session: Session, out: TextIO, *, meeting_id: int) -> None:
    """Write the rooms to `out` in the format of Zoom's room pre-assignment."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("Pre-assign Room Name", "Email Address"))
    for number, people in read_groups(db_session, meeting_id).rooms.items():
        writer.writerows((f"Room {number}", guard_formula(p.member.email)) for p in people)
