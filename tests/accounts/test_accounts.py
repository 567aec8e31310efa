"""Accounts: creation, passwords, rights, invitations and removal."""

from datetime import timedelta
from functools import partial

import pytest
from argon2 import extract_parameters
from sqlalchemy import select

from cop.accounts import accounts, invitations, login_sessions
from cop.db.engine import read_tx, write_tx
from cop.errors import LinkExpired, NotPermitted, Refused
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


def accept(db_session, token):
    return invitations.accept(
        db_session, token, name="Dana", password=PASSWORD, secret_key=LINKS.secret_key, now=NOW
    )


def emails_and_rights(db_session):
    return {each.email: each.may_export for each, _ in accounts.list_accounts(db_session)}


def in_transaction(function, *args, **values):
    """Call a rule in a transaction of its own; return None if it refuses."""
    try:
        with write_tx() as db_session:
            return function(db_session, *args, **values)
    except (Refused, LinkExpired):
        return None


def test_an_account_stores_an_expensive_argon2id_hash_of_its_password(db_session):
    nobody = accounts.any_exist(db_session)
    accounts.add(db_session, CORIN, name="Corin", password=PASSWORD)

    corin = db_session.scalars(select(Coordinator)).one()

    parameters = extract_parameters(corin.password_hash)
    assert not nobody
    assert accounts.any_exist(db_session)
    assert (corin.email, corin.name) == (CORIN, "Corin")
    assert corin.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (parameters.hash_len, parameters.salt_len) == (32, 16)


def test_a_new_password_signs_out_the_devices_of_its_account_only(db_session):
    corin, ada = a_coordinator(db_session), a_coordinator(db_session, "Ada")
    of_corin = login_sessions.start_session(db_session, corin.id, now=NOW)
    of_ada = login_sessions.start_session(db_session, ada.id, now=NOW)
    before = corin.password_hash

    accounts.change_password(db_session, "Corin@example.org", password="five gray owls read maps")

    assert before == ada.password_hash != corin.password_hash
    assert login_sessions.find_signed_in(db_session, of_corin, now=NOW) is None
    assert login_sessions.find_signed_in(db_session, of_ada, now=NOW) is ada


def test_a_refused_change_of_password_changes_nothing(db_session):
    corin = a_coordinator(db_session)
    device = login_sessions.start_session(db_session, corin.id, now=NOW)
    before = corin.password_hash

    with pytest.raises(Refused, match="No coordinator has this email"):
        accounts.change_password(db_session, "ada@example.org", password=PASSWORD)
    with pytest.raises(Refused, match="too easy to guess"):
        accounts.change_password(db_session, CORIN, password="corin@example.org")

    assert corin.password_hash == before
    assert login_sessions.find_signed_in(db_session, device, now=NOW)


def test_the_last_account_that_may_export_stays_and_keeps_the_right(db_session):
    corin = a_coordinator(db_session)
    dana = a_coordinator(db_session, "Dana", may_export=False)

    with pytest.raises(NotPermitted):  # whoever may not is not the one to remove who may
        accounts.remove(db_session, corin.id, by=dana, writer=WRITER)
    with pytest.raises(Refused, match="No one else can download lists"):
        accounts.remove(db_session, corin.id, by=corin, writer=WRITER)
    with pytest.raises(Refused, match="No one else can download lists"):
        accounts.set_may_export(db_session, corin.id, may_export=False, by=corin, now=NOW)

    assert emails_and_rights(db_session) == {CORIN: True, DANA: False}


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
    of_corin = login_sessions.finish_sign_in(db_session, corin.id, device="", now=NOW)
    login_sessions.finish_sign_in(db_session, dana.id, device="", now=NOW)

    name = accounts.remove(db_session, dana.id, by=corin, writer=WRITER)

    actions = select(AuditEntry.coordinator_id, AuditEntry.action).order_by(AuditEntry.id)
    assert name == "Dana"
    assert login_sessions.find_signed_in(db_session, of_corin, now=NOW)
    assert len(db_session.scalars(select(CoordinatorSession)).all()) == 1
    assert db_session.execute(actions).all() == [
        (corin.id, "signed in"),
        (None, "signed in"),
        (corin.id, "removed a coordinator"),
    ]


def test_two_coordinators_who_revoke_or_remove_each_other_at_once_leave_one(app):
    with write_tx() as db_session:
        corin, dana = a_coordinator(db_session), a_coordinator(db_session, "Dana")
    revoke = partial(in_transaction, accounts.set_may_export, may_export=False, now=NOW)
    remove = partial(in_transaction, accounts.remove, writer=WRITER)

    at_once(app, partial(revoke, corin.id, by=dana), partial(revoke, dana.id, by=corin))
    with write_tx() as db_session:
        rights = emails_and_rights(db_session)
        db_session.query(Coordinator).update({"may_export": True})
    removed = at_once(app, partial(remove, corin.id, by=dana), partial(remove, dana.id, by=corin))

    assert sorted(rights.values()) == [False, True]
    assert removed.count(None) == 1
    with read_tx() as db_session:
        assert len(accounts.list_accounts(db_session)) == 1


def test_an_invitation_used_twice_at_once_creates_one_account(app):
    with write_tx() as db_session:
        token = invite(db_session, a_coordinator(db_session))

    ids = at_once(app, *[partial(in_transaction, accept, token)] * 3)

    assert ids.count(None) == 2
    with read_tx() as db_session:
        assert set(emails_and_rights(db_session)) == {CORIN, DANA}
        assert invitations.list_invitations(db_session) == []


def test_an_address_invited_twice_at_once_has_one_invitation(app):
    with write_tx() as db_session:
        corin = a_coordinator(db_session)
    spellings = (DANA, "Dana@Example.org", DANA)

    at_once(app, *(partial(in_transaction, invite, corin, spelling) for spelling in spellings))

    with read_tx() as db_session:
        assert len(invitations.list_invitations(db_session)) == 1
        assert len(db_session.scalars(select(OutboxEmail)).all()) == 1


def test_removal_and_revocation_extend_to_the_invitations_of_a_coordinator(db_session):
    corin, dana = a_coordinator(db_session), a_coordinator(db_session, "Dana")
    for by, email in ((corin, "ada@example.org"), (dana, "grace@example.org")):
        invite(db_session, by, email, may_export=True)

    accounts.set_may_export(db_session, dana.id, may_export=False, by=corin, now=NOW)
    rights = {each.email: each.may_export for each in invitations.list_invitations(db_session)}
    accounts.remove(db_session, dana.id, by=corin, writer=WRITER)

    assert rights == {"ada@example.org": True, "grace@example.org": False}
    assert [each.email for each in invitations.list_invitations(db_session)] == ["ada@example.org"]


def test_expired_invitations_are_deleted(db_session):
    invite(db_session, a_coordinator(db_session))

    left = []
    for days in (6, 7):
        invitations.delete_expired(db_session, now=NOW + timedelta(days=days))
        left.append(len(invitations.list_invitations(db_session)))

    assert left == [1, 0]
