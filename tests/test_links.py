"""Signed links: each opens the one thing that it was made for, and nothing else."""

import pytest
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer

from cop.accounts import invitations, password_reset
from cop.db.engine import write_tx
from cop.links import Purpose, is_https, sign_token
from cop.models.coordinator import Coordinator, Invitation
from cop.models.email import OutboxEmail
from cop.models.registration import Member
from tests.builders import NOW, a_writer
from tests.client import DECEMBER, SAME_ORIGIN, find_member, register, registration_statuses, rows

KEY = "k" * 40
FORM = "registration form"
ADDRESSES = {
    Purpose.MEMBER: "/r/{}",
    Purpose.JOIN: "/join/{}",
    Purpose.CALENDAR: "/calendar/{}.ics",
    Purpose.UNSUBSCRIBE: "/unsubscribe/{}",
    Purpose.LIST: "/list/{}",
    Purpose.PASSWORD: "/coordinator/password/{}",
    Purpose.INVITATION: "/coordinator/invitation/{}",
}


@pytest.fixture
def parts(app, corin):
    """What a good link of each purpose carries: of Ada, of Corin, and of whom Corin invited."""
    register(app.test_client(), DECEMBER)
    ada, place = find_member(), rows()[0]["id"]
    with write_tx() as db_session:
        row = db_session.query(Coordinator).one()
        writer = a_writer(db_session)
        invitations.invite(db_session, "dana@example.org", may_export=False, by=row, writer=writer)
        invitation = db_session.query(Invitation).one()
        stamp = int(invitation.created_at.timestamp() * 1_000_000)
        minute = int(NOW.timestamp()) // 60
        fingerprint = password_reset._fingerprint(row)
    return {
        Purpose.MEMBER: (ada.id, ada.token_version, NOW.date().toordinal()),
        Purpose.JOIN: (ada.id, ada.token_version, place),
        Purpose.CALENDAR: (ada.id, ada.calendar_version),
        Purpose.UNSUBSCRIBE: (ada.id, "reminders"),
        Purpose.LIST: (ada.id, ada.token_version),
        Purpose.PASSWORD: (row.id, minute, fingerprint),
        Purpose.INVITATION: (invitation.id, stamp),
    }


def stored():
    return rows(Member), rows(Invitation), rows(OutboxEmail), rows(Coordinator), rows()


def signed_as(made_for, parts):
    """A token with these parts, signed for a purpose or as the registration form's."""
    if made_for == FORM:
        return URLSafeTimedSerializer(KEY, salt=FORM).dumps(list(parts))
    return sign_token(KEY, made_for, *parts)


def test_an_address_takes_only_what_was_signed_for_it(app, parts):
    client, before = app.test_client(), stored()

    for opens in Purpose:
        address = ADDRESSES[opens].format
        tokens = {made_for: signed_as(made_for, parts[opens]) for made_for in (*Purpose, FORM)}
        got = {made_for: client.get(address(token)) for made_for, token in tokens.items()}
        posted = {
            client.post(address(token), headers=SAME_ORIGIN).status_code
            for made_for, token in tokens.items()
            if made_for != opens
        }

        assert [made_for for made_for, page in got.items() if page.status_code == 200] == [opens]
        assert {page.status_code for page in got.values()} == {200, 404}
        assert not posted & {200, 303}, opens
    assert stored() == before


def test_the_form_takes_only_what_was_signed_for_it(app, parts):
    client, before = app.test_client(), registration_statuses()
    nonces = [URLSafeSerializer(KEY, salt=f"cop link {purpose}").dumps("n") for purpose in Purpose]
    links = [signed_as(purpose, parts[purpose]) for purpose in Purpose]
    own = URLSafeTimedSerializer(KEY, salt=FORM).dumps("n")

    refused = [
        register(client, DECEMBER, email="mallory@example.org", token=token).status_code
        for token in (*nonces, *links)
    ]
    after = registration_statuses()
    accepted = register(client, DECEMBER, email="grace@example.org", token=own)

    assert set(refused) == {422}
    assert after == before
    assert accepted.status_code == 303


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://us02web.zoom.us/j/123?pwd=x", True),
        ("https://b\u00fccher.example/room", True),
        ("https://a:99999999/", False),
        ("https://a..b/", False),
        ("https://\u202eevil", False),
        ("https:///x", False),
        ("http://zoom.example.org/", False),
        ("https://a b/", False),
        ("javascript:x", False),
        ("zoom", False),
    ],
)
def test_an_https_address_may_be_international_and_nothing_else_passes(address, expected):
    assert is_https(address) is expected
