"""Sending forms as a browser does."""

import re

from tests.world import PASSWORD

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
HTMX = {"HX-Request": "true"}
# The client has looked at the whole page already, which costs ten times what looking for this does.
TOKEN = re.compile(r'<input [^>]*name="(csrf_token|token)"[^>]* value="([^"]*)"')


def token_of(client, path="/register"):
    """The token of a form that was fetched."""
    return _tokens(client, path)["token"]


def register(client, sessions="all", headers=(), token=None, path="/register", **answers):
    """Register as Ada, unless the answers say otherwise."""
    answers = {"name": "Ada Example", "email": "ada@example.org", "sessions": sessions} | answers
    answers = {name: value for name, value in answers.items() if value is not None}
    answers["token"] = token_of(client) if token is None else token
    return client.post(path, data=answers, headers=SAME_ORIGIN | dict(headers))


def sign_in(client, email="corin@example.org", password=PASSWORD, path="/coordinator/sign-in"):
    """Sign a coordinator in."""
    return post(client, path, email=email, password=password)


def post(client, path, form_at=None, headers=(), **answers):
    """Send a form of the console, with the token from its page."""
    answers["csrf_token"] = _tokens(client, form_at or path).get("csrf_token", "")
    return client.post(path, data=answers, headers=SAME_ORIGIN | dict(headers))


def _tokens(client, path):
    """The tokens on a page that was fetched, by their names."""
    return dict(TOKEN.findall(client.get(path).get_data(as_text=True)))
