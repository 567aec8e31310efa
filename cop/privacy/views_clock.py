"""Confirm the server's clock: while it is in doubt, nothing is deleted."""

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.audit import clock_check
from cop.db.engine import read_tx, write_tx
from cop.privacy import deletion
from cop.web.blueprints import console
from cop.web.i18n import gettext
from cop.web.rendering import current_community, date_formatter, now, render


@console.route("/clock", methods=["GET", "POST"])
def clock() -> ResponseReturnValue:
    with read_tx() as db_session:
        due = deletion.count_due(db_session, now=now())
    verdict = clock_check.check(current_community(), now=now())
    if request.method == "POST":
        with write_tx() as db_session:
            was_in_doubt = clock_check.confirm(
                db_session, coordinator_id=g.coordinator.id, now=now()
            )
        flash(
            gettext("Clock confirmed. Expired data will be deleted soon.")
            if was_in_doubt
            else gettext("The server's clock is right. There's nothing to confirm.")
        )
        return redirect(url_for("console.front"), 303)
    # Show the year too: a wrong clock may differ in nothing else.
    dates = date_formatter()
    moments = [
        f"{dates.format(moment, 'yMMMMd', 'yMMMMd')}, {dates.time(moment)} {dates.zone_name}"
        for moment in filter(None, (now(), current_community().daily_tasks_at))
    ]
    return render("privacy/clock_check.html", moments=moments, verdict=verdict.value, due=due)
