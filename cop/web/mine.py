"""Everything that is known about a member, to take away."""

import csv
import io
from collections.abc import Iterable, Iterator

from flask import Response, jsonify

from cop.domain import kept
from cop.domain.kept import Kept
from cop.domain.members import Known, Look, Place
from cop.domain.roster import guarded
from cop.mail.writer import Writer
from cop.web.member import member, open_page
from cop.web.rendering import current_community, writer
from cop.words import N_


@member.get("/r/<token>/mine.json")
def as_json(token: str) -> Response:
    own = open_page(token)
    known, voice = own.known, writer()
    found = jsonify(
        you=list(_values(kept.of_member(known, writer=voice), voice)),
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
        rows.writerow([guarded(cell) for cell in row])
    return _file(Response(text.getvalue().encode("utf-8-sig"), mimetype="text/csv"), "csv")


def _registration(place: Place, voice: Writer) -> dict[str, object]:
    return {
        "session": place.meeting.slug,
        "starts_at": place.meeting.starts_at.isoformat(),
        "topic": place.meeting.topic,
        "values": list(_values(kept.of_place(place, writer=voice), voice)),
    }


def _looks(known: Known) -> Iterator[dict[str, object]]:
    for look in known.looks:
        yield {
            "by": look.by,
            "what": look.resource,
            "session": look.meeting.slug if look.meeting else None,
            "columns": look.columns,
            "at": look.viewed_at.isoformat(),
        }


def _values(values: Iterable[Kept], voice: Writer) -> Iterator[dict[str, object]]:
    for each in values:
        yield {
            "label": voice.say(each.field.label),
            "value": each.said,
            "why": voice.say(each.field.hint),
            "seen_by": voice.say(each.field.seen_by),
            "goes_at": each.goes_at.isoformat() if each.goes_at else None,
        }


def _rows(known: Known, voice: Writer) -> Iterator[tuple[str, str, str]]:
    for each in kept.of_member(known, writer=voice):
        yield voice.say(each.field.label), each.said, ""
    for place in known.places:
        for each in kept.of_place(place, writer=voice):
            yield voice.say(each.field.label), each.said, place.meeting.slug
    for look in known.looks:
        slug = look.meeting.slug if look.meeting else ""
        yield voice.say(N_("Seen by a coordinator")), _look_said(look, voice), slug
    for mail in known.mails:
        said = f"{mail.subject}; {voice.dates.stamp(mail.created_at)}"
        yield voice.say(N_("Mail to you")), said, ""


def _look_said(look: Look, voice: Writer) -> str:
    parts = (look.by or "", look.resource, voice.dates.stamp(look.viewed_at), *look.columns)
    return "; ".join(filter(None, parts))


def _file(response: Response, ending: str) -> Response:
    name = "-".join(filter(None, (current_community().slug, "mine")))
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    response.cache_control.no_store = True
    return response
