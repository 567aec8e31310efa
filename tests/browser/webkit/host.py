"""Another site, on an origin of its own, with the community's page that embeds the schedule."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.browser.embedding.front import COP, PAGES

HEADER = 88  # pixels at the top of the page that its own header covers


@contextmanager
def host():
    """Serve the page until the block ends; give the server, whose `cop` is the embedded site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        # Another host name than the site's, so that browsers treat them as two sites.
        server.origin = f"http://localhost:{server.server_port}"
        answering = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        answering.start()
        yield server
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        page = (PAGES / "squarespace.html").read_text().replace(COP, self.server.cop)
        self.send_response_only(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_):
        """Write no log."""
