"""The request log: what was requested and the outcome, but not by whom."""

import io
import json
import logging

import pytest

from cop.web.request_log import JsonFormatter

SHORTENED = {
    "203.0.113.77": "203.0.113.0/24",
    "2001:db8:1:2:a:b:c:d": "2001:db8:1::/48",
    "::ffff:203.0.113.77": "203.0.113.0/24",
    "not an address": "unknown",
}


@pytest.fixture
def log():
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonFormatter())
    logging.getLogger("cop").addHandler(handler)
    yield out
    logging.getLogger("cop").removeHandler(handler)


def lines(log):
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize("whole", SHORTENED)
def test_an_address_is_logged_as_its_network(client, log, whole):
    remote = {"REMOTE_ADDR": whole}

    for path in ("/schedule", "/schedule", "/register", "/nowhere"):  # from the cache, too
        client.get(path, environ_overrides=remote)
    client.post("/register", environ_overrides=remote)
    client.get("/coordinator/", environ_overrides=remote)

    assert [line["from"] for line in lines(log)] == [SHORTENED[whole]] * 6
    assert whole not in log.getvalue()


@pytest.mark.settings(trusted_proxies=1)
def test_an_address_from_a_proxy_is_logged_as_its_network(client, log):
    client.get("/schedule", headers={"X-Forwarded-For": "203.0.113.77"})

    assert [line["from"] for line in lines(log)] == ["203.0.113.0/24"]
    assert "203.0.113.77" not in log.getvalue()
