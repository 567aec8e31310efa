"""Every URL of the site. Other sites link to them: none is removed by accident."""

from collections import defaultdict

# `<id:...>` is an integer that fits a column of the database.
KNOWN = """
GET      /
GET      /accessibility
GET      /calendar/<token>.ics
GET      /coordinator/
GET      /coordinator/account
POST     /coordinator/account/devices
POST     /coordinator/account/password
GET POST /coordinator/account/two-factor
GET POST /coordinator/account/two-factor/off
GET      /coordinator/account/two-factor/qr.svg
GET POST /coordinator/clock
GET      /coordinator/embed
GET      /coordinator/embed/check
POST     /coordinator/embed/hosts
POST     /coordinator/embed/hosts/remove
POST     /coordinator/embed/presets
GET      /coordinator/export.csv
GET POST /coordinator/forgotten
GET POST /coordinator/invitation/<token>
GET      /coordinator/list
GET      /coordinator/list.csv
GET      /coordinator/mail
GET      /coordinator/mail/<id:mail_id>
POST     /coordinator/mail/try-again
GET      /coordinator/numbers
GET POST /coordinator/password/<token>
GET POST /coordinator/people
GET      /coordinator/record
GET POST /coordinator/rhythm
POST     /coordinator/rhythm/preview
GET      /coordinator/sessions/<slug:slug>
GET      /coordinator/sessions/<slug:slug>/access
GET POST /coordinator/sessions/<slug:slug>/add
GET POST /coordinator/sessions/<slug:slug>/attendance
GET POST /coordinator/sessions/<slug:slug>/attendance/report
POST     /coordinator/sessions/<slug:slug>/attendance/report/delete
POST     /coordinator/sessions/<slug:slug>/attendance/report/keep
GET POST /coordinator/sessions/<slug:slug>/cancel
GET POST /coordinator/sessions/<slug:slug>/edit
POST     /coordinator/sessions/<slug:slug>/edit/preview
GET      /coordinator/sessions/<slug:slug>/emails
POST     /coordinator/sessions/<slug:slug>/people
GET      /coordinator/sessions/<slug:slug>/people/<id:registration_id>
POST     /coordinator/sessions/<slug:slug>/people/<id:registration_id>/address
POST     /coordinator/sessions/<slug:slug>/people/<id:registration_id>/cancel
POST     /coordinator/sessions/<slug:slug>/people/<id:registration_id>/place
POST     /coordinator/sessions/<slug:slug>/people/<id:registration_id>/restore
POST     /coordinator/sessions/<slug:slug>/people/<id:registration_id>/undeliverable
POST     /coordinator/sessions/<slug:slug>/people/<id:registration_id>/wait
GET POST /coordinator/sessions/<slug:slug>/restore
GET POST /coordinator/sessions/<slug:slug>/rooms
GET      /coordinator/sessions/<slug:slug>/rooms.csv
POST     /coordinator/sessions/<slug:slug>/rooms/give
POST     /coordinator/sessions/<slug:slug>/rooms/mix
GET POST /coordinator/sessions/<slug:slug>/takeaways
GET POST /coordinator/sessions/<slug:slug>/write
GET POST /coordinator/sessions/new
POST     /coordinator/sessions/new/preview
GET POST /coordinator/set-up/<token>
GET      /coordinator/settings
GET POST /coordinator/settings/<any(community, about, questions, reminders, retention):part>
GET POST /coordinator/settings/coordinators
GET POST /coordinator/settings/coordinators/<id:coordinator_id>/remove
POST     /coordinator/settings/coordinators/rights
POST     /coordinator/settings/coordinators/two-factor
POST     /coordinator/settings/coordinators/withdraw
GET POST /coordinator/sign-in
GET POST /coordinator/sign-in/code
POST     /coordinator/sign-out
GET      /embed/accessibility
GET      /embed.js
GET      /embed/
GET POST /embed/my-link
GET      /embed/next
GET POST /embed/register
POST     /embed/register/email-hint
GET POST /embed/registered
POST     /embed/registered/email
GET      /embed/schedule
GET      /embed/schedule/<slug:slug>
GET      /embed/schedule/past
GET      /embed/your-data
GET      /favicon.ico
GET      /healthz
GET POST /join/<token>
GET POST /list/<token>
GET POST /my-link
GET POST /r/<token>
POST     /r/<token>/address
GET POST /r/<token>/calendar
GET POST /r/<token>/erase
GET POST /r/<token>/links
POST     /r/<token>/mail
GET      /r/<token>/mine.csv
GET      /r/<token>/mine.json
POST     /r/<token>/sessions
GET POST /r/<token>/sessions/<slug:slug>
GET POST /r/<token>/sessions/<slug:slug>/cancel
GET POST /r/<token>/sessions/<slug:slug>/delete/<name>
GET      /readyz
GET POST /register
POST     /register/email-hint
GET POST /registered
POST     /registered/email
GET      /robots.txt
GET      /schedule
GET      /schedule.ics
GET      /schedule.json
GET      /schedule/<slug:slug>
GET      /schedule/<slug:slug>.ics
GET      /schedule/past
GET      /sitemap.xml
GET      /static/<path:filename>
GET POST /unsubscribe/<token>
GET      /your-data
"""


def test_the_urls_are_those_listed_here(app):
    methods = defaultdict(set)
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<int(max=2147483647):", "<id:")
        methods[path] |= rule.methods - {"HEAD", "OPTIONS"}

    found = {f"{' '.join(sorted(each)):<8} {path}" for path, each in methods.items()}

    assert found == set(KNOWN.strip().splitlines())


def test_a_final_slash_leads_to_the_page_without_it(client):
    expected = {
        "/schedule/": "/schedule",
        "/schedule//?lang=en": "/schedule?lang=en",
        "/embed/register/": "/embed/register",
        "/schedule/2026-12-15/": "/schedule/2026-12-15",
    }

    for path, address in expected.items():
        response = client.get(path)

        assert (response.status_code, response.headers["Location"]) == (308, address), path


def test_a_final_slash_leads_to_no_other_site_and_to_no_missing_page(client):
    for path in ("/nowhere/", "//mallory.example.org/", "/mallory.example.org//"):
        response = client.get("/", environ_overrides={"PATH_INFO": path})

        assert response.status_code == 404, path
