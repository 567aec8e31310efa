"""The three blueprints that views add themselves to."""

from flask import Blueprint

from cop.web.rendering import CONSOLE

console = Blueprint("console", "cop", url_prefix=CONSOLE)


member = Blueprint("member", "cop")


public = Blueprint("public", "cop")
