"""The other sites of the tests, and a proxy before this one: all over HTTPS, on one port.

The browser resolves every name to this port, so that the addresses are those of real sites: no
port in an origin, and another site where the name is another one.
"""

import base64
import hashlib
import ssl
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

COP = "https://cop.other.test"
HOST = "https://www.host-site.test"
LEAVING = "https://leaving.host-site.test"  # on the list, until a test takes it off
BUILDER, BUILDER_FRAMES = "https://sites.builder.test", "https://1234.builder-content.test"
HOSTILE = "https://www.hostile.test"
# A form with cookies, as most sites have it, and a page of its own site.
FORMS, BESIDE_FORMS = "https://forms.control.test", "https://www.control.test"
ALL = (COP, HOST, LEAVING, BUILDER, BUILDER_FRAMES, HOSTILE, FORMS, BESIDE_FORMS)

PAGES = Path(__file__).with_name("pages")
SCRIPT = f'<script src="{COP}/embed.js" async></script>'.encode()
# Pages that are others with one thing taken out: the page's own, and what.
WITHOUT = {
    "without-script.html": ("squarespace.html", SCRIPT),
    "forged-without-script.html": ("forged.html", SCRIPT),
    "google-site-opaque.html": ("google-site.html", b" allow-same-origin"),
}
PATIENCE = 30  # seconds that a connection may be silent
HOPS = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}


@dataclass(frozen=True)
class Exchange:
    """A request and its response."""

    url: str
    method: str
    request_headers: dict[str, str]
    status: int
    response_headers: list[tuple[str, str]]


@dataclass
class Front:
    """What answers under every name of the tests."""

    port: int
    key: str  # the hash of the certificate's key, by which the browser trusts it
    sites: dict[str, int] = field(default_factory=dict)  # the port behind an address
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def arguments(self):
        """What makes a browser come here, and to nowhere else."""
        return [
            f"--host-resolver-rules=MAP *.test 127.0.0.1:{self.port}, MAP * ~NOTFOUND",
            f"--ignore-certificate-errors-spki-list={self.key}",
        ]


@contextmanager
def front():
    """Answer under all names until the block ends."""
    certificate = trustme.CA().issue_cert(*(urlsplit(address).hostname for address in ALL))
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.front = Front(server.server_port, _hash_of_key(certificate))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(tls)
        # The thread of a connection shakes hands, so that a silent one keeps nobody waiting.
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        answering = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        answering.start()
        try:
            yield server.front
        finally:
            server.shutdown()
            answering.join(PATIENCE)


def _hash_of_key(certificate):
    parsed = x509.load_pem_x509_certificate(certificate.cert_chain_pems[0].bytes())
    key = parsed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


class _Server(ThreadingHTTPServer):
    block_on_close = False

    def handle_error(self, request, client_address):
        # A browser that leaves a page does not wait for its requests.
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        address = f"https://{self.headers['Host']}"
        if port := self.server.front.sites.get(address):
            status, headers, response = self._forward(port, body)
        elif address == FORMS:
            status, headers, response = self._form_with_cookies()
        else:
            status, headers, response = self._page()
        self.server.front.exchanges.append(
            Exchange(address + self.path, self.command, dict(self.headers), status, headers)
        )
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(response)))
        self.end_headers()
        self.wfile.write(response)

    do_POST = do_GET  # noqa: N815 - the library's names

    def _forward(self, port, body):
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOPS}
        headers |= {"X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": "https"}
        site = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            site.request(self.command, self.path, body or None, headers)
            response = site.getresponse()
            response_headers = [
                (name, value) for name, value in response.getheaders() if name.lower() not in HOPS
            ]
            return response.status, response_headers, response.read()
        finally:
            site.close()

    def _form_with_cookies(self):
        """A form that trusts its cookie: one as browsers send it at home, one as they send it
        everywhere that other sites may keep cookies."""
        cookies = self.headers.get("Cookie", "")
        if self.command == "POST":
            names = " and ".join(name for name in ("lax", "none") if f"{name}=1" in cookies)
            return (
                200,
                [("Content-Type", "text/html")],
                f"<h1>Sent with {names or 'no cookie'}".encode(),
            )
        headers = [
            ("Content-Type", "text/html"),
            ("Set-Cookie", "lax=1; Secure; HttpOnly; SameSite=Lax"),
            ("Set-Cookie", "none=1; Secure; HttpOnly; SameSite=None"),
        ]
        return 200, headers, (PAGES / "form-with-cookies.html").read_bytes()

    def _page(self):
        name = Path(urlsplit(self.path).path).name
        if name == "favicon.ico":
            return 200, [("Content-Type", "image/x-icon")], b""
        name, left_out = WITHOUT.get(name, (name, b""))
        if not (PAGES / name).is_file():
            return 404, [("Content-Type", "text/plain")], b"There is no such page."
        response = (PAGES / name).read_bytes().replace(left_out, b"")
        return 200, [("Content-Type", "text/html; charset=utf-8")], response

    def log_message(self, *_):
        """Write no log: requests are recorded as exchanges."""
