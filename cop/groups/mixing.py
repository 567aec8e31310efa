"""The mixing algorithm: put people with much in common into different rooms.

Each pair in one room costs 100 if they shared a room last time, 10 if they have the same
organization, 3 if both are new, and 1 for each hat that both wear; the sum is minimized. People who
need the same interpreter or captioner share a room, whatever that costs, so that one of those is
enough. Somebody who needs two kinds unites the people of both kinds in one room.

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
    needs: frozenset[str] = frozenset()  # for which one interpreter or captioner per room is enough
    last_room: int | None = None
    room: int | None = None  # already assigned, and to be kept


def cost(one: Participant, other: Participant) -> int:
    """The cost of two people sharing a room."""
    return (
        MET_BEFORE_COST * (one.last_room is not None and one.last_room == other.last_room)
        + SAME_ORGANIZATION_COST * bool(one.organization and one.organization == other.organization)
        + BOTH_NEW_COST * (one.is_new and other.is_new)
        + SAME_HAT_COST * len(one.hats & other.hats)
    )


def assign_rooms(people: Sequence[Participant], size: int, *, seed: int) -> dict[int, int]:
    """Assign everybody to a room of about `size`; return room numbers (from 1) by id.

    Sizes differ by at most one, unless more people share a need or the rooms that people keep
    differ more. Nobody is alone if that can be avoided.
    """
    plan = _Plan(people, seed=seed)
    plan.open_rooms(size)
    for who in range(len(plan.people)):
        if who not in plan.room_of:
            plan.seat(who, plan.cheapest_room(who))
    plan.improve()
    return {person.id: plan.room_of[who] + 1 for who, person in enumerate(plan.people)}


class _Plan:
    """An assignment in progress.

    People (`who`) are indexes into the shuffled list `people`; rooms are numbered from 0.
    """

    def __init__(self, people: Iterable[Participant], *, seed: int) -> None:
        self.people = sorted(people, key=lambda person: person.id)
        random.Random(seed).shuffle(self.people)  # noqa: S311 - not for security
        self.costs = [[0] * len(self.people) for _ in self.people]
        for (i, one), (j, other) in combinations(enumerate(self.people), 2):
            self.costs[i][j] = self.costs[j][i] = cost(one, other)
        self.room_of: dict[int, int] = {}
        self.pinned: set[int] = set()  # people who may not be moved
        self.free: list[int] = []  # number of free seats, by room
        self.costs_in: list[list[int]] = []  # what each person would cost in a room, by room

    def open_rooms(self, size: int) -> None:
        """Open rooms so that nobody is alone, and seat those whose room is fixed."""
        # Rooms are kept up to the highest one that somebody is in; those after it are new.
        kept = max((person.room or 0 for person in self.people), default=0)
        count = max(kept, ceil(len(self.people) / size), 1)
        seated, sizes = self._seated(count)
        while count > max(kept, 1):
            # Close the last room while a new room has fewer than two people, or if people keep
            # rooms and the other new rooms suffice.
            fewer_seated, fewer_sizes = self._seated(count - 1)
            is_one_less_enough = count - 1 > kept > 0 and max(fewer_sizes[kept:]) <= size
            if min(sizes[kept:]) >= 2 and not is_one_less_enough:
                break
            count, seated, sizes = count - 1, fewer_seated, fewer_sizes
        self.free = sizes
        self.costs_in = [[0] * len(self.people) for _ in range(count)]
        for who, room in seated.items():
            self.seat(who, room)
        self.pinned = set(seated)

    def _seated(self, count: int) -> tuple[dict[int, int], list[int]]:
        """Choose the rooms of people who have one or share a need, out of `count` rooms.

        Return those, and the sizes of all rooms, over which the others are spread evenly.
        """
        seated = {who: p.room - 1 for who, p in enumerate(self.people) if p.room}
        sizes = [0] * count
        for room in seated.values():
            sizes[room] += 1
        for bundle in self._bundles():
            rooms = [seated[who] for who in bundle if who in seated]
            room = rooms[0] if rooms else sizes.index(min(sizes))
            for who in bundle:
                if who not in seated:
                    seated[who] = room
                    sizes[room] += 1
        for _ in range(len(self.people) - len(seated)):
            sizes[sizes.index(min(sizes))] += 1
        return seated, sizes

    def _bundles(self) -> list[list[int]]:
        """Groups of people connected by shared needs, the largest first."""
        bundles: list[tuple[set[str], list[int]]] = []  # needs, and the people who have them
        for who, person in enumerate(self.people):
            if person.needs:
                touched = [bundle for bundle in bundles if bundle[0] & person.needs]
                needs = person.needs.union(*(other_needs for other_needs, _ in touched))
                members = [who, *(other for _, others in touched for other in others)]
                bundles = [bundle for bundle in bundles if bundle not in touched]
                bundles.append((set(needs), members))
        shared = [members for _, members in bundles if len(members) > 1]
        return sorted(shared, key=lambda members: (-len(members), min(members)))

    def cheapest_room(self, who: int) -> int:
        """The room with a free seat that costs least; of equal ones the emptiest."""
        rooms = [room for room, free in enumerate(self.free) if free > 0]
        return min(rooms, key=lambda room: (self.costs_in[room][who], -self.free[room]))

    def seat(self, who: int, room: int) -> None:
        self.room_of[who] = room
        self.free[room] -= 1
        self._add(who, room, 1)

    def _add(self, who: int, room: int, sign: int) -> None:
        """Add the costs of a person to a room, or subtract them if `sign` is -1."""
        self.costs_in[room] = [
            total + sign * pair_cost
            for total, pair_cost in zip(self.costs_in[room], self.costs[who], strict=True)
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
        costs_here, costs_there = self.costs_in[here], self.costs_in[there]
        before = costs_here[one] + costs_there[other]
        # Each would leave the room that the other enters, so the pair's own cost is not incurred.
        after = costs_there[one] + costs_here[other] - 2 * self.costs[one][other]
        if here == there or after >= before:
            return False
        for who, left, entered in ((one, here, there), (other, there, here)):
            self.room_of[who] = entered
            self._add(who, left, -1)
            self._add(who, entered, 1)
        return True
