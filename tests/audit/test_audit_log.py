"""The audit log: what coordinators did and viewed, the newest first, for a year."""

from datetime import timedelta

import pytest

from cop.audit import audit_log
from cop.audit.audit_log import ACTION_SENTENCES, EXPORTS, VIEWINGS, Action
from cop.models.audit import Announcement, AuditEntry, Viewing
from cop.privacy import deletion
from tests.builders import NOW, a_coordinator, a_meeting, a_viewing

pytestmark = pytest.mark.both

A_DAY = timedelta(days=1)


@pytest.fixture
def corin(db_session):
    return a_coordinator(db_session).id


def record(db_session, by, action, ago=timedelta(), **values):
    audit_log.record_action(db_session, by, action, now=NOW - ago, **values)
    db_session.flush()


def read(db_session, **filters):
    return audit_log.read_log(db_session, **filters)[0]


def actions(entries):
    return [entry.action for entry in entries]


def test_actions_and_viewings_are_listed_together_the_newest_first(db_session, corin):
    meeting = a_meeting(db_session)
    a_viewing(db_session, corin, "roster", now=NOW - 2 * A_DAY, meeting_id=meeting.id)
    record(db_session, corin, Action.MOVED_MEETING, A_DAY, meeting_id=meeting.id, item_count=3)
    a_viewing(db_session, corin, "mails")

    found = read(db_session)

    moved = found[1]
    assert actions(found) == ["mails", Action.MOVED_MEETING, "roster"]
    assert (moved.by, moved.slug, moved.item_count, moved.at) == (
        "Corin", meeting.slug, 3, NOW - A_DAY,
    )  # fmt: skip
    assert [entry.is_viewing for entry in found] == [True, False, True]


def test_the_log_is_filtered_by_kind_and_coordinator(db_session, corin):
    record(db_session, corin, Action.WROTE)
    record(db_session, corin, Action.CANCELLED_PLACE, registration_id=7)
    record(db_session, corin, Action.CHANGED_HOSTS)
    record(db_session, corin, Action.INVITED)
    mallory = a_coordinator(db_session, "Mallory").id
    record(db_session, mallory, Action.WROTE)
    a_viewing(db_session, mallory, "roster")
    a_viewing(db_session, corin, "list")
    a_viewing(db_session, corin, "list", columns=["email"])
    a_viewing(db_session, corin, "export", columns=["name", "access"])

    found = {
        kind: read(db_session, kind=kind, coordinator_id=corin)
        for kind in (*ACTION_SENTENCES, VIEWINGS, EXPORTS)
    }
    hers = read(db_session, coordinator_id=mallory)

    assert [(entry.by, entry.action) for entry in hers] == [
        ("Mallory", Action.WROTE),
        ("Mallory", "roster"),
    ]
    assert actions(found["sessions"]) == [Action.WROTE]
    assert [entry.registration_id for entry in found["people"]] == [7]
    assert actions(found["settings"]) == [Action.CHANGED_HOSTS]
    assert actions(found["accounts"]) == [Action.INVITED]
    assert [(entry.action, entry.columns) for entry in found[VIEWINGS]] == [("list", [])]
    assert [(entry.action, entry.columns) for entry in found[EXPORTS]] == [
        ("export", ["name", "access"]),
        ("list", ["email"]),
    ]


def test_every_action_has_a_sentence_in_one_group():
    listed = [action for group in ACTION_SENTENCES.values() for action in group]

    assert sorted(listed) == sorted(Action)


def test_entries_are_deleted_after_a_year(db_session, corin):
    for ago in (audit_log.RETENTION, audit_log.RETENTION - timedelta(seconds=1)):
        record(db_session, corin, Action.WROTE, ago)
        a_viewing(db_session, corin, "roster", now=NOW - ago)

    erased, again = deletion.run(db_session, now=NOW), deletion.run(db_session, now=NOW)

    assert (erased.audit_entries, again.audit_entries) == (2, 0)
    assert (db_session.query(AuditEntry).count(), db_session.query(Viewing).count()) == (1, 1)


def test_announcements_are_deleted_sixty_days_after_the_session(db_session, corin):
    for ended in (timedelta(days=60), timedelta(days=60) - timedelta(seconds=1)):
        starts_at = NOW - ended - timedelta(minutes=90)
        meeting = a_meeting(db_session, starts_at=starts_at, slug=str(ended.total_seconds()))
        message = {"audience": "held", "subject": "Hello", "text": "Hello", "recipient_count": 1}
        db_session.add(Announcement(meeting_id=meeting.id, sent_at=NOW, **message))

    deletion.run(db_session, now=NOW)

    [left] = db_session.query(Announcement).all()
    assert left.meeting_id == meeting.id
