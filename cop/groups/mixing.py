"""The mixing algorithm: assign people to rooms so that those who have much in common are apart.

A pair in one room costs 100 if they shared a room last time, 10 if they are of one organization,
3 if both are new, and 1 for each hat that both wear; the sum is minimized. People who need the same
interpreter or captioner share a room, whatever it costs, so that one booked person serves them;
whoever needs two kinds brings both groups together.

Greedy, then local search: people are shuffled, each gets the cheapest room with a free seat, then
pairs swap rooms as long as that lowers the sum. The same seed gives the same rooms.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil

MET_BEFORE_COST, SAME_ORGANIZATION_COST, BOTH_NEW_COST, SAME_HAT_COST = 100, 10, 3, 1
MAX_SWEEPS = 6  # over all pairs; most arrangements stop improving after three
MAX_PAIRS = 500_000  # compared in all sweeps: bounds the time for large sessions


@dataclass(frozen=True)
class Participant:
    """A person to assign to a room."""

    id: int
    organization: str = ""  # folded
    hats: frozenset[str] = frozenset()
    is_new: bool = False
    needs: frozenset[str] = frozenset()  # that one booked person can serve for a whole room
    last_room: int | None = None
    room: int | None = None  # assigned already, and not changed


def cost(one: Participant, other: Participant) -> int:
    """The cost of two people sharing a room."""
    return (
        MET_BEFORE_COST * (one.last_room is not None and one.last_room == other.last_room)
        + SAME_ORGANIZATION_COST * bool(one.organization and one.organization == other.organization)
        + BOTH_NEW_COST * (one.is_new and other.is_new)
        + SAME_HAT_COST * len(one.hats & other.hats)
    )


def assign_rooms(people: Sequence[Participant], size: int, *, seed: int) -> dict[int, int]:
    """Assign everybody to a room of about `size` people; return room numbers, from 1, by id.

    Sizes differ by one at most, except where more people share a need, or keep rooms of sizes that
    differ more. Nobody is alone where that can be avoided.
    """
    plan = _Plan(people, seed=seed)
    plan.open_rooms(size)
    for who in range(len(plan.people)):
        if who not in plan.room_of:
            plan.seat(who, plan.cheapest_room(who))
    plan.improve()
    return {person.id: plan.room_of[who] + 1 for who, person in enumerate(plan.people)}


class _Plan:
    """An assignment in progress: people by their index in the shuffled list, rooms from 0."""

    def __init__(self, people: Iterable[Participant], *, seed: int) -> None:
        self.people = sorted(people, key=lambda person: person.id)
        random.Random(seed).shuffle(self.people)  # noqa: S311 - not for security
        self.costs = [[0] * len(self.people) for _ in self.people]
        for (i, one), (j, other) in combinations(enumerate(self.people), 2):
            self.costs[i][j] = self.costs[j][i] = cost(one, other)
        self.room_of: dict[int, int] = {}
        self.pinned: set[int] = set()
        self.free: list[int] = []  # free seats, by room
        self.in_room: list[list[int]] = []  # what each person would cost in a room, by room

    def open_rooms(self, size: int) -> None:
        """Open as many rooms as leave nobody alone, and seat those whose room is fixed."""
        fixed = max((person.room or 0 for person in self.people), default=0)
        count = max(fixed, ceil(len(self.people) / size), 1)
        seated, seats = self._seated(count)
        while count > max(fixed, 1):
            fewer, in_fewer = self._seated(count - 1)
            is_enough = count - 1 > fixed > 0 and max(in_fewer[fixed:]) <= size
            if min(seats[fixed:]) >= 2 and not is_enough:
                break
            count, seated, seats = count - 1, fewer, in_fewer
        self.free = seats
        self.in_room = [[0] * len(self.people) for _ in range(count)]
        for who, room in seated.items():
            self.seat(who, room)
        self.pinned = set(seated)

    def _seated(self, count: int) -> tuple[dict[int, int], list[int]]:
        """Fix those with a room and those who share a need; return them and all rooms' sizes."""
        seated = {who: p.room - 1 for who, p in enumerate(self.people) if p.room}
        seats = [0] * count
        for room in seated.values():
            seats[room] += 1
        for bundle in self._bundles():
            rooms = [seated[who] for who in bundle if who in seated]
            room = rooms[0] if rooms else seats.index(min(seats))
            for who in bundle:
                if who not in seated:
                    seated[who] = room
                    seats[room] += 1
        for _ in range(len(self.people) - len(seated)):
            seats[seats.index(min(seats))] += 1
        return seated, seats

    def _bundles(self) -> list[list[int]]:
        """Groups of people connected by shared needs, the largest first."""
        bundles: list[tuple[set[str], list[int]]] = []
        for who, person in enumerate(self.people):
            if person.needs:
                touched = [bundle for bundle in bundles if bundle[0] & person.needs]
                needs = person.needs.union(*(bundle[0] for bundle in touched))
                members = [who, *(member for bundle in touched for member in bundle[1])]
                bundles = [bundle for bundle in bundles if bundle not in touched]
                bundles.append((set(needs), members))
        shared = [members for _, members in bundles if len(members) > 1]
        return sorted(shared, key=lambda members: (-len(members), min(members)))

    def cheapest_room(self, who: int) -> int:
        """The room with a free seat that costs least, and of those the emptiest."""
        rooms = [room for room, free in enumerate(self.free) if free > 0]
        return min(rooms, key=lambda room: (self.in_room[room][who], -self.free[room]))

    def seat(self, who: int, room: int) -> None:
        self.room_of[who] = room
        self.free[room] -= 1
        self._add(who, room, 1)

    def _add(self, who: int, room: int, sign: int) -> None:
        self.in_room[room] = [
            so_far + sign * more
            for so_far, more in zip(self.in_room[room], self.costs[who], strict=True)
        ]

    def improve(self) -> None:
        """Swap pairs as long as that lowers the sum."""
        movable = [who for who in range(len(self.people)) if who not in self.pinned]
        pairs = len(movable) ** 2 // 2
        for _ in range(max(1, min(MAX_SWEEPS, MAX_PAIRS // (pairs or 1)))):
            if not sum(self._swap(*pair) for pair in combinations(movable, 2)):
                break

    def _swap(self, one: int, other: int) -> bool:
        """Swap two people if that lowers the sum; return whether it did."""
        here, there = self.room_of[one], self.room_of[other]
        in_here, in_there = self.in_room[here], self.in_room[there]
        before = in_here[one] + in_there[other]
        after = in_there[one] + in_here[other] - 2 * self.costs[one][other]
        if here == there or after >= before:
            return False
        for who, left, entered in ((one, here, there), (other, there, here)):
            self.room_of[who] = entered
            self._add(who, left, -1)
            self._add(who, entered, 1)
        return True
