"""A form that was sent after the session timed out, to be shown again after signing in.

Its fields travel through the pages of the sign-in in one signed hidden field, so the server stores
nothing. Then the form's page is shown as for a GET, with these fields filled in: nothing is carried
out before the same coordinator sends it again.
"""

from collections.abc import Iterable

from flask import Response, after_this_request, current_app, flash, g, request, url_for
from itsdangerous import BadData
from werkzeug.datastructures import ImmutableMultiDict

from cop.web.forms import TOKEN_AGE, serializer
from cop.web.i18n import gettext

FIELD = "preserved_form"
OWNER_ID = "coordinator_id"  # in the cookie: whose session it is, or was
# Passwords and codes, and the token, since the form is sent again with a new one.
OMITTED = {"csrf_token", "password", "old", "code"}


def ask_to_sign_in(owner_id: int) -> None:
    """Answer a form with the sign-in page, which preserves its fields."""
    token = request.form.get(FIELD)  # if the answer to an earlier sign-in was loaded again
    if token is None:
        fields = [pair for pair in request.form.items(multi=True) if pair[0] not in OMITTED]
        token = serializer(FIELD).dumps([owner_id, fields])
    path, adapter = request.path, current_app.url_map.bind_to_environ(request.environ)
    while not adapter.test(path, "GET"):  # the form is on the next page above
        path = path.rpartition("/")[0]
    _answer_as_get(url_for("console.sign_in"), {FIELD: token}.items())
    request.args = ImmutableMultiDict({"next": path})
    after_this_request(_refuse)


def show_again(coordinator_id: int) -> None:
    """Answer with the form's page, its fields filled in if they are this coordinator's."""
    fields = fields_of(coordinator_id)
    _answer_as_get(request.path, fields or [])
    if fields is not None:
        g.is_form_preserved = True
        flash(gettext("You're signed in. Nothing was saved yet. Check the form and send it again."))


def fields_of(coordinator_id: int) -> list[tuple[str, str]] | None:
    """Return the preserved fields that were sent along, if they are this coordinator's."""
    try:
        owner_id, fields = serializer(FIELD).loads(request.form.get(FIELD, ""), max_age=TOKEN_AGE)
    except BadData:
        return None
    return fields if owner_id == coordinator_id else None


def _answer_as_get(path: str, fields: Iterable[tuple[str, str]]) -> None:
    """Go on as if this request were a GET of a page with a form's fields."""
    adapter = current_app.url_map.bind_to_environ(request.environ)
    request.url_rule, view_args = adapter.match(path, "GET", return_rule=True)
    request.view_args, request.routing_exception = dict(view_args), None
    request.method, request.form = "GET", ImmutableMultiDict(fields)


def _refuse(response: Response) -> Response:
    response.status_code = 403
    # htmx, which asked for a fragment, shows the whole page.
    response.headers.update({"HX-Retarget": "body", "HX-Reswap": "outerHTML"})
    return response
