"""Everything that is known about a member, to take away."""

import csv
import io
from collections.abc import Iterable, Iterator

from flask import Response, jsonify

from cop.i18n import N_
from cop.mail.writer import LetterWriter
from cop.members import held_data
from cop.members.held_data import HeldValue
from cop.members.members import DataView, MemberData, MemberRegistration
from cop.members.views import open_page
from cop.web.blueprints import member
from cop.web.downloads import guard_formula
from cop.web.rendering import current_community, writer


@member.get("/r/<token>/mine.json")
def as_json(token: str) -> Response:
    own = open_page(token)
    known, voice = own.known, writer()
    found = jsonify(
        you=list(_values(held_data.member_values(known, writer=voice), voice)),
        registrations=[_registration(place, voice) for place in known.places],
        looked_at=list(_looks(known)),
        mails=[
            {"subject": mail.subject, "state": mail.state, "at": mail.created_at.isoformat()}
            for mail in known.mails
        ],
    )
    return _file(found, "json")


@member.get("/r/<token>/mine.csv")
def as_csv(token: str) -> Response:
    own = open_page(token)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(("label", "value", "session"))
    for row in _rows(own.known, writer()):
        rows.writerow([guard_formula(cell) for cell in row])
    return _file(Response(text.getvalue().encode("utf-8-sig"), mimetype="text/csv"), "csv")


def _registration(place: MemberRegistration, voice: LetterWriter) -> dict[str, object]:
    return {
        "session": place.meeting.slug,
        "starts_at": place.meeting.starts_at.isoformat(),
        "topic": place.meeting.topic,
        "values": list(_values(held_data.registration_values(place, writer=voice), voice)),
    }


def _looks(known: MemberData) -> Iterator[dict[str, object]]:
    for look in known.looks:
        yield {
            "by": look.by,
            "what": look.resource,
            "session": look.meeting.slug if look.meeting else None,
            "columns": look.columns,
            "at": look.viewed_at.isoformat(),
        }


def _values(values: Iterable[HeldValue], voice: LetterWriter) -> Iterator[dict[str, object]]:
    for each in values:
        yield {
            "label": voice.translate(each.field.label),
            "value": each.text,
            "why": voice.translate(each.field.hint),
            "seen_by": voice.translate(each.field.seen_by),
            "goes_at": each.deleted_at.isoformat() if each.deleted_at else None,
        }


def _rows(known: MemberData, voice: LetterWriter) -> Iterator[tuple[str, str, str]]:
    for each in held_data.member_values(known, writer=voice):
        yield voice.translate(each.field.label), each.text, ""
    for place in known.places:
        for each in held_data.registration_values(place, writer=voice):
            yield voice.translate(each.field.label), each.text, place.meeting.slug
    for look in known.looks:
        slug = look.meeting.slug if look.meeting else ""
        yield voice.translate(N_("Seen by a coordinator")), _format_viewing(look, voice), slug
    for mail in known.mails:
        said = f"{mail.subject}; {voice.dates.timestamp(mail.created_at)}"
        yield voice.translate(N_("Mail to you")), said, ""


def _format_viewing(look: DataView, voice: LetterWriter) -> str:
    parts = (look.by or "", look.resource, voice.dates.timestamp(look.viewed_at), *look.columns)
    return "; ".join(filter(None, parts))


def _file(response: Response, ending: str) -> Response:
    name = "-".join(filter(None, (current_community().slug, "mine")))
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    response.cache_control.no_store = True
    return response
