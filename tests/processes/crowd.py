"""Many people at once: they post the form from threads, as fast as the server answers."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import local

import httpx
from bs4 import BeautifulSoup

from tests.web.posting import SAME_ORIGIN


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
    """A pool of people; `post(answers)` lists for each whether they were answered."""
    here = local()
    clients = []

    def client():
        if not hasattr(here, "client"):
            here.client = httpx.Client(base_url=base, timeout=20)
            clients.append(here.client)
        return here.client

    def post(form):
        try:
            response = client().post("/register", data=form, headers=SAME_ORIGIN)
        except httpx.TransportError:
            return Answer(form["email"], None)
        return Answer(form["email"], response.status_code, response.headers.get("location", ""))

    with ThreadPoolExecutor(size) as pool:
        yield lambda forms: list(pool.map(post, forms))
    for one in clients:
        one.close()


def token(base):
    """A form's token; it may be sent with many people's answers, each of which is a post of its own."""
    page = BeautifulSoup(httpx.get(f"{base}/register").text, "html5lib")
    return page.find("input", attrs={"name": "token"})["value"]


def form(number, token, sessions="all"):
    """What one person sends."""
    email = f"person{number}@example.org"
    return {"token": token, "sessions": sessions, "name": f"Person {number}", "email": email}
