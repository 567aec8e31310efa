"""The settings: forms that are checked, saved once, and show conflicting edits."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from cop.community.community import DEFAULT_ABOUT, load_community
from cop.db.engine import write_tx
from cop.models.audit import AuditEntry
from cop.models.community import Community
from cop.models.email import OutboxEmail
from cop.models.registration import Member, Registration
from cop.privacy import deletion
from cop.settings.views import FORMS
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    SAME_ORIGIN,
    add_registrations,
    error_summary,
    form_values,
    main_text,
    member_path,
    register,
    rows,
    update_community,
    update_meeting,
)
from tests.page import parse
from tests.statements import Statements

SETTINGS, FRONT, RHYTHM = "/coordinator/settings", "/coordinator/", "/coordinator/rhythm"
HOSTILE = '"><script>alert(1)</script>{{ 7*7 }} %(x)s \x00\x1b'
TIDY = HOSTILE.replace("\x00\x1b", "").strip()


def path(part):
    return f"{SETTINGS}/{part}"


def the_community():
    return rows(Community)[0]


def save(client, part, page=None, **changed):
    """Send the form of a page, by default as it is stored, with some values changed."""
    page = page or client.page(path(part))
    data = form_values(page.main) | changed
    return client.post(path(part), data=data, headers=SAME_ORIGIN)


def test_the_overview_links_and_summarizes_every_part(corin):
    page = corin.page(SETTINGS)

    links = {link["href"] for link in page.main.select("a")}
    occasional = {f"/coordinator/{page}" for page in ("rhythm", "embed", "mail", "record")}
    assert {path(part) for part in FORMS} | {path("coordinators")} | occasional == links
    assert "Reminders go out 7 days and 1 day before each session." in main_text(page)
    assert "We delete names and most answers 60 days after a session." in main_text(page)
    assert "access needs and other sensitive answers after 7 days." in main_text(page)
    assert page.select_one(f"header nav a[href='{SETTINGS}'][aria-current]")


def test_a_page_takes_five_statements_at_most(corin):
    corin.get(FRONT)
    edit = f"/coordinator/sessions/{DECEMBER}/edit"
    took = {}

    for at in (SETTINGS, *map(path, FORMS), RHYTHM, "/coordinator/sessions/new", edit):
        with Statements() as sent:
            corin.page(at)
        took[at] = len(sent)

    assert max(took.values()) <= 5, took


def test_an_unchanged_form_changes_nothing(corin):
    before = the_community()

    answers = [save(corin, part) for part in FORMS]

    assert [(answer.status_code, answer.location) for answer in answers] == [(303, SETTINGS)] * 5
    assert "Nothing changed." in main_text(corin.page(SETTINGS))
    assert the_community() == before
    assert rows(AuditEntry) == []


def test_a_change_shows_at_once_and_is_recorded(client, corin):
    client.page("/")
    before = the_community()

    save(corin, "community", name="Data Friends", contact_email="Ask@Example.org")

    page, after = client.page("/"), the_community()
    assert page.title.get_text().startswith("Data Friends")
    assert page.select_one("footer a[href='mailto:Ask@Example.org']")
    assert after["revision"] == before["revision"] + 1
    assert {name for name in after if after[name] != before[name]} == {
        *("name", "contact_email", "revision")
    }
    assert [(act["action"], act["item_count"]) for act in rows(AuditEntry)] == [
        ("changed settings", 2)
    ]


REFUSED = {
    "community": [
        ("short_name", ""),
        ("short_name", "x" * 61),
        ("host_url", "javascript:alert(1)"),
        ("contact_email", "a@b@c, d@example.org"),
    ],
    "about": [("about", " \x00 "), ("about", "x" * 20_001)],
    "questions": [("asked", "religion"), ("asked", "name")],
    "reminders": [
        *(("reminder_days", days) for days in ("0", "29", "7;1", "1,2,3,4,5,6", "٧")),
        *(("notice_minutes", minutes) for minutes in ("", "0", "61")),
    ],
    "retention": [
        *(("retention_days", days) for days in ("", "61", "99999999")),
        *(("short_retention_days", days) for days in ("0", "8")),
    ],
}


@pytest.mark.parametrize("part", REFUSED)
def test_an_invalid_value_is_refused_at_its_field_and_stays_as_typed(corin, part):
    before, shown = the_community(), corin.page(path(part))

    for field, wrong in REFUSED[part]:
        answer = save(corin, part, shown, **{field: wrong})

        page = parse(answer)
        assert answer.status_code == 422, (field, wrong)
        assert page.title.get_text().startswith("Error: ")
        assert page.find(id=f"{field}-refusal").p.get_text(strip=True) in error_summary(page)
        assert field in {"asked", "about"} or page.find(id=field)["value"] == wrong
    assert the_community() == before


def test_short_answers_cannot_outlive_the_names(corin):
    answer = save(corin, "retention", retention_days="3")

    assert answer.status_code == 422
    [sentence] = error_summary(parse(answer))
    assert "can't be kept longer than names." in sentence


def test_hostile_text_is_text_wherever_it_shows(client, corin):
    names = ("name", "short_name", "host_name", "location", "contact_name", "contact_role")
    answer = save(corin, "community", **dict.fromkeys(names, HOSTILE))
    save(corin, "about", about=f"{HOSTILE}\n\n[x](javascript:alert(1))\n\n# Big")

    pages = [client.page(at) for at in ("/", "/schedule", "/your-data", "/register", FRONT)]
    feeds = [client.get(at) for at in ("/schedule.ics", "/schedule.json")]
    export = client.get("/coordinator/export.csv")

    assert answer.status_code == 303
    assert the_community()["name"] == TIDY
    assert pages[0].h1.get_text() == TIDY
    assert not any(page.find("script", string=True) for page in pages)
    assert not any("javascript:" in link["href"] for link in pages[0].select("a[href]"))
    assert [feed.status_code for feed in feeds] == [200, 200]
    assert "script-alert-1-script-7-7-x-s" in export.headers["Content-Disposition"]


def test_a_short_name_without_plain_letters_still_names_files(db_session):
    community = replace(load_community(db_session), short_name="公平…")

    assert community.slug == "community"


def test_an_empty_address_hides_the_link(client, corin):
    save(corin, "community", contact_email="ask@example.org")
    save(corin, "community", contact_email="", host_url="")

    page = client.page("/")

    assert (the_community()["contact_email"], the_community()["host_url"]) == (None, None)
    assert not page.select("a[href^=mailto]")


def test_edits_of_different_fields_at_once_are_both_saved(corin):
    shown = corin.page(path("community"))
    save(corin, "community", location="Teams")

    answer = save(corin, "community", shown, contact_role="Librarian")

    after = the_community()
    assert answer.status_code == 303
    assert (after["location"], after["contact_role"]) == ("Teams", "Librarian")


@pytest.mark.parametrize(
    ("part", "field", "column", "values"),
    [
        ("questions", "asked", "disabled_questions", [["hats"], ["pronouns"]]),
        ("reminders", "notice_minutes", "notice_minutes", ["5", "9"]),
    ],
    ids=["questions", "reminders"],
)
def test_an_edit_conflict_shows_the_other_value_first(corin, part, field, column, values):
    shown, (first, second) = corin.page(path(part)), values
    save(corin, part, **{field: first})
    theirs = the_community()[column]

    refused = save(corin, part, shown, **{field: second})
    stored = the_community()[column]
    again = save(corin, part, parse(refused))

    [sentence] = error_summary(parse(refused))
    assert f"You changed this to “{first[0]}” in another window." in sentence
    assert (refused.status_code, stored) == (422, theirs)
    assert again.status_code == 303
    assert the_community()[column] != theirs


def test_the_about_text_can_be_previewed(corin):
    answer = save(corin, "about", about="## Hello\n\nThere *you* are.", preview="yes")

    page = parse(answer)
    assert answer.status_code == 200
    assert page.select_one(".framed h2 + .flow h2").get_text() == "Hello"
    assert "There *you* are." in page.find(id="about").get_text()
    assert the_community()["about"] is None


def test_the_shipped_text_can_be_restored_and_is_stored_as_null(client, corin):
    save(corin, "about", about="Another text.")

    back = parse(save(corin, "about", about="Half a tho", shipped="yes"))
    before = the_community()["about"]
    answer = save(corin, "about", back)

    assert before == "Another text."
    assert back.find(id="about").get_text().strip() == DEFAULT_ABOUT.strip()
    assert answer.status_code == 303
    assert the_community()["about"] is None


def test_a_disabled_question_is_not_asked_and_its_answers_stay(client, corin):
    add_registrations(
        DECEMBER, "ada@example.org", pronouns="she/her", prep_answer="Hm", first_time=True
    )
    update_meeting(DECEMBER, prep_question="Who is missing?")

    save(corin, "questions", asked=["organization", "hats", "access", "list_opt_in"])

    form, yours = client.page(register(client).location), client.page("/your-data")
    assert form.find(attrs={"name": "hats"})
    assert not form.find(attrs={"name": "pronouns"})
    assert not form.find(attrs={"name": "prep_answer"})
    assert not form.find(attrs={"name": "prep_visibility"})
    assert "Pronouns" not in main_text(yours)
    assert rows(Registration)[0]["pronouns"] == "she/her"
    assert "she/her" in main_text(client.page(member_path()))


def test_all_questions_can_be_disabled_and_enabled(client, corin):
    shown = corin.page(path("questions"))
    save(corin, "questions", asked=[])
    none = client.page(register(client).location)

    save(corin, "questions", asked=form_values(shown.main)["asked"])

    assert the_community()["disabled_questions"] == []
    assert not none.find(attrs={"name": "organization"})
    assert client.page(register(client).location).find(attrs={"name": "organization"})


def test_reminder_days_are_sorted_without_duplicates(corin):
    save(corin, "reminders", reminder_days=" 1,14, 3 ,14,", notice_minutes="60")
    some = the_community()["reminder_days"]
    save(corin, "reminders", reminder_days="")

    assert some == [14, 3, 1]
    assert the_community()["reminder_days"] == []
    assert the_community()["notice_minutes"] == 60
    assert "No reminders go out." in main_text(corin.page(SETTINGS))


def test_reminders_due_at_once_are_confirmed_first(corin):
    add_registrations(
        DECEMBER, "ada@example.org", "grace@example.org", registered_at=NOW - timedelta(days=9)
    )
    with write_tx() as db_session:
        db_session.execute(update(Member).values(verified_at=NOW))

    asked = save(corin, "reminders", reminder_days="28, 1")
    before = (the_community()["reminder_days"], rows(OutboxEmail))
    done = save(corin, "reminders", parse(asked))

    assert asked.status_code == 200
    assert "2 reminders go out right away" in main_text(parse(asked))
    assert before == ([7, 1], [])
    assert done.status_code == 303
    assert the_community()["reminder_days"] == [28, 1]


def test_a_shorter_retention_is_confirmed_first(app, corin):
    past = NOW - timedelta(days=20)
    update_meeting(DECEMBER, starts_at=past, ends_at=past + timedelta(hours=1))
    add_registrations(DECEMBER, "ada@example.org", "grace@example.org", hats=["analyst"])
    add_registrations("2027-01-19", "katherine@example.org", pronouns="she/her")

    asked = save(corin, "retention", retention_days="10", short_retention_days="2")
    left = (the_community()["retention_days"], len(rows(Registration)))
    done = save(corin, "retention", parse(asked))
    with write_tx() as db_session:
        deletion.run(db_session, now=NOW)

    assert "Within a day, we delete 2 registrations" in main_text(parse(asked))
    assert left == (60, 3)
    assert done.status_code == 303
    assert [row["pronouns"] for row in rows(Registration)] == ["she/her"]


def test_a_longer_retention_is_confirmed_first(corin):
    update_community(retention_days=10, short_retention_days=2)

    asked = save(corin, "retention", retention_days="60", short_retention_days="2")

    assert asked.status_code == 200
    assert "we'd delete their data sooner" in main_text(parse(asked))
    assert the_community()["retention_days"] == 10


def test_every_page_shows_the_current_retention(client, corin):
    add_registrations(DECEMBER, "ada@example.org", pronouns="she/her")

    save(corin, "retention", retention_days="30", short_retention_days="1")

    form = main_text(client.page(register(client, DECEMBER, email="g@example.org").location))
    yours = main_text(client.page("/your-data"))
    mine = main_text(client.page(member_path()))
    for page in (form, yours):
        assert "Deleted 30 days after the session." in page
        assert "Deleted 1 day after the session." in page
        assert "60 days after the session" not in page
    assert "30 days after a session, we keep only totals" in yours
    assert "Deleted on December 16" in mine  # a day after the session
    assert "Deleted on January 14" in mine  # thirty days
    assert "Deleted on February" not in mine


def test_unknown_parts_are_not_found(corin):
    assert corin.get(path("x")).status_code == 404
