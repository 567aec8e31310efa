"""Everything that is stored about a member, as files to download."""

import csv
import io
from collections.abc import Iterable, Iterator

from flask import Response, jsonify

from cop.i18n import N_
from cop.mail.writer import LetterWriter
from cop.members import held_data
from cop.members.held_data import HeldValue
from cop.members.members import MemberData, MemberRegistration
from cop.members.views import open_page
from cop.web.blueprints import member
from cop.web.downloads import guard_formula
from cop.web.rendering import current_community, writer


@member.get("/r/<token>/mine.json")
def as_json(token: str) -> Response:
    data, letter_writer = open_page(token).member, writer()
    response = jsonify(
        you=_values(held_data.member_values(data, writer=letter_writer), letter_writer),
        registrations=[_registration(each, letter_writer) for each in data.registrations],
        looked_at=[
            {
                "by": viewing.by,
                "what": viewing.resource,
                "session": viewing.meeting.slug if viewing.meeting else None,
                "columns": viewing.columns,
                "at": viewing.viewed_at.isoformat(),
            }
            for viewing in data.viewings
        ],
        mails=[
            {"subject": email.subject, "state": email.state, "at": email.created_at.isoformat()}
            for email in data.emails
        ],
    )
    return _download(response, "json")


def _registration(registration: MemberRegistration, writer: LetterWriter) -> dict[str, object]:
    return {
        "session": registration.meeting.slug,
        "starts_at": registration.meeting.starts_at.isoformat(),
        "topic": registration.meeting.topic,
        "values": _values(held_data.registration_values(registration, writer=writer), writer),
    }


def _values(values: Iterable[HeldValue], writer: LetterWriter) -> list[dict[str, object]]:
    return [
        {
            "label": writer.translate(value.field.label),
            "value": value.text,
            "why": writer.translate(value.field.hint),
            "seen_by": writer.translate(value.field.seen_by),
            "goes_at": value.deleted_at.isoformat() if value.deleted_at else None,
        }
        for value in values
    ]


@member.get("/r/<token>/mine.csv")
def as_csv(token: str) -> Response:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(("label", "value", "session"))
    for label, *cells in _rows(open_page(token).member, writer()):
        rows.writerow([guard_formula(cell) for cell in (writer().translate(label), *cells)])
    return _download(Response(text.getvalue().encode("utf-8-sig"), mimetype="text/csv"), "csv")


def _rows(member: MemberData, writer: LetterWriter) -> Iterator[tuple[str, str, str]]:
    """Label, value and session of each stored value, viewing and email."""
    for value in held_data.member_values(member, writer=writer):
        yield value.field.label, value.text, ""
    for registration in member.registrations:
        for value in held_data.registration_values(registration, writer=writer):
            yield value.field.label, value.text, registration.meeting.slug
    for viewing in member.viewings:
        viewed_at = writer.dates.timestamp(viewing.viewed_at)
        parts = (viewing.by or "", viewing.resource, viewed_at, *viewing.columns)
        slug = viewing.meeting.slug if viewing.meeting else ""
        yield N_("Seen by a coordinator"), "; ".join(filter(None, parts)), slug
    for email in member.emails:
        yield N_("Mail to you"), f"{email.subject}; {writer.dates.timestamp(email.created_at)}", ""


def _download(response: Response, extension: str) -> Response:
    name = f"{current_community().slug}-mine.{extension}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.cache_control.no_store = True
    return response
