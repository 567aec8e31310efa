"""The console's statistics: sign-ups and attendance by session and year; hats."""

from collections.abc import Mapping, Sequence

from flask import Response, abort, request

from cop.db.engine import read_tx
from cop.i18n import N_
from cop.questions import registry
from cop.statistics import statistics, suppression
from cop.statistics.statistics import SessionStats
from cop.web import charts
from cop.web.blueprints import console
from cop.web.i18n import gettext
from cop.web.rendering import current_community, now, render, writer

MAX_CHARTED_SESSIONS = 12
LABELS = {
    suppression.SUPPRESSED: N_("fewer than 6 (may be none)"),
    suppression.NEARLY_ALL_SUPPRESSED: N_("all but fewer than 6"),
}


@console.get("/numbers")
def numbers() -> Response:
    zone = current_community().zone_info
    with read_tx() as db_session:
        sessions = statistics.session_stats(db_session, zone=zone, now=now())
        chosen = _chosen_session(sessions)
        hat_counts = chosen and statistics.hat_counts_of(db_session, chosen.meeting)
    return render(
        "statistics/statistics.html",
        sessions=sessions,
        recent=sessions[:MAX_CHARTED_SESSIONS],
        earlier=sessions[MAX_CHARTED_SESSIONS:],
        years=statistics.yearly_stats(sessions, zone=zone),
        charts=_charts(sessions[:MAX_CHARTED_SESSIONS]),
        chosen=chosen,
        hat_counts=hat_counts,
        hats=_hat_labels(hat_counts or {}),
    )


def _chosen_session(sessions: Sequence[SessionStats]) -> SessionStats | None:
    """The session whose hats are shown: the requested one, or the latest."""
    slug = request.args.get("session")
    if slug is None:
        return sessions[0] if sessions else None
    return next((each for each in sessions if each.meeting.slug == slug), None) or abort(404)


def _hat_labels(counts: Mapping[str, str]) -> list[tuple[str, str]]:
    """The label and the count of each hat, in the order of the form."""
    return [
        (gettext(choice.label), gettext(LABELS.get(counts[choice.value], counts[choice.value])))
        for choice in registry.HATS.choices
        if choice.value in counts
    ]


def _charts(sessions: Sequence[SessionStats]) -> list[charts.Chart | None]:
    """Two charts: attended out of registered, and new out of attended."""
    dates = writer().dates
    oldest_first = [
        (dates.format(each.meeting.starts_at, "yMMM", "yMMM"), each) for each in reversed(sessions)
    ]
    groups = [charts.Group(label, each.registered, each.attended) for label, each in oldest_first]
    known = [(label, each) for label, each in oldest_first if each.new is not None]
    return [
        charts.draw(groups),
        charts.draw([charts.Group(label, each.attended or 0, each.new) for label, each in known]),
    ]
