"""Health checks for monitors and load balancers."""

from flask import Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from cop.operations import status
from cop.web.blueprints import health
from cop.web.rendering import now


@health.get("/healthz")
def alive() -> Response:
    return _answer("alive", is_true=True)


@health.get("/readyz")
def ready() -> Response:
    """Answer yes or no and nothing more.

    From more, such as the number of waiting emails before and after a form is sent, strangers could
    tell whether an address is registered. `cop status` shows the details.
    """
    try:
        is_ready = status.is_ready(now=now())
    except SQLAlchemyError:
        is_ready = False
    return _answer("ready", is_true=is_ready)


def _answer(name: str, *, is_true: bool) -> Response:
    response = jsonify({name: is_true})
    response.status_code = 200 if is_true else 503
    response.cache_control.no_store = True
    return response
