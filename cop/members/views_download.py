"""Everything that is stored about a member, as files to download."""

import csv
import io
from collections.abc import Iterable, Iterator

from flask import Response, get_template_attribute, jsonify

from cop.i18n import N_
from cop.members import held_data
from cop.members.members import MemberData
from cop.members.views import open_page
from cop.web.blueprints import member
from cop.web.downloads import guard_formula
from cop.web.i18n import gettext
from cop.web.rendering import current_community, writer


@member.get("/r/<token>/mine.json")
def as_json(token: str) -> Response:
    data = open_page(token).member
    response = jsonify(
        you=_values(held_data.member_values(data, writer=writer())),
        registrations=[
            {
                "session": each.meeting.slug,
                "starts_at": each.meeting.starts_at.isoformat(),
                "topic": each.meeting.topic,
                "values": _values(held_data.registration_values(each, writer=writer())),
            }
            for each in data.registrations
        ],
        looked_at=[
            {
                "by": name,
                "what": viewing.resource,
                "session": meeting.slug if meeting else None,
                "columns": viewing.columns,
                "at": viewing.viewed_at.isoformat(),
            }
            for viewing, name, meeting in data.viewings
        ],
        mails=[
            {"subject": email.subject, "state": email.state, "at": email.created_at.isoformat()}
            for email in data.emails
        ],
    )
    return _download(response, "json")


def _values(values: Iterable[held_data.HeldValue]) -> list[dict[str, object]]:
    return [
        {
            "label": gettext(value.field.label),
            "value": value.text,
            "why": gettext(value.field.hint),
            "seen_by": gettext(value.field.seen_by),
            "goes_at": value.deleted_at.isoformat() if value.deleted_at else None,
        }
        for value in values
    ]


@member.get("/r/<token>/mine.csv")
def as_csv(token: str) -> Response:
    buffer = io.StringIO()
    csv_writer = csv.writer(buffer, lineterminator="\r\n")
    csv_writer.writerow(("label", "value", "session"))
    for label, *cells in _rows(open_page(token).member):
        csv_writer.writerow([guard_formula(cell) for cell in (gettext(label), *cells)])
    return _download(Response(buffer.getvalue().encode("utf-8-sig"), mimetype="text/csv"), "csv")


def _rows(member: MemberData) -> Iterator[tuple[str, str, str]]:
    """Label, value and session of each stored value, viewing and email."""
    for value in held_data.member_values(member, writer=writer()):
        yield value.field.label, value.text, ""
    for registration in member.registrations:
        for value in held_data.registration_values(registration, writer=writer()):
            yield value.field.label, value.text, registration.meeting.slug
    timestamp = writer().dates.timestamp
    sentence_of = get_template_attribute("members/_macros.html", "viewing_sentence")
    for viewing, name, meeting in member.viewings:
        sentence = sentence_of(viewing, name, meeting).striptags()
        text = "; ".join((timestamp(viewing.viewed_at), sentence, *viewing.columns))
        yield N_("Viewed by a coordinator"), text, meeting.slug if meeting else ""
    for email in member.emails:
        yield N_("Email to you"), f"{timestamp(email.created_at)}; {email.subject}", ""


def _download(response: Response, extension: str) -> Response:
    name = f"{current_community().slug}-mine.{extension}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.cache_control.no_store = True
    return response
