"""What the community is, and what becomes of what people tell it."""

from flask import Response

from cop import fields
from cop.web.kept_pages import kept
from cop.web.public import look, public
from cop.web.rendering import current_community, render


@public.get("/")
@kept
def about() -> Response:
    schedule = look()
    return render("pages/about.html", same_for_all=True, schedule=schedule)


@public.get("/your-data")
@kept
def your_data() -> Response:
    look()
    return render(
        "pages/your_data.html",
        same_for_all=True,
        questions=fields.asked(current_community().disabled_questions),
        noted=fields.NOTED,
    )
