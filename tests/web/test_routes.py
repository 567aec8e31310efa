"""Every address of the site. Other sites link to them: removing one must be meant."""

KNOWN = {
    "GET /",
    "GET /calendar/<token>.ics",
    "GET /coordinator/",
    "GET /coordinator/embed",
    "GET /coordinator/embed/check",
    "POST /coordinator/embed/hosts",
    "POST /coordinator/embed/hosts/remove",
    "POST /coordinator/embed/presets",
    "GET /coordinator/export.csv",
    "GET /coordinator/forgotten",
    "POST /coordinator/forgotten",
    "GET /coordinator/list",
    "GET /coordinator/list.csv",
    "GET /coordinator/mail",
    "GET /coordinator/mail/<int(max=2147483647):mail_id>",
    "POST /coordinator/mail/try-again",
    "GET /coordinator/numbers",
    "GET /coordinator/password/<token>",
    "POST /coordinator/password/<token>",
    "GET /coordinator/rhythm",
    "POST /coordinator/rhythm",
    "POST /coordinator/rhythm/preview",
    "GET /coordinator/record",
    "GET /coordinator/sessions/<slug:slug>",
    *(
        f"{method} /coordinator/sessions/<slug:slug>/{what}"
        for what in (
            "attendance",
            "attendance/report",
            "cancel",
            "edit",
            "restore",
            "rooms",
            "takeaways",
            "write",
        )
        for method in ("GET", "POST")
    ),
    "GET /coordinator/sessions/<slug:slug>/access",
    "GET /coordinator/sessions/<slug:slug>/add",
    "POST /coordinator/sessions/<slug:slug>/add",
    "GET /coordinator/sessions/<slug:slug>/emails",
    "POST /coordinator/sessions/<slug:slug>/people",
    "GET /coordinator/sessions/<slug:slug>/people/<int(max=2147483647):registration_id>",
    (
        "POST /coordinator/sessions/<slug:slug>/people/<int(max=2147483647):registration_id>/"
        "<any(address, place, wait, cancel, restore, undeliverable):what>"
    ),
    "POST /coordinator/sessions/<slug:slug>/edit/preview",
    "GET /coordinator/sessions/new",
    "POST /coordinator/sessions/new",
    "POST /coordinator/sessions/new/preview",
    "POST /coordinator/sessions/<slug:slug>/attendance/report/delete",
    "POST /coordinator/sessions/<slug:slug>/attendance/report/keep",
    "GET /coordinator/sessions/<slug:slug>/rooms.csv",
    "POST /coordinator/sessions/<slug:slug>/rooms/give",
    "POST /coordinator/sessions/<slug:slug>/rooms/mix",
    "GET /coordinator/set-up/<token>",
    "POST /coordinator/set-up/<token>",
    "GET /coordinator/sign-in",
    "POST /coordinator/sign-in",
    "POST /coordinator/sign-out",
    "GET /embed.js",
    "GET /embed/",
    "GET /embed/next",
    "GET /embed/my-link",
    "POST /embed/my-link",
    "GET /embed/register",
    "POST /embed/register",
    "POST /embed/register/email-hint",
    "GET /embed/registered",
    "GET /embed/schedule",
    "GET /embed/schedule/<slug:slug>",
    "GET /embed/your-data",
    "GET /favicon.ico",
    "GET /healthz",
    "GET /join/<token>",
    "POST /join/<token>",
    "GET /list/<token>",
    "POST /list/<token>",
    "GET /my-link",
    "POST /my-link",
    "GET /r/<token>",
    "POST /r/<token>",
    "POST /r/<token>/address",
    "POST /r/<token>/calendar",
    "GET /r/<token>/erase",
    "POST /r/<token>/erase",
    "POST /r/<token>/links",
    "POST /r/<token>/mail",
    "GET /r/<token>/mine.csv",
    "GET /r/<token>/mine.json",
    "POST /r/<token>/sessions",
    "GET /r/<token>/sessions/<slug:slug>",
    "POST /r/<token>/sessions/<slug:slug>",
    "GET /r/<token>/sessions/<slug:slug>/cancel",
    "POST /r/<token>/sessions/<slug:slug>/cancel",
    "GET /readyz",
    "GET /register",
    "POST /register",
    "POST /register/email-hint",
    "GET /registered",
    "GET /robots.txt",
    "GET /schedule",
    "GET /schedule.ics",
    "GET /schedule.json",
    "GET /schedule/<slug:slug>",
    "GET /schedule/<slug:slug>.ics",
    "GET /sitemap.xml",
    "GET /static/<path:filename>",
    "GET /unsubscribe/<token>",
    "POST /unsubscribe/<token>",
    "GET /your-data",
}


def test_every_address_is_acknowledged_here(app):
    answered = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }

    assert answered == KNOWN


def test_an_address_is_answered_without_a_slash_too_many(client):
    response = client.get("/schedule/")

    assert response.status_code == 404
