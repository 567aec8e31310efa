"""What members read about who viewed their data."""

import pytest

from cop.members import viewings
from cop.models.audit import Viewing
from tests.builders import a_meeting, a_writer


def described(db_session, resource, *columns, by="Corin", meeting=None):
    viewing = Viewing(resource=resource, columns=[*columns])
    return viewings.describe(viewing, by, meeting, writer=a_writer(db_session))


@pytest.mark.parametrize(
    ("resource", "columns", "sentence"),
    [
        ("roster", [], "Corin viewed the attendee list for the December 13 session."),
        (
            "roster",
            ["asked_for_access"],
            "Corin viewed the attendee list for the December 13 session and filtered it by access needs.",
        ),
        (
            "export",
            ["name", "access"],
            "Corin downloaded the attendee list for the December 13 session, with access needs.",
        ),
        ("export", ["name"], "Corin downloaded the attendee list for the December 13 session."),
        (
            "person",
            [],
            "Corin viewed one person's details for the December 13 session. That person may be you.",
        ),
        ("new", [], "Corin viewed a list that includes you."),
    ],
)
def test_a_viewing_of_one_session_names_its_date(db_session, resource, columns, sentence):
    meeting = a_meeting(db_session)

    assert described(db_session, resource, *columns, meeting=meeting) == sentence


@pytest.mark.parametrize(
    ("resource", "columns", "sentence"),
    [
        ("list", [], "Corin viewed the mailing list."),
        ("list", ["email", "confirmed_at"], "Corin downloaded the mailing list."),
        ("export", [], "Corin downloaded the attendee list for all sessions."),
    ],
)
def test_a_viewing_of_all_sessions_names_no_date(db_session, resource, columns, sentence):
    assert described(db_session, resource, *columns) == sentence


def test_a_coordinator_who_has_left_has_no_name(db_session):
    assert described(db_session, "list", by=None) == "A former coordinator viewed the mailing list."
