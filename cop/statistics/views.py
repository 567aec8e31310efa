"""The console's statistics: sign-ups and attendance by session and year; hats."""

from collections.abc import Mapping, Sequence

from babel.lists import format_list
from flask import Response, abort, request

from cop.db.engine import read_tx
from cop.questions import registry
from cop.statistics import statistics, suppression
from cop.statistics.statistics import SessionStats
from cop.web import charts
from cop.web.blueprints import console
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, language, now, render, writer

MAX_CHARTED_SESSIONS = 12


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
        hats=_hat_rows(hat_counts or {}),
    )


def _chosen_session(sessions: Sequence[SessionStats]) -> SessionStats | None:
    """The session whose hats are shown: the requested one, or the latest."""
    slug = request.args.get("session")
    if slug is None:
        return sessions[0] if sessions else None
    return next((each for each in sessions if each.meeting.slug == slug), None) or abort(404)


def _hat_rows(counts: Mapping[str, str]) -> list[tuple[str, str]]:
    """Hats with their counts, in the order of the form; rare ones share one row."""
    rows, few = [], []
    for choice in registry.HATS.choices:
        label, count = gettext(choice.label), counts.get(choice.value)
        if count == suppression.SUPPRESSED:
            few.append(label)
        elif count == suppression.NEARLY_ALL_SUPPRESSED:
            rows.append((label, gettext("everyone or nearly everyone")))
        elif count:
            rows.append((label, count))
    if few:
        text = ngettext("fewer than 6, maybe none", "fewer than 6 each, maybe none", len(few))
        rows.append((format_list(few, locale=language()), text))
    return rows


def _charts(sessions: Sequence[SessionStats]) -> list[charts.Chart | None]:
    """Two charts: attended out of registered, and new out of attended."""
    dates = writer().dates

    def group(each: SessionStats, whole: int, part: int | None) -> charts.Group:
        return charts.Group(*dates.axis_label(each.meeting.starts_at), whole, part)

    oldest_first = list(reversed(sessions))
    known = [each for each in oldest_first if each.new is not None]
    return [
        charts.draw([group(each, each.registered, each.attended) for each in oldest_first]),
        charts.draw([group(each, each.attended or 0, each.new) for each in known]),
    ]
