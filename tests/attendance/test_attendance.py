"""Attendance: by report, by hand, and the day on which somebody first attended."""

from datetime import date, timedelta

import pytest

from cop.attendance import attendance
from cop.attendance.attendance import ReportResult
from cop.attendance.matching import closest_names, match_participants
from cop.attendance.zoom_report import Participant
from cop.db.engine import write_tx
from cop.errors import ReportGone
from cop.models.audit import AttendanceImport
from cop.models.registration import Registration
from cop.privacy import deletion, erasure
from tests.builders import EASTERN, NOW, a_meeting, a_registration, a_writer, find_member
from tests.concurrency import at_once

pytestmark = pytest.mark.both

EVENING = NOW - timedelta(hours=12)  # still November 21 in the community's zone
THE_DAY = date(2026, 11, 21)
ADA = Participant("Ada Example", "ada@example.org", 80)


@pytest.fixture
def it(db_session):
    """A meeting that is over, and a bystander at another one."""
    other = a_meeting(db_session, slug="other", starts_at=EVENING - timedelta(days=30))
    a_registration(db_session, other, "bystander@example.org", attended=None)
    return a_meeting(db_session, slug="it", starts_at=EVENING)


def on_roster(db_session, meeting, name, status="held", **values):
    address = f"{name.split()[0].lower()}@example.org"
    return a_registration(db_session, meeting, address, status, name=name, **values)


def apply(db_session, it, *participants, chosen=None):
    attendance.store_report(db_session, it.id, participants, now=NOW)
    version = attendance.read_sheet(db_session, it.id).report.version
    return attendance.apply_report(db_session, it.id, chosen or {}, version=version, zone=EASTERN)


def mark(db_session, it, **marks):
    people = attendance.read_sheet(db_session, it.id).people
    by_name = {person.name.split()[0].lower(): person.id for person in people}
    by_id = {by_name[name]: attended for name, attended in marks.items()}
    return attendance.mark(db_session, it.id, by_id, zone=EASTERN)


def marks(db_session, it):
    db_session.expire_all()
    return {
        person.name.split()[0]: (person.attended, person.minutes_present)
        for person in attendance.read_sheet(db_session, it.id).people
    }


def first_day(db_session, name):
    return find_member(db_session, f"{name}@example.org").first_attended_on


def test_a_report_marks_who_attended_for_how_long_and_who_was_absent(db_session, it):
    for name in ("Ada Example", "Grace Sample", "Katherine Placeholder"):
        on_roster(db_session, it, name)

    result = apply(db_session, it, ADA, Participant("sample, GRACE", "", 0))

    assert result == ReportResult(attended=1, absent=2, manual_marks_kept=0)
    absent = (False, 0)
    assert marks(db_session, it) == {"Ada": (True, 80), "Grace": absent, "Katherine": absent}
    assert attendance.read_sheet(db_session, it.id).report is None
    assert db_session.query(Registration).filter_by(meeting_id=it.id, attended=None).count() == 0
    assert find_member(db_session, "bystander@example.org").first_attended_on is None


def test_waiting_people_are_marked_only_if_they_attended_and_canceled_ones_never(db_session, it):
    on_roster(db_session, it, "Ada Example", "waiting")
    on_roster(db_session, it, "Grace Sample", "waiting")
    gone = on_roster(db_session, it, "Mallory Nobody", "cancelled")

    apply(db_session, it, ADA, Participant("Mallory Nobody", "mallory@example.org", 60))

    assert marks(db_session, it) == {"Ada": (True, 80), "Grace": (None, None)}
    db_session.refresh(gone)
    assert gone.attended is None


def test_a_second_report_replaces_the_marks_of_the_first(db_session, it):
    on_roster(db_session, it, "Ada Example")
    on_roster(db_session, it, "Grace Sample")
    first, again = (apply(db_session, it, ADA) for _ in range(2))
    unchanged = marks(db_session, it)

    apply(db_session, it, Participant("Grace Sample", "", 45))

    assert first == again
    assert unchanged == {"Ada": (True, 80), "Grace": (False, 0)}
    assert marks(db_session, it) == {"Ada": (False, 0), "Grace": (True, 45)}
    assert (first_day(db_session, "ada"), first_day(db_session, "grace")) == (None, THE_DAY)


def test_choices_count_and_two_participants_of_one_person_add_up(db_session, it):
    ada = on_roster(db_session, it, "Ada Example")
    grace = on_roster(db_session, it, "Grace Sample")
    names = {"A. E.": 30, "iPhone": 20, "Grace Sample": 90, "Stranger": 5}
    lines = [Participant(name, "", minutes) for name, minutes in names.items()]

    apply(db_session, it, *lines, chosen={0: ada.id, 1: ada.id, 2: None, 3: 999_999, 7: grace.id})

    assert marks(db_session, it) == {"Ada": (True, 50), "Grace": (False, 0)}


def test_the_sum_of_two_participants_is_capped_at_the_longest_stay(db_session, it):
    ada = on_roster(db_session, it, "Ada Example")

    apply(db_session, it, ADA, Participant("iPhone", "", 75), chosen={1: ada.id})

    assert marks(db_session, it) == {"Ada": (True, 80)}


def test_marks_by_hand_are_counted_where_they_differ(db_session, it):
    for name in ("Ada Example", "Grace Sample", "Katherine Placeholder"):
        on_roster(db_session, it, name)
    apply(db_session, it, ADA)

    changed = mark(db_session, it, ada=True, grace=True, katherine=None)

    assert changed == 2
    assert marks(db_session, it) == {
        "Ada": (True, 80), "Grace": (True, None), "Katherine": (None, None),
    }  # fmt: skip


def test_nobody_is_marked_at_a_meeting_that_is_not_theirs(db_session, it):
    on_roster(db_session, it, "Ada Example")
    other = a_meeting(db_session, slug="more")
    stranger = on_roster(db_session, other, "Grace Sample")

    changed = attendance.mark(db_session, it.id, {stranger.id: True}, zone=EASTERN)

    db_session.refresh(stranger)
    assert (changed, stranger.attended) == (0, None)


@pytest.mark.parametrize(
    ("known", "becomes"),
    [(None, THE_DAY), (date(2027, 1, 19), THE_DAY), (date(2025, 1, 21), date(2025, 1, 21))],
    ids=["never", "later", "earlier"],
)
def test_the_first_day_is_the_earliest_in_the_community_s_time_zone(db_session, it, known, becomes):
    on_roster(db_session, it, "Ada Example")
    find_member(db_session, "ada@example.org").first_attended_on = known

    mark(db_session, it, ada=True)

    assert first_day(db_session, "ada") == becomes


def test_undoing_a_mark_recomputes_the_first_day(db_session, it):
    later = a_meeting(db_session, slug="later", starts_at=EVENING + timedelta(days=28))
    for meeting in (it, later):
        on_roster(db_session, meeting, "Ada Example")
    on_roster(db_session, it, "Grace Sample")
    on_roster(db_session, it, "Katherine Placeholder")
    long_ago = date(2025, 1, 21)  # by marks that were deleted since
    find_member(db_session, "katherine@example.org").first_attended_on = long_ago
    mark(db_session, it, ada=True, grace=True)
    mark(db_session, later, ada=True)

    mark(db_session, it, ada=False, grace=None)

    assert first_day(db_session, "ada") == date(2026, 12, 19)
    assert first_day(db_session, "grace") is None
    assert first_day(db_session, "katherine") == long_ago


def test_a_report_is_deleted_after_a_day_and_when_somebody_on_the_roster_is_erased(db_session, it):
    other = a_meeting(db_session, slug="more")
    for meeting in (it, other):
        on_roster(db_session, meeting, "Grace Sample")
        attendance.store_report(db_session, meeting.id, [ADA], now=NOW)
    ada = on_roster(db_session, it, "Ada Example")

    deletion.run(db_session, now=NOW + timedelta(hours=23))
    erasure.erase(db_session, ada.member_id, writer=a_writer(db_session))
    left = [row.meeting_id for row in db_session.query(AttendanceImport)]
    deletion.run(db_session, now=NOW + timedelta(days=1))

    assert left == [other.id]
    assert db_session.query(AttendanceImport).count() == 0


def test_participants_match_by_address_then_by_a_name_that_only_one_has(db_session, it):
    for name in ("Ada Example", "Grace Sample", "Katherine Placeholder"):
        on_roster(db_session, it, name)
    twin = a_registration(db_session, it, "twin@example.org", name="Katherine Placeholder")
    a_registration(db_session, it, "olu@xn--bcher-kva.example", name="Olu")
    people = attendance.read_sheet(db_session, it.id).people
    participants = [
        Participant("Somebody else", "ADA@EXAMPLE.org", 9),
        Participant("Grâce Sample", "g@x", 9),
        Participant("Katherine Placeholder", "", 9),
        Participant("Ada's OtterPilot", "", 9),
        Participant("Galaxy S21", "", 9),
        Participant("Wanda", "twin@example.org", 9),
        Participant("K. Placeholder", "", 9),
        Participant("O", "Olu@bücher.example", 9),
    ]

    matches = match_participants(participants, people)

    kinds = "BY_EMAIL BY_NAME UNKNOWN BOT DEVICE BY_EMAIL UNKNOWN BY_EMAIL"
    assert [match.kind.name for match in matches] == kinds.split()
    assert matches[5].person_id == twin.id
    assert closest_names(people)("K. Placeholder")[0].name == "Katherine Placeholder"


def test_a_report_applied_twice_at_once_is_applied_once(app):
    with write_tx() as db_session:
        it = a_meeting(db_session, slug="it", starts_at=EVENING)
        on_roster(db_session, it, "Ada Example")
        attendance.store_report(db_session, it.id, [ADA], now=NOW)
        version, id_ = attendance.read_sheet(db_session, it.id).report.version, it.id

    def applying():
        try:
            with write_tx() as db_session:
                return attendance.apply_report(
                    db_session, id_, {}, version=version, zone=EASTERN
                ).attended
        except ReportGone:
            return "gone"

    outcomes = at_once(app, applying, applying)

    assert sorted(outcomes, key=str) == [1, "gone"]
