"""Every address of the site. Other sites link to them: removing one must be meant."""

KNOWN = {
    "GET /",
    "GET /coordinator/",
    "GET /coordinator/export.csv",
    "GET /coordinator/sessions/<slug:slug>",
    "GET /coordinator/set-up/<token>",
    "POST /coordinator/set-up/<token>",
    "GET /coordinator/sign-in",
    "POST /coordinator/sign-in",
    "POST /coordinator/sign-out",
    "GET /favicon.ico",
    "GET /healthz",
    "GET /readyz",
    "GET /register",
    "POST /register",
    "POST /register/email-hint",
    "GET /registered",
    "GET /robots.txt",
    "GET /schedule",
    "GET /schedule/<slug:slug>",
    "GET /sitemap.xml",
    "GET /static/<path:filename>",
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
