"""Many people at once: they post the form from threads, as fast as the server answers."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from threading import local
from urllib.parse import urlencode, urlsplit

from tests.client import SAME_ORIGIN

TOKEN = re.compile(r'name="token" value="([^"]+)"')
SENT_AS = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Answer:
    """What somebody got: the status, and where they were sent; nothing if the server went away."""

    email: str
    status: int | None
    location: str = ""

    @property
    def is_accepted(self):
        return self.status == 303


@contextmanager
def crowd(base, size=16):
    """A pool of people; `post(answers)` lists for each whether they were answered.

    Each keeps a plain connection, since the people share their cores with the server, and a client
    that does more than send and read costs as much as answering does.
    """
    here = local()
    connections = []

    def connection():
        if not hasattr(here, "connection"):
            here.connection = HTTPConnection(urlsplit(base).netloc, timeout=60)
            connections.append(here.connection)
        return here.connection

    def post(form):
        try:
            connection().request("POST", "/register", urlencode(form), SAME_ORIGIN | SENT_AS)
            response = connection().getresponse()
            response.read()
        except (OSError, HTTPException):
            connection().close()  # the next post opens it again
            return Answer(form["email"], None)
        return Answer(form["email"], response.status, response.getheader("Location", ""))

    with ThreadPoolExecutor(size) as pool:
        yield lambda forms: list(pool.map(post, forms))
    for one in connections:
        one.close()


def token(base):
    """A form's token; it may be sent with many people's answers, each of which is a post of its own."""
    with closing(HTTPConnection(urlsplit(base).netloc, timeout=60)) as connection:
        connection.request("GET", "/register")
        return TOKEN.search(connection.getresponse().read().decode())[1]


def form(number, token, sessions="all"):
    """What one person sends."""
    email = f"person{number}@example.org"
    return {"token": token, "sessions": sessions, "name": f"Person {number}", "email": email}
