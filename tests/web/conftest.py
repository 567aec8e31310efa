"""A client whose requests share nothing but the database and its cookies."""

from contextvars import Context

import pytest
from flask.testing import FlaskClient

from tests.page import CheckingClient, check


class SeparateRequests(CheckingClient):
    """Each request begins without what the test's own app context, or an earlier request, left.

    Flask gives a request the app context that is open already, and `g` with it: the console's
    token and Flask-Babel's language would then live as long as the test.
    """

    def open(self, *args, **kwargs):
        kwargs.setdefault("buffered", True)  # so that a file that is sent is closed
        response = Context().run(FlaskClient.open, self, *args, **kwargs)
        is_redirect = 300 <= response.status_code < 400  # Werkzeug's page, which nobody sees
        if response.mimetype == "text/html" and response.data and not is_redirect:
            check(response.get_data(as_text=True), self.application)
        return response


@pytest.fixture
def app(app):
    app.test_client_class = SeparateRequests
    return app
