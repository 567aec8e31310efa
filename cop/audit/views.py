"""Console: the audit log, and the functions by which views add to it."""

from collections import ChainMap
from collections.abc import Sequence
from typing import Any

from flask import Response, abort, g, request
from sqlalchemy import Row
from sqlalchemy.orm import Session

from cop.audit import audit_log
from cop.audit.audit_log import Action
from cop.db.engine import read_tx, write_tx
from cop.i18n import N_
from cop.models.audit import Viewing
from cop.web.blueprints import console
from cop.web.forms import parse_integer
from cop.web.i18n import gettext
from cop.web.rendering import date_formatter, now, render

Entry = Row[*tuple[Any, ...]]  # of `audit_log.read_log`
KINDS = {
    "sessions": N_("Sessions"),
    "people": N_("Registrations"),
    audit_log.VIEWINGS: N_("Views of personal data"),
    audit_log.EXPORTS: N_("Downloaded lists"),
    "settings": N_("Settings and emails"),
    "accounts": N_("Coordinators and sign-ins"),
}
ACTION_SENTENCES = ChainMap(*audit_log.ACTION_SENTENCES.values())
VIEWING_SENTENCES = {
    "roster": N_("%(who)s viewed the roster for %(date)s"),
    "access": N_("%(who)s viewed the access needs for %(date)s"),
    "emails": N_("%(who)s viewed the email addresses for %(date)s"),
    "rooms": N_("%(who)s downloaded the small groups for %(date)s"),
    "export": N_("%(who)s downloaded the attendee list for %(date)s"),
    "people": N_("%(who)s viewed the list of everyone registered"),
    "list": N_("%(who)s viewed the mailing list"),
    "list, exported": N_("%(who)s downloaded the mailing list"),
    "mails": N_("%(who)s viewed the Email log"),
    # Viewings of all sessions, and those that include access needs.
    "roster, access": N_("%(who)s viewed the roster and access needs for %(date)s"),
    "export, access": N_("%(who)s downloaded the attendee list and access needs for %(date)s"),
    "export, all": N_("%(who)s downloaded the attendee list for all sessions"),
    "export, all, access": N_("%(who)s downloaded all attendee lists and access needs"),
}
OTHER_VIEWING = N_("%(who)s viewed someone's answers for %(date)s")


@console.get("/record", endpoint="record")
def audit_log_page() -> Response:
    kind, by = request.args.get("kind", ""), request.args.get("by", "")
    page, coordinator_id = parse_integer(request.args.get("page", "1")), parse_integer(by)
    with read_tx() as db_session:
        names = audit_log.coordinator_names(db_session)
        if not page or kind not in {"", *KINDS} or (by and coordinator_id not in names):
            abort(422)
        entries, has_more = audit_log.read_log(
            db_session, kind=kind, coordinator_id=coordinator_id, page=page
        )
    return render(
        "audit/audit_log.html",
        lines=_fold(entries),
        kinds=KINDS,
        coordinators=names,
        chosen={"kind": kind, "by": by},
        newer=page - 1,
        older=page + 1 if has_more else 0,
    )


def _fold(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """Fold what a coordinator did or viewed several times in a day into one line.

    Return the sentence and the entries of each line, newest first.
    """
    lines: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        day, sentence = date_formatter().local(entry.at).date(), _sentence(entry)
        key = (sentence, day, entry.coordinator_id, entry.meeting_id)
        lines.setdefault(key, []).append(entry)
    return [(str(sentence), line) for (sentence, *_), line in lines.items()]


def _sentence(entry: Entry) -> str:
    """Return the sentence that says what was done or viewed."""
    sentences = VIEWING_SENTENCES if entry.is_viewing else ACTION_SENTENCES
    sentence = sentences.get(_sentence_key(entry), OTHER_VIEWING)
    date = date_formatter().short_date(entry.starts_at) if entry.starts_at else ""
    return gettext(sentence, who=entry.by or gettext("A former coordinator"), date=date)


def _sentence_key(entry: Entry) -> str:
    """Return the key of `ACTION_SENTENCES` or `VIEWING_SENTENCES` for an entry."""
    if entry.action == "list" and entry.columns:
        return "list, exported"
    all_sessions = ", all" if entry.action == "export" and entry.meeting_id is None else ""
    access_needs = ", access" if "access" in (entry.columns or ()) else ""
    return f"{entry.action}{all_sessions}{access_needs}"


def note_action(
    db_session: Session,
    action: Action,
    *,
    meeting_id: int | None = None,
    registration_id: int | None = None,
    item_count: int | None = None,
) -> None:
    """Record the signed-in coordinator's action, in its transaction."""
    audit_log.record_action(
        db_session,
        g.coordinator.id,
        action,
        now=now(),
        meeting_id=meeting_id,
        registration_id=registration_id,
        item_count=item_count,
    )


def note_viewing(resource: str, meeting_id: int | None = None, columns: Sequence[str] = ()) -> None:
    """Record that the signed-in coordinator views or exports personal data.

    Without a meeting, it is the data of all meetings.

    `columns`: the names of the optional columns that it includes.
    """
    viewing = Viewing(
        coordinator_id=g.coordinator.id,
        meeting_id=meeting_id,
        resource=resource,
        columns=list(columns),
        viewed_at=now(),
    )
    with write_tx() as db_session:
        db_session.add(viewing)
