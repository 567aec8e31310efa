"""How much a form may hold: at the limit it is read, and one byte, name or pair beyond it is not."""

from urllib.parse import urlencode

import pytest

from tests.attendance.test_views import PAGE as ATTENDANCE
from tests.attendance.test_views import (
    over,  # noqa: F401
    send_file,
)
from tests.client import DECEMBER, SAME_ORIGIN, form_token, registration_statuses

KIB = 1024
SIGN_OUT = "/coordinator/sign-out"


def padded(pairs, size):
    """These pairs and one more, as a body of this many bytes."""
    start = urlencode([*pairs, ("more", "")])
    return start + "x" * (size - len(start))


def send(client, body, path="/register"):
    kind = "application/x-www-form-urlencoded"
    return client.post(path, data=body, content_type=kind, headers=SAME_ORIGIN)


def good_pairs(client):
    ada = [("name", "Ada Example"), ("email", "ada@example.org"), ("sessions", DECEMBER)]
    return [*ada, ("token", form_token(client))]


def names(good, number):
    """The good pairs and others, of so many names in all."""
    return [*good, *((f"more{i}", "") for i in range(number - len({name for name, _ in good})))]


def repeated(good, number):
    """The good pairs and one more, as often as it takes for so many pairs in all."""
    return [*good, *[("more", "")] * (number - len(good))]


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        (padded, 64 * KIB),
        (lambda good, number: urlencode(names(good, number)), 60),
        (lambda good, number: urlencode(repeated(good, number)), 200),
    ],
    ids=["bytes", "names", "pairs"],
)
def test_a_public_form_is_read_up_to_its_limit(client, make, limit):
    good = good_pairs(client)

    beyond = send(client, make(good, limit + 1))
    none = registration_statuses()
    at_limit = send(client, make(good, limit))

    assert (beyond.status_code, none) == (413, [])
    assert (at_limit.status_code, len(registration_statuses())) == (303, 1)


@pytest.mark.parametrize(
    ("make", "limit"),
    [(padded, 256 * KIB), (lambda pairs, number: urlencode(names(pairs, number)), 60)],
    ids=["bytes", "names"],
)
def test_a_form_of_the_console_is_read_up_to_its_limit(corin, make, limit):
    token = corin.page("/coordinator/").find("input", attrs={"name": "csrf_token"})["value"]
    pairs = [("csrf_token", token)]

    beyond = send(corin, make(pairs, limit + 1), SIGN_OUT)
    still_in = corin.get("/coordinator/").status_code
    at_limit = send(corin, make(pairs, limit), SIGN_OUT)

    assert (beyond.status_code, still_in) == (413, 200)
    assert at_limit.status_code == 303


def test_a_report_is_read_up_to_2_mib_and_of_coordinators_only(app, corin, over):  # noqa: F811
    token = corin.page(ATTENDANCE).find("input", attrs={"name": "csrf_token"})["value"]
    around = 1024  # bytes, at most, of what is around the file in the body

    beyond = send_file(corin, b"x" * (2048 * KIB), csrf_token=token)
    below = send_file(corin, b"x" * (2048 * KIB - around), csrf_token=token)
    strangers = send_file(app.test_client(), b"x" * KIB, csrf_token=token)

    assert beyond.status_code == 413
    assert below.status_code == 422  # read, and no report
    assert strangers.status_code == 403
