"""The way back for who has lost the link to their page."""

from flask import Response, request

from cop.db import write_tx
from cop.domain import lost_links
from cop.web.forms import LinkForm, link_form
from cop.web.public import public
from cop.web.rendering import render, writer


@public.get("/my-link")
def my_link() -> Response:
    return _show(link_form(is_sent=False), is_renewed="renewed" in request.args)


@public.post("/my-link")
def send_link() -> Response:
    form = link_form(is_sent=True)
    if not form.validate():
        return _show(form)
    with write_tx() as db_session:
        lost_links.send(db_session, form["email"].data, writer=writer())
    return render("members/link_sent.html")


def _show(form: LinkForm, *, is_renewed: bool = False) -> Response:
    return render("members/lost_link.html", form=form, is_renewed=is_renewed)
