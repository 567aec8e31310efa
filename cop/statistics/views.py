"""The numbers of all sessions: who signed up, came, was new, and which hats they wear, in bands."""

from collections.abc import Mapping, Sequence

from flask import Response, abort, request

from cop.db.engine import read_tx
from cop.i18n import N_
from cop.questions import registry
from cop.statistics import statistics, suppression
from cop.statistics.statistics import SessionStats
from cop.web import charts
from cop.web.blueprints import console
from cop.web.charts import Chart, Group
from cop.web.i18n import gettext
from cop.web.rendering import current_community, now, render, writer

MAX_CHARTED_SESSIONS = 12
BANDS = {
    suppression.SUPPRESSED: N_("fewer than 6 (may be none)"),
    suppression.NEARLY_ALL_SUPPRESSED: N_("all but fewer than 6"),
}


@console.get("/numbers", endpoint="numbers")
def numbers_page() -> Response:
    with read_tx() as db_session:
        lines = statistics.session_stats(db_session, zone=current_community().zone_info, now=now())
        chosen = _chosen(lines)
        said = chosen and _bands(statistics.hat_counts(db_session, [chosen.id]), chosen)
    return render(
        "statistics/statistics.html",
        lines=lines[:MAX_CHARTED_SESSIONS],
        earlier=lines[MAX_CHARTED_SESSIONS:],
        years=statistics.yearly_stats(lines, zone=current_community().zone_info),
        charts=_charts(lines[:MAX_CHARTED_SESSIONS]),
        choices=lines,
        chosen=chosen,
        hats=said and _hat_labels(said),
        said=said,
    )


def _chosen(lines: Sequence[SessionStats]) -> SessionStats | None:
    """The session of which the hats are shown: the one that was asked for, or the last."""
    slug = request.args.get("session")
    if slug is None:
        return next(iter(lines), None)
    return next((line for line in lines if line.slug == slug), None) or abort(404)


def _bands(
    counted: Mapping[int, Mapping[str, str]], line: SessionStats
) -> Mapping[str, str] | None:
    return line.hat_counts if line.is_kept else counted.get(line.id)


def _hat_labels(said: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each hat in the order of the form, with what may be said of it; none where few answered."""
    return [
        (gettext(choice.label), gettext(BANDS.get(said[choice.value], said[choice.value])))
        for choice in registry.HATS.choices
        if choice.value in said
    ]


def _charts(lines: Sequence[SessionStats]) -> list[Chart | None]:
    """Who came of those who signed up; and who was new among those who came."""
    dates = writer().dates
    in_time = [
        (dates.dated(line.starts_at, "MMM ''yy", "MMM ''yy"), line) for line in reversed(lines)
    ]
    known = [(said, line) for said, line in in_time if line.new is not None]
    return [
        charts.draw([Group(said, line.registered, line.attended) for said, line in in_time]),
        charts.draw([Group(said, line.attended or 0, line.new) for said, line in known]),
    ]
