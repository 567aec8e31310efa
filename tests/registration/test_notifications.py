"""What is mailed when somebody registers: one mail to them whatever they had before, and needs."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from cop.accounts import accounts
from cop.errors import Refused
from cop.models.registration import Member
from cop.outbox.outbox import EmailKind
from tests.builders import (
    ADA,
    GRACE,
    NOW,
    PASSWORD,
    a_meeting,
    outbox_emails,
    recipients_and_subjects,
    register,
    registrations,
)

pytestmark = pytest.mark.both

DECEMBER, JANUARY = "2026-12-15", "2027-01-19"


def test_one_confirmation_for_everything_that_was_chosen(db_session):
    a_meeting(db_session, slug="full", starts_at=NOW + timedelta(days=2), capacity=1)
    register(db_session, "full", GRACE)

    register(db_session, ["full", DECEMBER, JANUARY], ADA)

    [mail] = [mail for mail in outbox_emails(db_session) if mail.to_address == "ada@example.org"]
    assert (mail.kind, mail.subject) == (
        EmailKind.CONFIRMATION,
        "You are registered for 2 sessions",
    )
    assert mail.text.index("December 15") < mail.text.index("waiting list here")
    assert mail.calendar.count("BEGIN:VEVENT") == 2


def test_the_mail_is_not_there_without_the_place(db_session):
    over = NOW + timedelta(days=40)

    with pytest.raises(Refused, match="is over"):
        register(db_session, DECEMBER, ADA, now=over)

    assert (outbox_emails(db_session), registrations(db_session)) == ([], [])


def test_a_form_sent_twice_is_confirmed_once(db_session):
    for _ in range(2):
        register(db_session, DECEMBER, ADA, submission="the same")

    assert len(outbox_emails(db_session)) == 1


def test_who_was_registered_already_gets_their_link_and_nothing_that_was_typed(db_session):
    register(db_session, DECEMBER, ADA)
    stranger = replace(ADA, name="Somebody Else", values={"prep_answer": "Gotcha"})

    register(db_session, DECEMBER, stranger)

    first, second = outbox_emails(db_session)
    assert (second.kind, second.subject) == (EmailKind.LINK, "Your link: Equity in Data")
    assert "nothing was changed" in second.text
    assert "Somebody Else" not in second.text + second.html
    assert "Gotcha" not in second.text + second.html
    assert registrations(db_session)[0].name == "Ada Example"
    assert first.kind == EmailKind.CONFIRMATION


def test_sessions_not_yet_held_are_added_and_only_they_are_confirmed(db_session):
    register(db_session, DECEMBER, ADA)

    register(db_session, [DECEMBER, JANUARY], ADA)

    second = outbox_emails(db_session)[1]
    assert second.subject == "You are registered: January 19"
    assert "December 15" not in second.text


def test_posting_again_and_again_sends_five_links_a_day(db_session):
    for _ in range(8):
        register(db_session, DECEMBER, ADA)
    a_day_later = NOW + timedelta(days=1)
    register(db_session, DECEMBER, ADA, now=a_day_later)

    links = outbox_emails(db_session, EmailKind.LINK)
    assert [mail.created_at for mail in links] == [NOW] * 5 + [a_day_later]


def test_confirmations_do_not_count_toward_that(db_session):
    for number in range(6):
        slug = a_meeting(db_session, slug=f"{number}").slug
        register(db_session, slug, ADA)

    register(db_session, DECEMBER, ADA)
    register(db_session, DECEMBER, ADA)

    assert [mail.kind for mail in outbox_emails(db_session)] == ["confirmation"] * 7 + ["link"]


def test_the_list_has_a_mail_of_its_own_at_most_once_a_day(db_session):
    wish = replace(ADA, list_opt_in=True)
    for hours in (0, 1, 23, 25):
        register(db_session, DECEMBER, wish, now=NOW + timedelta(hours=hours))

    asked = outbox_emails(db_session, EmailKind.LIST)
    assert [mail.created_at for mail in asked] == [NOW, NOW + timedelta(hours=25)]
    assert "/list/" in asked[0].text


def test_who_is_on_the_list_already_is_not_asked_again(db_session):
    register(db_session, DECEMBER, ADA)
    db_session.execute(update(Member).values(list_requested_at=NOW, list_confirmed_at=NOW))

    register(db_session, JANUARY, replace(ADA, list_opt_in=True), now=NOW + timedelta(days=3))

    assert outbox_emails(db_session, EmailKind.LIST) == []


@pytest.mark.parametrize(
    "need", [{"access": ["asl"]}, {"access_language": "Portuguese"}, {"access_other": "A pause"}],
    ids=["ticked", "a language", "own words"],
)  # fmt: skip
def test_coordinators_hear_that_somebody_needs_something_but_not_what_or_who(db_session, need):
    for name in ("corin", "dana"):
        accounts.add(db_session, f"{name}@example.org", name=name, password=PASSWORD)

    register(db_session, DECEMBER, replace(ADA, values=need))

    to_them = outbox_emails(db_session, EmailKind.COORDINATORS)
    assert [mail.to_address for mail in to_them] == ["corin@example.org", "dana@example.org"]
    said = to_them[0].text + to_them[0].html
    assert not [word for word in ("Ada", "asl", "Portuguese", "pause") if word in said]
    assert f"/coordinator/sessions/{DECEMBER}" in said


def test_without_a_need_they_hear_nothing(db_session):
    accounts.add(db_session, "corin@example.org", name="Corin", password=PASSWORD)

    register(db_session, DECEMBER, ADA)

    assert [address for address, _ in recipients_and_subjects(db_session)] == ["ada@example.org"]


def test_a_registration_knows_what_its_owner_was_told(db_session):
    register(db_session, DECEMBER, ADA)

    [registration] = registrations(db_session)
    assert registration.announced == "2026-12-15T16:30:00+00:00|2026-12-15T18:00:00+00:00|planned|"
