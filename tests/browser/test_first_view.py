"""The first look at the schedule: light, steady, and in the visitor's own time."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

FEW_REQUESTS = 4  # the page, its style and two scripts
LIGHT = 100_000  # bytes, were nothing compressed
STEADY = 0.05  # what counts as no shift for a reader; "good" in Web Vitals ends at 0.1

LOADED = """() => [...performance.getEntriesByType("navigation"),
                  ...performance.getEntriesByType("resource")]
  .filter((entry) => !/favicon.ico|mark.svg/.test(entry.name))
  .map((entry) => [entry.name, entry.decodedBodySize])"""

SHIFTS = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => sum += entry.value))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(sum), 300);
})"""


@pytest.mark.parametrize("path", ["/", "/schedule/{upcoming[0]}"])
@pytest.mark.parametrize(
    ("zone", "own_time"),
    [
        ("Europe/Lisbon", "{starts} – {ends} PM your time (Lisbon)"),
        ("Asia/Kolkata", "{starts} – {ends} PM your time (Kolkata)"),
        ("Asia/Tokyo", "{weekday}, {starts} – {ends} AM your time (Tokyo)"),
    ],
)
def test_a_visitor_elsewhere_reads_their_own_time_beside_the_community_s(
    visit, site, path, zone, own_time
):
    page = visit(path.format(upcoming=site.upcoming), timezone_id=zone)
    time = page.locator("time").first
    starts_at, ends_at = (
        datetime.fromisoformat(time.get_attribute(name)).astimezone(ZoneInfo(zone))
        for name in ("datetime", "data-until")
    )

    shown = page.locator("[data-local-time]")

    expect(shown).to_have_count(1)
    starts, ends = (f"{each.hour % 12 or 12}:{each:%M}" for each in (starts_at, ends_at))
    expect(shown).to_have_text(own_time.format(weekday=f"{starts_at:%A}", starts=starts, ends=ends))


@pytest.mark.parametrize("zone", ["America/New_York", "America/Toronto"])
def test_a_visitor_whose_clock_agrees_reads_one_time(visit, site, zone):
    page = visit("/schedule", timezone_id=zone)

    page.locator(f"#act-{site.upcoming[0]} a").click()

    expect(page.locator("#registration form")).to_be_visible()
    expect(page.locator("[data-local-time]")).to_have_count(0)


def test_the_own_time_is_shown_once_also_after_a_swap(visit, site):
    page = visit("/schedule", timezone_id="Asia/Kolkata")
    expect(page.locator("[data-local-time]")).to_have_count(1)

    page.locator(f"#act-{site.upcoming[0]} a").click()

    expect(page.locator("#registration form")).to_be_visible()
    expect(page.locator("[data-local-time]")).to_have_count(1)


def test_the_schedule_is_there_in_four_requests_and_is_light(visit, site):
    page = visit("/schedule")

    loaded = page.evaluate(LOADED)

    assert loaded[0][0] == f"{site.address}/schedule"
    assert len(loaded) <= FEW_REQUESTS, loaded
    assert sum(size for _, size in loaded) < LIGHT, loaded


@pytest.mark.parametrize(("zone", "width"), [("America/New_York", 1280), ("Europe/Lisbon", 360)])
def test_nothing_moves_while_the_schedule_appears(visit, zone, width):
    page = visit("/schedule", timezone_id=zone, viewport={"width": width, "height": 800})

    shifted = page.evaluate(SHIFTS)

    assert shifted < STEADY
