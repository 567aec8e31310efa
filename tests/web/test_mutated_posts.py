"""Two thousand damaged posts: none is a server error, none registers anybody twice."""

import random
from collections import Counter
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from tests.client import (
    ALL_SIX,
    DECEMBER,
    SAME_ORIGIN,
    add_registrations,
    form_token,
    rows,
    update_meeting,
)

POSTS = 2000
KINDS = ["application/x-www-form-urlencoded"] * 12 + ["multipart/form-data; boundary=x"] + [
    *("text/plain", "application/json", "", "multipart/form-data", "a/b; charset=utf-16")
]  # fmt: skip
HEADERS = [
    *[{}] * 12,
    *({"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "\xff"}),
    *({"HX-Request": "true"}, {"HX-Request": "true", "HX-History-Restore-Request": "true"}),
    *({"Accept-Language": "\xff;q=x"}, {"Cookie": "cop=.x.y; \xff"}, {"Range": "bytes=9-1"}),
    *({"Content-Encoding": "gzip"}, {"X-HTTP-Method-Override": "DELETE"}, {"Expect": "x"}),
    *({"If-None-Match": "*"}, {"X-Forwarded-For": "\xff, ::1"}, {"Referer": "http://["}),
]


def strange(dice):
    """A value that nobody types."""
    return dice.choice(
        [
            "",
            "\0",
            "all",
            "x" * dice.choice([61, 201, 501, 10_000]),
            "".join(chr(dice.randrange(0x20, 0x2FFF)) for _ in range(9)),
            "".join(
                dice.choice("%&=+;\r\n\x1b\x7f\u202e\ufeff\U0001f9a6'\"<>{}@.") for _ in range(12)
            ),
            dice.choice(ALL_SIX),
            "ada@example.org",
        ]
    )


def drop(pairs, dice):
    del pairs[dice.randrange(len(pairs))]


def repeat(pairs, dice):
    pairs.extend([dice.choice(pairs)] * dice.choice([1, 2, 200]))


def swap(pairs, dice):
    one, other = dice.randrange(len(pairs)), dice.randrange(len(pairs))
    pairs[one], pairs[other] = (
        (pairs[one][0], pairs[other][1]),
        (pairs[other][0], pairs[one][1]),
    )


def replace(pairs, dice):
    where = dice.randrange(len(pairs))
    pairs[where] = (pairs[where][0], strange(dice))


def rename(pairs, dice):
    where = dice.randrange(len(pairs))
    pairs[where] = (dice.choice(["", "sessions[]", "\0", strange(dice)]), pairs[where][1])


def add(pairs, dice):
    pairs.extend((f"more{i}", strange(dice)) for i in range(dice.choice([1, 5, 60])))


def mutated(good, dice):
    """A body and its type."""
    pairs = list(good)
    for _ in range(dice.randrange(4)):
        dice.choice([drop, repeat, swap, replace, replace, replace, rename, add])(pairs, dice)
        pairs = pairs or [("", "")]
    body = urlencode(pairs).encode()
    if dice.random() < 0.2:  # noise on the line
        where = dice.randrange(len(body) + 1)
        body = body[:where] + dice.randbytes(dice.randrange(1, 40)) + body[where:]
    return body[:60_000] if dice.random() < 0.9 else body * 200, dice.choice(KINDS)


@pytest.mark.slow
def test_no_damaged_post_is_an_error_or_registers_anybody_twice(app):
    client = FlaskClient(app, app.response_class)  # looking at 2,000 pages would take too long
    dice = random.Random(20261215)
    tokens = [form_token(client) for _ in range(5)]
    update_meeting(DECEMBER, capacity=3, prep_question="What is missing?")
    add_registrations(DECEMBER, "corin@example.org", "katherine@example.org")
    statuses = Counter()

    for number in range(POSTS):
        good = [("token", dice.choice(tokens)), ("name", "Ada"), ("sessions", dice.choice(ALL_SIX))]
        good += [("sessions", dice.choice(ALL_SIX)), ("email", f"ada{number % 7}@example.org")]
        good += [("hats", "analyst"), ("access", "asl"), ("prep_answer", "Yes."), ("website", "")]
        body, kind = mutated(good, dice)
        headers = SAME_ORIGIN | dice.choice(HEADERS)
        response = client.post("/register", data=body, content_type=kind, headers=headers)
        statuses[response.status_code] += 1
        assert response.status_code in {200, 303, 403, 413, 422}, (
            number,
            body[:400],
            kind,
            headers,
        )

    live = [row for row in rows() if row["status"] != "cancelled"]
    assert set(Counter((r["member_id"], r["meeting_id"]) for r in live).values()) == {1}
    assert {status for status, times in statuses.items() if times > 5} == {200, 303, 403, 413, 422}
