"""Coordinators' accounts: signed-in devices, and the viewing log."""

from datetime import timedelta

import pytest
from argon2 import extract_parameters
from sqlalchemy import select

from cop.accounts import accounts as accounts_accounts
from cop.accounts import devices
from cop.audit import audit_log
from cop.errors import InvalidAddress, Refused
from cop.models.audit import Viewing
from cop.models.coordinator import Coordinator, CoordinatorSession
from tests.builders import NOW, PASSWORD, a_meeting

pytestmark = pytest.mark.both

A_SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def add(db_session, name="Corin", password=PASSWORD):
    return accounts_accounts.add(
        db_session, f"{name.lower()}@example.org", name=name, password=password
    )


def accounts(db_session):
    return list(db_session.scalars(select(Coordinator).order_by(Coordinator.id)))


def test_an_account_lets_somebody_in_and_keeps_no_password(db_session):
    nobody = accounts_accounts.any_exist(db_session)
    add(db_session)

    [corin] = accounts(db_session)

    assert not nobody
    assert accounts_accounts.any_exist(db_session)
    assert (corin.email, corin.name) == ("corin@example.org", "Corin")
    assert PASSWORD not in corin.password_hash


def test_a_password_is_kept_as_argon2id_that_is_expensive_to_try(db_session):
    add(db_session)

    [corin] = accounts(db_session)

    kept = extract_parameters(corin.password_hash)
    assert corin.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (kept.hash_len, kept.salt_len) == (32, 16)


def test_an_address_has_one_account_however_it_is_written(db_session):
    add(db_session)

    with pytest.raises(Refused, match="There is an account"):
        accounts_accounts.add(db_session, "CORIN@Example.org", name="Mallory", password=PASSWORD)

    assert [account.name for account in accounts(db_session)] == ["Corin"]


def test_what_is_no_address_gets_no_account(db_session):
    with pytest.raises(InvalidAddress):
        accounts_accounts.add(db_session, "corin", name="Corin", password=PASSWORD)

    assert accounts(db_session) == []


def test_a_new_password_replaces_the_old_one_and_signs_out_the_account_alone(db_session):
    corin, ada = add(db_session), add(db_session, "Ada")
    of_corin = devices.start_session(db_session, corin, now=NOW)
    of_ada = devices.start_session(db_session, ada, now=NOW)
    before = [account.password_hash for account in accounts(db_session)]

    accounts_accounts.change_password(
        db_session, "Corin@example.org", password="five gray owls read maps"
    )

    after = [account.password_hash for account in accounts(db_session)]
    assert [b == a for b, a in zip(before, after, strict=True)] == [False, True]
    assert devices.find_signed_in(db_session, of_corin, now=NOW) is None
    assert devices.find_signed_in(db_session, of_ada, now=NOW).name == "Ada"


@pytest.mark.parametrize(
    ("email", "password", "refusal"),
    [
        ("ada@example.org", PASSWORD, "There is no account"),
        ("corin", PASSWORD, "Write an email address"),
        ("corin@example.org", "too short", "15 to 128 characters"),
        ("corin@example.org", "passwordpassword", "among the first"),
    ],
    ids=["unknown", "no address", "too short", "guessable"],
)
def test_a_refused_change_of_password_changes_nothing(db_session, email, password, refusal):
    device = devices.start_session(db_session, add(db_session), now=NOW)
    before = accounts(db_session)[0].password_hash

    with pytest.raises(Refused, match=refusal):
        accounts_accounts.change_password(db_session, email, password=password)

    assert accounts(db_session)[0].password_hash == before
    assert devices.find_signed_in(db_session, device, now=NOW)


def test_a_device_is_known_by_its_token_of_which_only_a_hash_is_kept(db_session):
    token = devices.start_session(db_session, add(db_session), now=NOW)
    devices.start_session(db_session, add(db_session, "Ada"), now=NOW)

    corin = devices.find_signed_in(db_session, token, now=NOW)

    assert (corin.name, corin.email) == ("Corin", "corin@example.org")
    assert len(token) >= 43
    assert token not in set(db_session.scalars(select(CoordinatorSession.token_hash)))
    assert devices.find_signed_in(db_session, token + "x", now=NOW) is None
    assert devices.find_signed_in(db_session, "", now=NOW) is None


def test_a_device_that_is_idle_for_an_hour_is_signed_out(db_session):
    token = devices.start_session(db_session, add(db_session), now=NOW)

    devices.touch_session(db_session, token, now=NOW + 50 * timedelta(minutes=1))

    assert devices.find_signed_in(db_session, token, now=NOW + 1.8 * HOUR)
    assert devices.find_signed_in(db_session, token, now=NOW + 1.9 * HOUR) is None


def test_a_device_in_use_is_signed_out_after_twelve_hours(db_session):
    token = devices.start_session(db_session, add(db_session), now=NOW)

    for half_hours in range(1, 24):
        devices.touch_session(db_session, token, now=NOW + half_hours * HOUR / 2)

    assert devices.find_signed_in(db_session, token, now=NOW + 12 * HOUR - A_SECOND)
    assert devices.find_signed_in(db_session, token, now=NOW + 12 * HOUR) is None


def test_signing_out_ends_one_device_and_no_other(db_session):
    corin = add(db_session)
    here, there = (devices.start_session(db_session, corin, now=NOW) for _ in range(2))

    devices.sign_out(db_session, here)

    assert devices.find_signed_in(db_session, here, now=NOW) is None
    assert devices.find_signed_in(db_session, there, now=NOW)


def test_devices_that_are_signed_out_leave_no_row(db_session):
    corin = add(db_session)
    for hours in (0, 11.5, 13):
        devices.start_session(db_session, corin, now=NOW + hours * HOUR)

    kept = list(db_session.scalars(select(CoordinatorSession.created_at)))

    assert kept == [NOW + 13 * HOUR]


def test_a_look_at_personal_data_is_written_down(db_session):
    meeting = a_meeting(db_session)
    device = devices.start_session(db_session, add(db_session), now=NOW)
    corin = devices.find_signed_in(db_session, device, now=NOW)

    audit_log.record_viewing(
        db_session, corin.id, "export", now=NOW, meeting_id=meeting.id, columns=("name", "email")
    )

    noted = db_session.scalars(select(Viewing)).one()
    assert (noted.coordinator_id, noted.meeting_id) == (corin.id, meeting.id)
    assert (noted.resource, noted.columns, noted.viewed_at) == ("export", ["name", "email"], NOW)
