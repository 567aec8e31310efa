"""The small groups of a meeting: mixed, changed by hand, exported."""

import csv
from collections.abc import Mapping, Sequence
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
from cop.registration.people import select_live_registrations
from cop.web.downloads import guard_formula

DEFAULT_SIZE = 4  # people to a room


@dataclass(frozen=True)
class Groups:
    """The people of a meeting, sorted by name, and the rooms they are in."""

    people: tuple[Registration, ...]
    last_rooms: Mapping[int, int | None]  # at the last meeting with groups, by registration id
    size: int | None  # people to a room, if rooms were made

    @cached_property
    def rooms(self) -> dict[int, list[Registration]]:
        """The people in each room, including rooms that everybody has been moved out of."""
        count = max((person.room or 0 for person in self.people), default=0)
        return {n: [p for p in self.people if p.room == n] for n in range(1, count + 1)}

    @cached_property
    def staying(self) -> list[Registration]:
        """The people who asked to stay in the main room."""
        return [p for p in self.people if p.stays_in_main_room and not p.room]

    @cached_property
    def roomless(self) -> list[Registration]:
        """The expected people without a room who did not ask to stay in the main room."""
        return [p for p in self.to_mix() if not p.room]

    def to_mix(self, *, attended_only: bool = False) -> list[Registration]:
        """The people to find rooms for: all who are expected, or only those who attended."""
        expected = (p for p in self.people if p.is_expected and not p.stays_in_main_room)
        return [p for p in expected if p.attended or not attended_only]

    def assign_rooms(self, people: Sequence[Registration], size: int, *, seed: int) -> None:
        """Assign rooms to people; those who have a room keep it."""
        participants = [
            mixing.Participant(
                person.id,
                organization=fold(person.organization),
                hats=frozenset(person.hats),
                is_new=person.first_time,
                needs=_needs(person),
                last_room=self.last_rooms[person.id],
                room=person.room,
            )
            for person in people
        ]
        room_of = mixing.assign_rooms(participants, size, seed=seed)
        for person in people:
            person.room = room_of[person.id]


def _needs(person: Registration) -> frozenset[str]:
    """Needs that one interpreter or captioner can serve for everybody in a room."""
    needs = {"asl", "cart"}.intersection(person.access)
    if "interpretation" in person.access:
        needs.add(f"interpretation {fold(person.access_language)}")
    return frozenset(needs)


def read_groups(db_session: Session, meeting_id: int) -> Groups:
    """Read the people who may be in a small group, in one statement."""
    earlier = aliased(Registration)
    is_same_member = (
        (earlier.member_id == Registration.member_id)
        & (earlier.meeting_id == _select_last_grouped(meeting_id).scalar_subquery())
        & earlier.status.in_(LIVE_STATUSES)
    )
    rows = db_session.execute(
        select_live_registrations(meeting_id)
        .add_columns(earlier.room, Meeting.room_size)
        .join(Meeting, Meeting.id == Registration.meeting_id)
        .outerjoin(earlier, is_same_member)
    ).all()
    people = [person for person, _, _ in rows if person.is_expected or person.room]
    return Groups(
        tuple(sorted(people, key=lambda person: (person.name.casefold(), person.id))),
        {person.id: last_room for person, last_room, _ in rows},
        rows[0].room_size if rows else None,
    )


def _select_last_grouped(meeting_id: int) -> Select[int]:
    """Select the id of the last meeting before this one that had small groups."""
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
    for person in groups.people:
        person.room = None
    groups.assign_rooms(people, size, seed=meeting.room_seed)
    return len(people)


def assign_late_arrivals(db_session: Session, meeting_id: int) -> int:
    """Find rooms for people without one, moving nobody else; return how many."""
    locking.lock(db_session, [meeting_id])
    groups = read_groups(db_session, meeting_id)
    late = groups.roomless
    people = [*(person for person in groups.people if person.room), *late]
    groups.assign_rooms(people, groups.size or DEFAULT_SIZE, seed=len(people))
    return len(late)


def move(db_session: Session, meeting_id: int, room_of: Mapping[int, int | None]) -> int:
    """Move people to other rooms, a new one or none; return how many moved."""
    locking.lock(db_session, [meeting_id])
    groups = read_groups(db_session, meeting_id)
    new_room = len(groups.rooms) + 1
    moved = [
        person
        for person in groups.people
        if (room := room_of.get(person.id, person.room)) != person.room and (room or 0) <= new_room
    ]
    for person in moved:
        person.room = room_of[person.id]
    return len(moved)


def write_csv(db_session: Session, out: TextIO, *, meeting_id: int) -> None:
    """Write the rooms to `out` as CSV, in the format of Zoom's room pre-assignment."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("Pre-assign Room Name", "Email Address"))
    for number, people in read_groups(db_session, meeting_id).rooms.items():
        writer.writerows((f"Room {number}", guard_formula(p.member.email)) for p in people)
