"""Small groups: who meets whom in which room. Nothing here knows the database.

Two people in one room cost something when they have much in common, and the arrangement with the
lowest sum is sought: 100 where both were in one room last time, 10 where they are of the same
organization, 3 where both are new, 1 for each hat that both wear. People who need the same
interpreter or captioner share a room, whatever it costs, so that one booked person serves them;
whoever asks for two kinds brings both together.

People come in the order of a shuffle, each into the room with a free seat where they cost least;
then any two change places as long as that lowers the sum. The same seed gives the same rooms.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil

MET_BEFORE_COST, SAME_ORGANIZATION_COST, BOTH_NEW_COST, SAME_HAT_COST = 100, 10, 3, 1
SWEEPS = 6  # over all pairs; most arrangements are as good as they get after three
MOST_PAIRS = 500_000  # to look at in all, so that a large community gets its rooms as soon


@dataclass(frozen=True)
class Participant:
    """Somebody to find a room for."""

    id: int
    organization: str = ""  # folded
    hats: frozenset[str] = frozenset()
    is_new: bool = False
    needs: frozenset[str] = frozenset()  # what one booked person in the room can do for several
    last_room: int | None = None
    room: int | None = None  # that they have already, and keep


def cost(one: Participant, other: Participant) -> int:
    """What it costs that two people share a room."""
    return (
        MET_BEFORE_COST * (one.last_room is not None and one.last_room == other.last_room)
        + SAME_ORGANIZATION_COST * bool(one.organization and one.organization == other.organization)
        + BOTH_NEW_COST * (one.is_new and other.is_new)
        + SAME_HAT_COST * len(one.hats & other.hats)
    )


def assign_rooms(people: Sequence[Participant], size: int, *, seed: int) -> dict[int, int]:
    """Give everybody a room, from 1 on, with about `size` people in each; return it by their ids.

    Rooms differ by one person at most, but where more need the same interpreter, or where people
    keep rooms that differ more. Nobody is alone who need not be.
    """
    plan = _Plan(people, seed=seed)
    plan.open_rooms(size)
    for who in range(len(plan.people)):
        if plan.room_of[who] is None:
            plan.seat(who, plan.cheapest_room(who))
    plan.improve()
    return {person.id: plan.number_of(who) for who, person in enumerate(plan.people)}


class _Plan:
    """An arrangement as it grows: everybody by their place in a shuffled row, rooms from 0 on."""

    def __init__(self, people: Iterable[Participant], *, seed: int) -> None:
        self.people = sorted(people, key=lambda person: person.id)
        random.Random(seed).shuffle(self.people)  # noqa: S311 - it mixes groups
        self.costs = [[0] * len(self.people) for _ in self.people]
        for (i, one), (j, other) in combinations(enumerate(self.people), 2):
            self.costs[i][j] = self.costs[j][i] = cost(one, other)
        self.room_of: list[int | None] = [None] * len(self.people)
        self.pinned: set[int] = set()
        self.free: list[int] = []  # seats, by room
        self.in_room: list[list[int]] = []  # what everybody costs in a room, by room

    def number_of(self, who: int) -> int:
        return (self.room_of[who] or 0) + 1

    def open_rooms(self, size: int) -> None:
        """Open rooms, as many as leave nobody alone, and seat those whose room is not free."""
        kept = max((person.room or 0 for person in self.people), default=0)
        count = max(kept, ceil(len(self.people) / size), 1)
        seated, seats = self._seated(count)
        while count > max(kept, 1):
            fewer, in_fewer = self._seated(count - 1)
            is_enough = count - 1 > kept > 0 and max(in_fewer[kept:]) <= size
            if min(seats[kept:]) >= 2 and not is_enough:
                break
            count, seated, seats = count - 1, fewer, in_fewer
        self.free = seats
        self.in_room = [[0] * len(self.people) for _ in range(count)]
        for who, room in seated.items():
            self.seat(who, room)
        self.pinned = set(seated)

    def _seated(self, count: int) -> tuple[dict[int, int], list[int]]:
        """Those with a room already and those who need one together; and every room's seats."""
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
        """Those who need the same, or would if somebody did not need both; the largest first."""
        bundles: list[tuple[set[str], list[int]]] = []
        for who, person in enumerate(self.people):
            if person.needs:
                touched = [bundle for bundle in bundles if bundle[0] & person.needs]
                needs = person.needs.union(*(bundle[0] for bundle in touched))
                members = [who, *(member for bundle in touched for member in bundle[1])]
                bundles = [bundle for bundle in bundles if bundle not in touched]
                bundles.append((set(needs), members))
        found = [members for _, members in bundles if len(members) > 1]
        return sorted(found, key=lambda members: (-len(members), min(members)))

    def cheapest_room(self, who: int) -> int:
        """The room with a free seat where somebody costs least, and of those the emptiest."""
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
        """Let any two change places as long as that lowers the sum."""
        movable = [who for who in range(len(self.people)) if who not in self.pinned]
        pairs = len(movable) ** 2 // 2
        for _ in range(max(1, min(SWEEPS, MOST_PAIRS // (pairs or 1)))):
            if not sum(self._swapped(*pair) for pair in combinations(movable, 2)):
                break

    def _swapped(self, one: int, other: int) -> bool:
        """Swap two people if that costs less."""
        here, there = self.number_of(one) - 1, self.number_of(other) - 1
        in_here, in_there = self.in_room[here], self.in_room[there]
        now = in_here[one] + in_there[other]
        then = in_there[one] + in_here[other] - 2 * self.costs[one][other]
        if here == there or then >= now:
            return False
        self.room_of[one], self.room_of[other] = there, here
        for who, room, sign in ((one, here, -1), (other, here, 1), (other, there, -1),
                                (one, there, 1)):  # fmt: skip
            self._add(who, room, sign)
        return True
