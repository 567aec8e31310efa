"""Signed-in devices: known by a token, signed out when idle, and described in words."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from cop.accounts import login_sessions
from cop.models.coordinator import CoordinatorSession
from tests.builders import CORIN, NOW, a_coordinator

A_SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (f"{WINDOWS.replace(')', '; rv:144.0)')} Gecko/20100101 Firefox/144.0", "Firefox on Windows"),
        (f"{WINDOWS} {CHROME}", "Chrome on Windows"),
        (f"{WINDOWS} {CHROME} Edg/141.0.0.0", "Edge on Windows"),
        (f"{WINDOWS} {CHROME} OPR/120.0.0.0", "Opera on Windows"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME}", "Chrome on Android"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME}", "Chrome on ChromeOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.6 Safari/605.1.15", "Safari on Mac"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) FxiOS/144.0 Mobile Safari/605.1.15", "Firefox on iPad"),
        ("curl/8.5.0", ""),
        ("", ""),
        ("<script>alert(1)</script>" * 500 + "Windows", "Windows"),
    ],
    ids=lambda text: text[-20:],
)  # fmt: skip
def test_a_browser_is_described_by_name_and_system(user_agent, device):
    assert login_sessions.describe_user_agent(user_agent) == device


@pytest.mark.both
def test_a_token_finds_its_coordinator_and_only_its_hash_is_stored(db_session):
    corin, ada = a_coordinator(db_session), a_coordinator(db_session, "Ada")
    token = login_sessions.start_session(db_session, corin.id, now=NOW)
    login_sessions.start_session(db_session, ada.id, now=NOW)

    found = login_sessions.find_signed_in(db_session, token, now=NOW)

    assert (found.name, found.email) == ("Corin", CORIN)
    assert len(token) >= 43
    assert token not in set(db_session.scalars(select(CoordinatorSession.token_hash)))
    assert login_sessions.find_signed_in(db_session, token + "x", now=NOW) is None
    assert login_sessions.find_signed_in(db_session, "", now=NOW) is None


@pytest.mark.both
def test_a_device_in_use_is_signed_out_after_twelve_hours(db_session):
    token = login_sessions.start_session(db_session, a_coordinator(db_session).id, now=NOW)

    login_sessions.touch_session(db_session, token, now=NOW + 11.5 * HOUR)

    assert login_sessions.find_signed_in(db_session, token, now=NOW + 12 * HOUR - A_SECOND)
    assert login_sessions.find_signed_in(db_session, token, now=NOW + 12 * HOUR) is None


@pytest.mark.both
def test_the_next_sign_in_deletes_the_rows_of_signed_out_devices(db_session):
    corin = a_coordinator(db_session)
    for hours in (0, 11.5, 13):
        login_sessions.start_session(db_session, corin.id, now=NOW + hours * HOUR)

    created = list(db_session.scalars(select(CoordinatorSession.created_at)))

    assert created == [NOW + 13 * HOUR]
