"""A client whose requests share nothing but the database and its cookies."""

import re
from contextvars import Context

import pytest
from flask.testing import FlaskClient
from jinja2 import BytecodeCache

from tests.page import CheckingClient, check

TOKEN = re.compile(r'name="(csrf_)?token" value="[^"]*"')


class SeparateRequests(CheckingClient):
    """Each request begins without what the test's own app context, or an earlier request, left.

    Flask gives a request the app context that is open already, and `g` with it: the console's
    token would then live as long as the test.
    """

    sound = set()  # noqa: RUF012 - meant to be shared

    def open(self, *args, **kwargs):
        kwargs.setdefault("buffered", True)  # so that a file that is sent is closed
        response = Context().run(FlaskClient.open, self, *args, **kwargs)
        is_redirect = 300 <= response.status_code < 400  # Werkzeug's page, which nobody sees
        is_plain = "Content-Encoding" not in response.headers
        if response.mimetype == "text/html" and response.data and is_plain and not is_redirect:
            self._check_once(response.get_data(as_text=True))
        return response

    def _check_once(self, html):
        """Check a page, unless one that differs by its token alone was found sound before."""
        without_token = TOKEN.sub("", html)
        if without_token not in self.sound:
            check(html, self.application)
            self.sound.add(without_token)


class Compiled(BytecodeCache):
    """The templates, compiled once for all the apps of a test run."""

    kept = {}  # noqa: RUF012 - meant to be shared

    def load_bytecode(self, bucket):
        if code := self.kept.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket):
        self.kept[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture
def app(app):
    app.jinja_env.bytecode_cache = Compiled()
    app.test_client_class = SeparateRequests
    return app
