"""The least that would do, on the server that `cop serve` uses and with as many threads.

`python -m tests.bench.reference_server PORT THREADS APP [ARGUMENT]`. It imports no more than its app
does, so that a start can be measured too.
"""

import json
import logging
import sys
from pathlib import Path

import waitress


def main(port, threads, name, *arguments):
    app = APPS[name](*arguments)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    waitress.serve(app, host="127.0.0.1", port=int(port), threads=int(threads))


def hello():
    """A bare WSGI function."""

    def app(_environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
        return [b"hello"]

    return app


def constant(folder):
    """A Flask app that gives at `/` the answer, and at `/304` the "not modified", kept there."""
    from flask import Flask, Response

    app, body = Flask(__name__), (Path(folder) / "body").read_bytes()
    headers = json.loads((Path(folder) / "headers.json").read_text())
    app.get("/readyz")(lambda: "")

    @app.get("/")
    def whole():
        return Response(body, headers=headers["200"])

    @app.get("/304")
    def not_modified():
        return Response(status=304, headers=headers["304"])

    return app


def registering(file):
    """A Flask app that writes what a registration writes."""
    from tests.bench.bare_registering import app

    return app(file)


APPS = {"hello": hello, "constant": constant, "registering": registering}


if __name__ == "__main__":
    main(*sys.argv[1:])
