"""The long ways through the console: a year planned, a session run from its topic to who came."""

from playwright.sync_api import expect

from tests.browser.visits import has_focus, sign_in

HEADER = "Name (original name),Email,Total duration (minutes),Guest"


def saved(page, words):
    expect(page.locator(".well").first).to_contain_text(words)


def test_a_year_is_planned_in_words_and_one_month_left_out(visit, own_site):
    own = own_site()
    page = sign_in(visit("/coordinator/rhythm", at=own))

    page.get_by_label("July").check()
    page.get_by_label("Sessions to plan ahead").fill("12")
    page.get_by_label("Sessions to plan ahead").blur()
    expect(page.locator("#dates li")).to_have_count(12)
    page.get_by_role("button", name="Save").click()

    saved(page, "6")
    assert len(own.upcoming) == 12
    assert not [slug for slug in own.upcoming if slug[5:7] == "07"]
    page.goto("/schedule")
    expect(page.locator("main")).to_contain_text("except in July")


def test_a_session_is_run_from_its_topic_to_who_came(visit, own_site, tmp_path):
    own = own_site()
    slug = own.upcoming[0]
    session = f"/coordinator/sessions/{slug}"
    page = sign_in(visit(f"{session}/edit", at=own))

    page.get_by_label("Topic").fill("Who is missing from our data?")
    page.get_by_label("Join link").fill("https://zoom.example.org/j/1")
    page.get_by_role("button", name="Save").click()
    saved(page, "Saved")
    expect(page.get_by_role("heading", level=1)).to_have_text("Who is missing from our data?")

    _let_it_be_over(own, slug)
    held = own.rows(
        "SELECT name, email FROM registration JOIN member ON member.id = member_id"
        " JOIN meeting ON meeting.id = meeting_id WHERE slug = ? AND registration.status = 'held'",
        slug,
    )
    report = tmp_path / "participants.csv"
    lines = [f"{name},{email},80,No" for name, email in held[:20]]
    report.write_text("\n".join([HEADER, *lines, "Otter Notetaker,,80,Yes"]), "utf-8-sig")
    page.goto(f"{session}/attendance")
    page.get_by_label("Participants report (CSV)").set_input_files(report)
    page.get_by_role("button", name="Upload and review").click()
    page.get_by_role("button", name="Save attendance").click()

    expect(page.locator(".figures").first).to_contain_text("20")
    came = own.rows(
        "SELECT count(*), min(minutes_present) FROM registration"
        " JOIN meeting ON meeting.id = meeting_id WHERE slug = ? AND attended",
        slug,
    )
    assert came == [(20, 80)]
    page.goto("/coordinator/numbers")
    expect(page.get_by_role("row").filter(has_text="Who is missing").first).to_contain_text("20")


def test_rooms_are_made_with_the_keyboard_alone_and_without_javascript(visit, own_site):
    own = own_site()
    slug = own.upcoming[0]
    page = sign_in(visit("/coordinator/sign-in", at=own, java_script_enabled=False))
    page.goto(f"/coordinator/sessions/{slug}/rooms")

    size = page.get_by_label("People per room")
    for _ in range(40):
        if size.evaluate("field => field === document.activeElement"):
            break
        page.keyboard.press("Tab")
    has_focus(size)
    page.keyboard.press("Control+A")
    page.keyboard.type("5")
    page.keyboard.press("Enter")

    expect(page.locator(".room")).to_have_count(6)
    rooms = own.rows(
        "SELECT count(*) FROM registration JOIN meeting ON meeting.id = meeting_id"
        " WHERE slug = ? AND room IS NOT NULL GROUP BY room",
        slug,
    )
    assert {count for (count,) in rooms} <= {4, 5}


def _let_it_be_over(site, slug):
    """Turn the session's clock back, since nobody can turn that of the running site on."""
    site.rows(
        "UPDATE meeting SET starts_at = datetime('now', '-3 hours'),"
        " ends_at = datetime('now', '-1 hours'), lock_version = lock_version + 1 WHERE slug = ?",
        slug,
    )
