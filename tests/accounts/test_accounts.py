"""Accounts: creation, passwords, rights, invitations and removal."""

from datetime import timedelta

import pytest
from argon2 import extract_parameters
from sqlalchemy import select

from cop.accounts import accounts, invitations, login_sessions
from cop.db.engine import read_tx, write_tx
from cop.errors import InvalidAddress, LinkExpired, NotPermitted, Refused
from cop.mail.writer import LetterWriter
from cop.models.audit import AuditEntry
from cop.models.coordinator import Coordinator, CoordinatorSession, Invitation
from cop.models.email import OutboxEmail
from tests.builders import CORIN, NOW, PASSWORD, a_coordinator
from tests.client import LINKS
from tests.concurrency import at_once
from tests.mail.gallery import COMMUNITY

pytestmark = pytest.mark.both

WRITER = LetterWriter(COMMUNITY, LINKS, NOW)
DANA = "dana@example.org"


def invite(db_session, by, email=DANA, *, may_export=False, writer=WRITER):
    """Invite somebody; return the token of the link."""
    address = invitations.invite(db_session, email, may_export=may_export, by=by, writer=writer)
    return address.rpartition("/")[2]


def accept(db_session, token, now=NOW):
    return invitations.accept(
        db_session, token, name="Dana", password=PASSWORD, secret_key=LINKS.secret_key, now=now
    )


def add(db_session, name="Corin", password=PASSWORD):
    return accounts.add(db_session, f"{name.lower()}@example.org", name=name, password=password)


def coordinators(db_session):
    return list(db_session.scalars(select(Coordinator).order_by(Coordinator.id)))


def test_an_account_stores_no_password(db_session):
    nobody = accounts.any_exist(db_session)
    add(db_session)

    [corin] = coordinators(db_session)

    assert not nobody
    assert accounts.any_exist(db_session)
    assert (corin.email, corin.name) == ("corin@example.org", "Corin")
    assert PASSWORD not in corin.password_hash


def test_passwords_are_stored_as_expensive_argon2id_hashes(db_session):
    add(db_session)

    [corin] = coordinators(db_session)

    kept = extract_parameters(corin.password_hash)
    assert corin.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (kept.hash_len, kept.salt_len) == (32, 16)


def test_an_address_has_one_account_in_any_spelling(db_session):
    add(db_session)

    with pytest.raises(Refused, match="There is an account"):
        accounts.add(db_session, "CORIN@Example.org", name="Mallory", password=PASSWORD)

    assert [account.name for account in coordinators(db_session)] == ["Corin"]


def test_an_invalid_address_gets_no_account(db_session):
    with pytest.raises(InvalidAddress):
        accounts.add(db_session, "corin", name="Corin", password=PASSWORD)

    assert coordinators(db_session) == []


def test_a_new_password_signs_out_the_devices_of_its_account_only(db_session):
    corin, ada = add(db_session), add(db_session, "Ada")
    of_corin = login_sessions.start_session(db_session, corin, now=NOW)
    of_ada = login_sessions.start_session(db_session, ada, now=NOW)
    before = [account.password_hash for account in coordinators(db_session)]

    accounts.change_password(db_session, "Corin@example.org", password="five gray owls read maps")

    after = [account.password_hash for account in coordinators(db_session)]
    assert [b == a for b, a in zip(before, after, strict=True)] == [False, True]
    assert login_sessions.find_signed_in(db_session, of_corin, now=NOW) is None
    assert login_sessions.find_signed_in(db_session, of_ada, now=NOW).name == "Ada"


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
    device = login_sessions.start_session(db_session, add(db_session), now=NOW)
    before = coordinators(db_session)[0].password_hash

    with pytest.raises(Refused, match=refusal):
        accounts.change_password(db_session, email, password=password)

    assert coordinators(db_session)[0].password_hash == before
    assert login_sessions.find_signed_in(db_session, device, now=NOW)


def test_the_last_account_stays(db_session):
    corin = a_coordinator(db_session)

    with pytest.raises(Refused, match="the only account"):
        accounts.remove(db_session, corin.id, by=corin, writer=WRITER)

    assert [each.email for each, _ in accounts.list_accounts(db_session)] == [CORIN]


def test_the_last_account_that_may_export_stays_and_keeps_the_right(db_session):
    corin = a_coordinator(db_session)
    dana = a_coordinator(db_session, "Dana", may_export=False)

    with pytest.raises(NotPermitted):  # whoever may not is not the one to remove who may
        accounts.remove(db_session, corin.id, by=dana, writer=WRITER)
    with pytest.raises(Refused, match="Nobody else may take lists away"):
        accounts.remove(db_session, corin.id, by=corin, writer=WRITER)
    with pytest.raises(Refused, match="Nobody else may take lists away"):
        accounts.set_may_export(db_session, corin.id, may_export=False, by=corin, now=NOW)

    assert {each.email: each.may_export for each, _ in accounts.list_accounts(db_session)} == {
        CORIN: True,
        DANA: False,
    }


def test_a_coordinator_gives_only_rights_that_they_have(db_session):
    a_coordinator(db_session)
    dana = a_coordinator(db_session, "Dana", may_export=False)
    pretending = Coordinator(id=dana.id, name="Dana", may_export=True)

    for by in (dana, pretending):
        with pytest.raises(NotPermitted):
            accounts.set_may_export(db_session, dana.id, may_export=True, by=by, now=NOW)
        with pytest.raises(NotPermitted):
            invite(db_session, by, "dana2@example.org", may_export=True)

    assert not dana.may_export
    assert list(db_session.scalars(select(Invitation))) == []


def test_removing_an_account_signs_out_its_devices_and_keeps_its_audit_entries(db_session):
    corin, dana = a_coordinator(db_session), a_coordinator(db_session, "Dana")
    kept = login_sessions.finish_sign_in(db_session, corin.id, device="", now=NOW)
    gone = login_sessions.finish_sign_in(db_session, dana.id, device="", now=NOW)

    name = accounts.remove(db_session, dana.id, by=corin, writer=WRITER)

    acts = db_session.execute(
        select(AuditEntry.coordinator_id, AuditEntry.action).order_by(AuditEntry.id)
    ).all()
    assert name == "Dana"
    assert login_sessions.find_signed_in(db_session, gone, now=NOW) is None
    assert login_sessions.find_signed_in(db_session, kept, now=NOW)
    assert acts == [
        (corin.id, "signed in"),
        (None, "signed in"),
        (corin.id, "removed a coordinator"),
    ]
    assert len(db_session.scalars(select(CoordinatorSession)).all()) == 1


def test_two_coordinators_who_remove_each_other_at_once_leave_one(app):
    with write_tx() as db_session:
        corin, dana = a_coordinator(db_session), a_coordinator(db_session, "Dana")

    def remove(whom, by):
        def remove_once():
            try:
                with write_tx() as db_session:
                    return accounts.remove(db_session, whom.id, by=by, writer=WRITER)
            except Refused:
                return None

        return remove_once

    removed = at_once(app, remove(corin, dana), remove(dana, corin))

    with read_tx() as db_session:
        assert len(accounts.list_accounts(db_session)) == 1
    assert len([name for name in removed if name]) == 1


def test_two_coordinators_who_revoke_each_other_at_once_leave_one_exporter(app):
    with write_tx() as db_session:
        corin, dana = a_coordinator(db_session), a_coordinator(db_session, "Dana")

    def take(whom, by):
        def take_once():
            try:
                with write_tx() as db_session:
                    accounts.set_may_export(db_session, whom.id, may_export=False, by=by, now=NOW)
            except Refused:
                return False
            return True

        return take_once

    at_once(app, take(corin, dana), take(dana, corin))

    with read_tx() as db_session:
        assert sorted(each.may_export for each, _ in accounts.list_accounts(db_session)) == [
            False,
            True,
        ]


def test_an_invitation_used_twice_at_once_creates_one_account(app):
    with write_tx() as db_session:
        token = invite(db_session, a_coordinator(db_session))

    def take():
        try:
            with write_tx() as db_session:
                return accept(db_session, token)
        except LinkExpired:
            return None

    made = at_once(app, take, take, take)

    assert len([id_ for id_ in made if id_]) == 1
    with read_tx() as db_session:
        assert [each.email for each, _ in accounts.list_accounts(db_session)] == [CORIN, DANA]
        assert invitations.list_invitations(db_session) == []


def test_an_address_invited_twice_at_once_has_one_invitation(app):
    with write_tx() as db_session:
        corin = a_coordinator(db_session)

    def ask(spelling):
        def ask_once():
            with write_tx() as db_session:
                return invite(db_session, corin, spelling)

        return ask_once

    at_once(app, ask(DANA), ask("Dana@Example.org"), ask(DANA))

    with read_tx() as db_session:
        assert len(invitations.list_invitations(db_session)) == 1
        assert len(db_session.scalars(select(OutboxEmail)).all()) == 1


def test_removal_and_revocation_extend_to_the_invitations_of_a_coordinator(db_session):
    corin, dana = a_coordinator(db_session), a_coordinator(db_session, "Dana")
    for by, email in ((corin, "ada@example.org"), (dana, "grace@example.org")):
        invite(db_session, by, email, may_export=True)

    accounts.set_may_export(db_session, dana.id, may_export=False, by=corin, now=NOW)
    lowered = {each.email: each.may_export for each in invitations.list_invitations(db_session)}
    accounts.remove(db_session, dana.id, by=corin, writer=WRITER)

    assert lowered == {"ada@example.org": True, "grace@example.org": False}
    assert [each.email for each in invitations.list_invitations(db_session)] == ["ada@example.org"]


def test_expired_invitations_are_deleted(db_session):
    corin = a_coordinator(db_session)
    invite(db_session, corin, "ada@example.org")

    left = []
    for days in (6, 7):
        invitations.delete_expired(db_session, now=NOW + timedelta(days=days))
        left.append(len(invitations.list_invitations(db_session)))

    assert left == [1, 0]
