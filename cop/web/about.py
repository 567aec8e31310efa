"""What the community is, and what becomes of what people tell it."""

from flask import Response

from cop import fields
from cop.db import read_tx
from cop.domain import community
from cop.web.public import look, public
from cop.web.rendering import render


@public.get("/")
def about() -> Response:
    facts, schedule = look()
    return render("about.html", same_for_all=True, community=facts, schedule=schedule)


@public.get("/your-data")
def your_data() -> Response:
    with read_tx() as db_session:
        facts = community.facts(db_session)
    return render(
        "your_data.html",
        same_for_all=True,
        community=facts,
        questions=fields.asked(facts.questions_off),
        noted=fields.NOTED,
    )
