"""Console: the mailing list, and its CSV export."""

from functools import partial

from flask import Response

from cop.accounts.access_control import requires_export
from cop.audit.views import note_viewing
from cop.db.engine import read_tx
from cop.members import mailing_list
from cop.web.blueprints import console
from cop.web.downloads import csv_file
from cop.web.rendering import current_community, render, writer


@console.get("/list")
def subscribers() -> Response:
    with read_tx() as db_session:
        people = mailing_list.subscribers(db_session)
        unconfirmed = mailing_list.count_unconfirmed(db_session)
    note_viewing("list")
    return render("members/mailing_list.html", people=people, unconfirmed=unconfirmed)


@console.get("/list.csv")
@requires_export
def export_subscribers() -> Response:
    note_viewing("list", columns=mailing_list.COLUMNS)  # first: sending may fail halfway
    write = partial(
        mailing_list.write_csv, zone=current_community().zone_info, links=writer().links
    )
    return csv_file(f"{current_community().slug}-mailing-list.csv", write)
