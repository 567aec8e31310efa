"""The pages of the console, for whoever looks at all of them."""

PAGES = (
    *(
        "",
        "numbers",
        "people",
        "record",
        "rhythm",
        "sessions/new",
        "mail",
        "list",
        "embed",
        "account",
    ),
    *("settings", "settings/coordinators", "account/two-factor", "forgotten"),
    *(f"settings/{part}" for part in ("community", "about", "questions", "reminders", "retention")),
)
OF_A_SESSION = (
    *("", "/edit", "/cancel", "/restore", "/access", "/add", "/rooms", "/write", "/attendance"),
    "/emails?status=held",
)
OF_A_PAST_ONE = ("", "/attendance", "/takeaways", "/rooms", "/write")


def paths(site):
    """Every page's path, with a person's among them."""
    upcoming, past = site.upcoming[0], site.past[0]
    [(person,)] = site.rows(
        "SELECT min(registration.id) FROM registration JOIN meeting ON meeting.id = meeting_id"
        " WHERE slug = ?",
        upcoming,
    )
    return [
        f"/coordinator/{path}"
        for path in (
            *PAGES,
            *(f"sessions/{upcoming}{below}" for below in OF_A_SESSION),
            *(f"sessions/{past}{below}" for below in OF_A_PAST_ONE),
            f"sessions/{upcoming}/people/{person}",
        )
    ]
