"""The pages that people see without signing in, for whoever looks at all of them."""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cop.links import Links, Owner
from tests.web.test_routes import KNOWN

# Addresses that answer with no page: files, feeds, and answers to machines.
NO_PAGES = {"/healthz", "/readyz", "/static/<path:filename>"}
LOST = ("/nothing-there", "/r/no-such-link")
FRAMED = (
    "",
    "next",
    "register",
    "schedule",
    "schedule/past",
    "your-data",
    "accessibility",
    "my-link",
)
PART = {"<slug:slug>": r"[\d-]+", "<token>": r"[^/]+", "<name>": r"[a-z_]+"}


def paths(site):
    """Every public page's path: of the site, in a frame, and of a member."""
    upcoming, past = site.upcoming[:3], site.past[:1]
    confirmation = site.confirmation_path(upcoming[:1], upcoming[1:2])
    return [
        *("/", "/schedule", "/schedule/past", "/schedule/past?q=data", "/your-data"),
        *("/accessibility", "/my-link", "/coordinator/sign-in"),
        *(f"/schedule/{slug}" for slug in (*upcoming, *past)),
        *("/register", "/register?session=all", f"/register?session={upcoming[0]}"),
        confirmation,
        f"{confirmation}&saved=yes",
        f"/embed{confirmation}",
        *(f"/embed/{name}" for name in FRAMED),
        f"/embed/schedule/{upcoming[0]}",
        *_of_a_member(site),
        *LOST,
    ]


def _of_a_member(site):
    """The pages that emails lead to, of somebody who is registered for the next session."""
    [(registration_id, slug, member_id, version)] = site.rows(
        "SELECT registration.id, slug, member_id, token_version FROM registration"
        " JOIN meeting ON meeting.id = meeting_id JOIN member ON member.id = member_id"
        " WHERE registration.status = 'held' AND slug = ? AND organization != '' LIMIT 1",
        site.upcoming[0],
    )
    links, owner = Links("", (site.instance / "secret-key").read_text()), Owner(member_id, version)
    today = datetime.now(UTC).date()
    session = f"/sessions/{slug}"
    below = ("", "/erase", "/links", "/calendar", session, f"{session}/cancel")
    below += (f"{session}/delete/organization",)
    return [
        *(links.member(owner, path, on=today) for path in below),
        links.join(owner, registration_id),
        links.confirm_list(owner),
        links.unsubscribe(member_id, "reminders"),
    ]


def missing(visited):
    """The addresses of pages, of all that the site has, that are not among the paths visited."""
    listed = [line[9:] for line in KNOWN.strip().splitlines() if "GET" in line]
    pages = [path for path in listed if not path.startswith("/coordinator") and "." not in path]
    seen = [urlsplit(path).path for path in visited]
    return [page for page in pages if page not in NO_PAGES and not any(map(_matches(page), seen))]


def _matches(page):
    pattern = re.sub("<[a-z:]+>", lambda part: PART[part[0]], page)
    return re.compile(pattern).fullmatch
