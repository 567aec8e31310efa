"""The least that keeping a registration takes: the same rows by `sqlite3`, in one transaction."""

from datetime import UTC, datetime
from secrets import token_hex
from threading import local

from flask import Flask, redirect, request

from cop.db.engine import journal_pragmas, sqlite_module
from tests.mail.gallery import TO_MEMBERS

LETTER = TO_MEMBERS["confirmation"]()
LOCK = "UPDATE meeting SET lock_version = lock_version + 1 WHERE slug = ? RETURNING id"
MEMBER = (
    "INSERT INTO member (email, email_key, opt_outs, token_version, calendar_version)"
    " VALUES (?, ?, '[]', 1, 1)"
)
REGISTRATION = (
    "INSERT INTO registration (member_id, meeting_id, status, registered_at, language, name,"
    " organization, pronouns, hats, hats_other, access, access_language, access_other, taking_part,"
    " first_time, prep_answer, prep_visibility, announced)"
    " VALUES (?, ?, 'held', ?, 'en', ?, ?, '', '[]', '', '[]', '', '', '[]', 0, '', 'hosts', '')"
)
MAIL = (
    "INSERT INTO outbox_email (dedup_key, kind, member_id, to_address, to_name, language, subject,"
    " text, html, calendar, message_id, state, attempts, unknown_outcomes, server_reply, created_at, due_at)"
    " VALUES (?, 'confirmation', ?, ?, '', 'en', ?, ?, ?, ?, ?, 'queued', 0, 0, '', ?, ?)"
)
SUBMISSION = (
    "INSERT INTO submission (key, held, waiting, created_at, email, name, member_id,"
    " registration_ids) VALUES (?, ?, '[]', ?, ?, ?, ?, ?)"
)


def app(file):
    """A Flask app that keeps what is posted to it."""
    bare, here = Flask("bare"), local()
    bare.get("/readyz")(lambda: "")

    @bare.post("/register")
    def register():
        if not hasattr(here, "connection"):
            here.connection = _connection(file)
        key = _keep(here.connection, request.form)
        return redirect(f"/registered?form={key}", 303)

    return bare


def _connection(file):
    connection = sqlite_module.connect(file, timeout=10, isolation_level=None)
    others = ["foreign_keys=ON", "secure_delete=ON"]
    for pragma in [*others, *journal_pragmas(sqlite_module.sqlite_version_info)]:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _keep(connection, form):
    at, key, email = datetime.now(UTC).isoformat(" "), token_hex(32), form["email"]
    letter = (LETTER.subject, LETTER.text, LETTER.html, LETTER.calendar, token_hex(16), at, at)
    run = connection.execute
    run("BEGIN IMMEDIATE")
    [(meeting_id,)] = run(LOCK, (form["sessions"],)).fetchall()
    member_id = run(MEMBER, (email, email)).lastrowid
    registered = run(REGISTRATION, (member_id, meeting_id, at, form["name"], ""))
    run(MAIL, (f"confirmation:{key}", member_id, email, *letter))
    typed = (email, form["name"], member_id, f"[{registered.lastrowid}]")
    run(SUBMISSION, (key, f'["{form["sessions"]}"]', at, *typed))
    run("COMMIT")
    return key
