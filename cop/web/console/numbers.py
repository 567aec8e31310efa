"""The numbers of all sessions: who signed up, came, was new, and which hats they wear, in bands."""

from collections.abc import Mapping, Sequence

from flask import Response, abort, request

from cop import fields
from cop.db import read_tx
from cop.domain import bands, numbers
from cop.domain.numbers import Line
from cop.web.console import charts, console
from cop.web.console.charts import Chart, Group
from cop.web.rendering import current_community, now, render, writer
from cop.web.saying import gettext
from cop.words import N_

CHARTED = 12
BANDS = {
    bands.FEW: N_("fewer than 6 (may be none)"),
    bands.NEARLY_ALL: N_("all but fewer than 6"),
}


@console.get("/numbers", endpoint="numbers")
def numbers_page() -> Response:
    with read_tx() as db_session:
        lines = numbers.read(db_session, zone=current_community().zone_info, now=now())
        chosen = _chosen(lines)
        said = chosen and _bands(numbers.hats(db_session, [chosen.id]), chosen)
    return render(
        "statistics/statistics.html",
        lines=lines[:CHARTED],
        earlier=lines[CHARTED:],
        years=numbers.years(lines, zone=current_community().zone_info),
        charts=_charts(lines[:CHARTED]),
        choices=lines,
        chosen=chosen,
        hats=said and _hats_said(said),
        said=said,
    )


def _chosen(lines: Sequence[Line]) -> Line | None:
    """The session of which the hats are shown: the one that was asked for, or the last."""
    slug = request.args.get("session")
    if slug is None:
        return next(iter(lines), None)
    return next((line for line in lines if line.slug == slug), None) or abort(404)


def _bands(counted: Mapping[int, Mapping[str, str]], line: Line) -> Mapping[str, str] | None:
    return line.hat_counts if line.is_kept else counted.get(line.id)


def _hats_said(said: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each hat in the order of the form, with what may be said of it; none where few answered."""
    return [
        (gettext(choice.label), gettext(BANDS.get(said[choice.value], said[choice.value])))
        for choice in fields.HATS.choices
        if choice.value in said
    ]


def _charts(lines: Sequence[Line]) -> list[Chart | None]:
    """Who came of those who signed up; and who was new among those who came."""
    dates = writer().dates
    in_time = [
        (dates.dated(line.starts_at, "MMM ''yy", "MMM ''yy"), line) for line in reversed(lines)
    ]
    known = [(said, line) for said, line in in_time if line.new is not None]
    return [
        charts.drawn([Group(said, line.registered, line.attended) for said, line in in_time]),
        charts.drawn([Group(said, line.attended or 0, line.new) for said, line in known]),
    ]
