"""Small groups: the mixing algorithm, and the groups of a meeting."""

import random
import time
from collections import Counter
from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cop.groups import groups
from cop.groups.mixing import Participant, assign_rooms, cost
from tests.builders import NOW, a_meeting, a_registration, registrations

HATS = ["analyst", "evaluator", "researcher", "case-manager"]


def sizes(room_of):
    return sorted(Counter(room_of.values()).values())


def pairs(people, room_of):
    return [(a, b) for a, b in combinations(people, 2) if room_of[a.id] == room_of[b.id]]


def a_community(count, *, seed=7):
    """Invented people: a quarter of one organization, many hats, some new, some met last time."""
    chance = random.Random(seed)
    return [
        Participant(
            number,
            organization=chance.choice(["harbor", "", *(f"org {n}" for n in range(count // 3))])
            if number % 4
            else "harbor",
            hats=frozenset(chance.sample(HATS, chance.randrange(3))),
            is_new=number % 5 == 0,
            last_room=number // 4 if number % 3 else None,
        )
        for number in range(count)
    ]


def test_mixing_is_far_better_than_chance_and_repeats_no_pair():
    people = a_community(48)
    at_random = []
    for seed in range(20):
        shuffled = random.Random(seed).sample(range(48), 48)
        dealt = {number: place // 4 for place, number in enumerate(shuffled)}
        at_random.append(sum(cost(*pair) for pair in pairs(people, dealt)))

    mixed = pairs(people, assign_rooms(people, 4, seed=1))

    assert sum(cost(*pair) for pair in mixed) < min(at_random) / 3
    assert not [1 for one, other in mixed if one.organization == other.organization == "harbor"]
    assert not [1 for a, b in mixed if a.last_room is not None and a.last_room == b.last_room]
    assert not [1 for one, other in mixed if one.is_new and other.is_new]


@pytest.mark.parametrize(
    ("count", "size", "expected"),
    [
        (0, 4, []),
        (1, 4, [1]),
        (3, 2, [3]),
        (5, 2, [2, 3]),
        (5, 4, [2, 3]),
        (10, 4, [3, 3, 4]),
        (3, 50, [3]),
    ],
)
def test_rooms_differ_by_one_person_at_most_and_nobody_is_alone(count, size, expected):
    people = [Participant(number) for number in range(count)]

    assert sizes(assign_rooms(people, size, seed=3)) == expected


def test_the_same_seed_gives_the_same_rooms_and_another_one_others():
    people = a_community(24)

    first, again = assign_rooms(people, 4, seed=5), assign_rooms(people[::-1], 4, seed=5)

    assert first == again
    assert first != assign_rooms(people, 4, seed=6)


@pytest.mark.parametrize("count", [2, 5, 11])
def test_people_who_need_the_same_interpreter_share_a_room(count):
    needing = [
        Participant(n, "harbor", needs=frozenset({"asl"}), last_room=1) for n in range(count)
    ]
    others = [Participant(100 + n) for n in range(12 - count)]

    room_of = assign_rooms([*needing, *others], 4, seed=2)

    assert len({room_of[person.id] for person in needing}) == 1
    assert min(sizes(room_of)) >= 2 or count == 11


def test_somebody_with_two_needs_brings_both_groups_together():
    needs = [{"asl"}, {"cart"}, {"asl", "cart"}, {"interpretation spanish"}]
    people = [Participant(n, needs=frozenset(need)) for n, need in enumerate(needs)]
    others = [Participant(10 + n) for n in range(8)]

    room_of = assign_rooms([*people, *others], 4, seed=1)

    assert room_of[0] == room_of[1] == room_of[2]
    assert sizes(room_of) == [4, 4, 4]


def test_late_arrivals_get_a_room_and_nobody_else_moves():
    people = [Participant(n, room=n // 4 + 1) for n in range(12)]
    people[0] = Participant(0, room=1, needs=frozenset({"asl"}))
    late = [Participant(n, needs=frozenset({"asl"} if n == 21 else ())) for n in range(20, 25)]

    one, all_ = (assign_rooms([*people, *late[:many]], 4, seed=1) for many in (1, 5))

    for room_of in (one, all_):
        assert {n: room_of[n] for n in range(12)} == {n: n // 4 + 1 for n in range(12)}
    assert sizes(one) == [4, 4, 5]
    assert all_[21] == 1
    assert sizes(all_) == [4, 4, 4, 5]


_PEOPLE = st.builds(
    Participant,
    id=st.integers(1, 200),
    organization=st.sampled_from(["", "harbor", "valley"]),
    hats=st.frozensets(st.sampled_from(HATS), max_size=2),
    is_new=st.booleans(),
    needs=st.frozensets(st.sampled_from(["asl", "cart", "spanish"]), max_size=2),
    last_room=st.none() | st.integers(1, 5),
    room=st.none() | st.integers(1, 4),
)


@settings(max_examples=20, deadline=None)
@given(
    people=st.lists(_PEOPLE, max_size=30, unique_by=lambda person: person.id),
    size=st.integers(2, 6),
    seed=st.integers(1, 9),
)
def test_everybody_gets_one_room_and_keeps_a_fixed_one(people, size, seed):
    room_of = assign_rooms(people, size, seed=seed)

    assert set(room_of) == {person.id for person in people}
    assert all(room >= 1 for room in room_of.values())
    assert all(room_of[person.id] == person.room for person in people if person.room)
    free = [person for person in people if not person.room]
    assert all(a.needs.isdisjoint(b.needs) or room_of[a.id] == room_of[b.id]
               for a, b in combinations(free, 2))  # fmt: skip


def test_three_hundred_people_are_mixed_within_a_second():
    people = a_community(300)
    began = time.process_time()

    room_of = assign_rooms(people, 4, seed=1)

    assert time.process_time() - began < 1
    assert sizes(room_of) == [4] * 75


@pytest.fixture
def it(db_session):
    """Two hold a place, one asked to stay in the main room, one waits, one cancelled."""
    other = a_meeting(db_session, slug="other")
    a_registration(db_session, other, "bystander@example.org")
    it = a_meeting(db_session, slug="it")
    for name, values in (
        ("ada", {"organization": "Harbor"}),
        ("grace", {}),
        ("corin", {"access": ["slides", "main-room"]}),
        ("katherine", {"status": "waiting"}),
        ("mallory", {"status": "cancelled"}),
    ):
        a_registration(db_session, it, f"{name}@example.org", **values)
    return it


NOBODY = dict.fromkeys(["Ada", "Grace", "Corin", "Katherine", "Mallory"])


def rooms_of(db_session, slug="it"):
    return {row.name: row.room for row in registrations(db_session, slug)}


def test_rooms_are_for_those_expected_and_not_for_those_who_stay_in_the_main_room(db_session, it):
    made = groups.make_groups(db_session, it.id, size=4)

    current = groups.read_groups(db_session, it.id)
    assert made == 2
    assert rooms_of(db_session) == NOBODY | {"Ada": 1, "Grace": 1}
    assert [person.name for person in current.staying] == ["Corin"]
    assert current.roomless == []
    assert rooms_of(db_session, "other") == {"Bystander": None}


def test_rooms_can_be_made_for_those_who_attended_alone(db_session, it):
    for row in registrations(db_session, "it"):
        row.attended = True if row.name in {"Ada", "Katherine"} else None
    a_registration(db_session, it, "absent@example.org", attended=False)
    db_session.flush()

    groups.make_groups(db_session, it.id, size=2)
    all_ = {name for name, room in rooms_of(db_session).items() if room}
    groups.make_groups(db_session, it.id, size=2, attended_only=True)
    some = {name for name, room in rooms_of(db_session).items() if room}

    assert all_ == {"Ada", "Grace", "Katherine"}
    assert some == {"Ada", "Katherine"}


def test_mixing_again_gives_other_rooms(db_session, it):
    people = [a_registration(db_session, it, f"p{number}@example.org") for number in range(10)]
    seen = set()

    for _ in range(3):
        groups.make_groups(db_session, it.id, size=3)
        seen.add(tuple(person.room for person in people))

    assert len(seen) == 3
    assert (it.room_seed, it.room_size) == (3, 3)


def test_people_who_shared_a_room_last_time_are_apart(db_session):
    for slug, days, apart in (("before", -60, 4), ("last", -30, 2)):
        meeting = a_meeting(db_session, slug=slug, starts_at=NOW + timedelta(days=days))
        for number in range(4):
            room = number % apart + 1
            a_registration(db_session, meeting, f"p{number}@example.org", room=room)
    a_meeting(db_session, slug="between", starts_at=NOW - timedelta(days=2))  # without groups
    it = a_meeting(db_session, slug="it")
    for number in range(4):
        a_registration(db_session, it, f"p{number}@example.org")

    groups.make_groups(db_session, it.id, size=2)

    now = rooms_of(db_session)
    assert now["P0"] != now["P2"]
    assert now["P1"] != now["P3"]


def test_people_who_need_the_same_language_share_a_room(db_session):
    it = a_meeting(db_session, slug="it")
    asked = ["Spanish", "español", "SPANISH ", "", "Portuguese"]
    for number, language in enumerate(asked):
        access = {"access": ["interpretation"], "access_language": language}
        a_registration(db_session, it, f"p{number}@example.org", **access)
    for number in range(5, 10):
        a_registration(db_session, it, f"p{number}@example.org")

    groups.make_groups(db_session, it.id, size=2)

    now = rooms_of(db_session)
    assert now["P0"] == now["P2"]
    assert len({now["P0"], now["P1"], now["P3"], now["P4"]}) == 4


def test_people_are_moved_by_hand_to_an_existing_or_the_next_room(db_session, it):
    groups.make_groups(db_session, it.id, size=2)
    ids = {row.name: row.id for row in registrations(db_session, "it")}
    stranger = registrations(db_session, "other")[0].id

    moved = groups.move(
        db_session,
        it.id,
        {ids["Ada"]: 2, ids["Grace"]: 1, ids["Corin"]: 99_999, ids["Mallory"]: 1, stranger: 1},
    )

    assert moved == 1
    assert rooms_of(db_session) == NOBODY | {"Ada": 2, "Grace": 1}
    assert rooms_of(db_session, "other") == {"Bystander": None}
