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
EXPECTED = {200, 303, 403, 413, 422}
FORM = "application/x-www-form-urlencoded"
KINDS = ["multipart/form-data; boundary=x", "multipart/form-data", "text/plain"]
KINDS += ["application/json", "", "a/b; charset=utf-16"]
HEADERS = [
    *({"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "\xff"}),
    *({"HX-Request": "true"}, {"HX-Request": "true", "HX-History-Restore-Request": "true"}),
    *({"Accept-Language": "\xff;q=x"}, {"Cookie": "cop=.x.y; \xff"}, {"Range": "bytes=9-1"}),
    *({"Content-Encoding": "gzip"}, {"X-HTTP-Method-Override": "DELETE"}, {"Expect": "x"}),
    *({"If-None-Match": "*"}, {"X-Forwarded-For": "\xff, ::1"}, {"Referer": "http://["}),
]
LETTERS = "%&=+;\r\n\x1b\x7f\u202e\ufeff\U0001f9a6'\"<>{}@."


def strange(dice):
    """A value that nobody types."""
    return dice.choice(
        [
            *("", "\0", "all", "ada@example.org", dice.choice(ALL_SIX)),
            "x" * dice.choice([61, 201, 501, 10_000]),
            "".join(chr(dice.randrange(0x20, 0x2FFF)) for _ in range(9)),
            "".join(dice.choice(LETTERS) for _ in range(12)),
        ]
    )


def mutate(pairs, dice):
    """Replace one of the pairs by none, by others, or by many."""
    where = dice.randrange(len(pairs))
    name, value = pairs[where]
    pairs[where : where + 1] = dice.choice(
        [
            [],
            [(name, value)] * dice.choice([2, 3, 200]),
            [(dice.choice(["", "sessions[]", "\0", strange(dice)]), value)],
            [(dice.choice(pairs)[0], value)],
            *[[(name, strange(dice))]] * 3,
            [(name, value), *((f"more{i}", strange(dice)) for i in range(dice.choice([1, 60])))],
        ]
    )


def mutated(good, dice):
    """A body and its type."""
    pairs = list(good)
    for _ in range(dice.randrange(4)):
        mutate(pairs, dice)
        pairs = pairs or [("", "")]
    body = urlencode(pairs).encode()
    if dice.random() < 0.2:  # noise on the line
        where = dice.randrange(len(body) + 1)
        body = body[:where] + dice.randbytes(dice.randrange(1, 40)) + body[where:]
    body = body[:60_000] if dice.random() < 0.9 else body * 200
    return body, FORM if dice.random() < 0.7 else dice.choice(KINDS)


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
        good += [
            ("hats", "analyst"),
            ("access", "asl"),
            ("prep_answer", "Yes."),
            ("leave_blank", ""),
        ]
        body, kind = mutated(good, dice)
        headers = SAME_ORIGIN | (dice.choice(HEADERS) if dice.random() < 0.5 else {})
        response = client.post("/register", data=body, content_type=kind, headers=headers)
        statuses[response.status_code] += 1
        assert response.status_code in EXPECTED, (number, body[:400], kind, headers)

    live = [row for row in rows() if row["status"] != "cancelled"]
    assert set(Counter((r["member_id"], r["meeting_id"]) for r in live).values()) == {1}
    assert {status for status, times in statuses.items() if times > 5} == EXPECTED
