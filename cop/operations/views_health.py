"""Health checks for monitors and load balancers."""

from flask import Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from cop.operations import status
from cop.web.blueprints import health
from cop.web.rendering import now


@health.get("/healthz")
def alive() -> Response:
    return _answer("alive", is_so=True)


@health.get("/readyz")
def ready() -> Response:
    """Answer yes or no and nothing more.

    A number of waiting emails that rises after a form would tell strangers whether an address is
    registered. The rest is in `cop status`.
    """
    try:
        is_ready = status.is_ready(now=now())
    except SQLAlchemyError:
        is_ready = False
    return _answer("ready", is_so=is_ready)


def _answer(name: str, *, is_so: bool) -> Response:
    response = jsonify({name: is_so})
    response.status_code = 200 if is_so else 503
    response.cache_control.no_store = True
    return response
