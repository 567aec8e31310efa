"""Sending forms as a browser does."""

from tests.page import parse
from tests.world import PASSWORD

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
HTMX = {"HX-Request": "true"}


def token_of(client, path="/register"):
    """The token of a form that was fetched."""
    return parse(client.get(path)).find("input", attrs={"name": "token"})["value"]


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
    page = parse(client.get(form_at or path))
    field = page.find("input", attrs={"name": "csrf_token"})
    answers["csrf_token"] = field["value"] if field else ""
    return client.post(path, data=answers, headers=SAME_ORIGIN | dict(headers))
