"""The blueprints that views add themselves to."""

from flask import Blueprint

from cop.web.rendering import CONSOLE

public = Blueprint("public", "cop")  # registered a second time as `embed`
member = Blueprint("member", "cop")
console = Blueprint("console", "cop", url_prefix=CONSOLE)
embedding = Blueprint("embedding", "cop")
feeds = Blueprint("feeds", "cop")
search = Blueprint("search", "cop")
health = Blueprint("health", "cop")
ALL = (public, embedding, console, feeds, health, search, member)
