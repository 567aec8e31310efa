"""Headers of every response, at every address there is."""

import pytest

from tests.client import CONFIRMATION, DECEMBER, HTMX, SAME_ORIGIN, add_confirmation, example_path

CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# Who may frame a page: pages made to be framed, and all others.
LISTED = "'self' https://www.ctdata.org https://ctdata.org"
FRAMED = {
    "X-Frame-Options": None,
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
UNFRAMED = {
    "X-Frame-Options": "DENY",
    "Cross-Origin-Embedder-Policy": None,
    "Cross-Origin-Resource-Policy": None,
}
CROSS_ORIGIN = {"Cross-Origin-Resource-Policy": "cross-origin"}
PREVIEW = {"frame-src": "'self'"}
FEEDS = ("/schedule.ics", f"/schedule/{DECEMBER}.ics", "/schedule.json")
PERSONAL = ("/coordinator", "/r/", "/join/", "/list/", "/unsubscribe/")
HOME, HTTPS = "http://localhost", "https://cop.example.org"


def every_response(app, client, base):
    """Yield (name, path, response) of every address and method, and of every kind of error."""
    for rule in app.url_map.iter_rules():
        path = example_path(app, rule)
        for method in sorted(rule.methods | {"DELETE"}):
            for more in ({}, HTMX):
                answer = client.open(path, method=method, headers=SAME_ORIGIN | more, base_url=base)
                yield f"{method} {path} {more}", path, answer
    wrong = {
        "404": ("GET", "/nothing", {}),
        "404 of a session": ("GET", "/schedule/1999-01-01", {}),
        "404 of the console": ("GET", "/coordinator/nothing", {}),
        "400 of the host": ("GET", "/", {"headers": {"Host": "evil.example"}}),
        "413": ("POST", "/register", {"data": {"name": "x" * 70_000}, "headers": SAME_ORIGIN}),
        "403": ("POST", "/register", {"headers": {"Sec-Fetch-Site": "cross-site"}}),
        "422": ("POST", "/register", {"data": {"name": "Ada"}, "headers": SAME_ORIGIN}),
        "redirect": ("GET", "/coordinator", {}),
        "404 in a frame": ("GET", "/embed/nothing", {}),
        "400 in a frame": ("GET", "/embed/schedule", {"headers": {"Host": "evil.example"}}),
        "403 in a frame": ("POST", "/embed/register", {"headers": {"Sec-Fetch-Site": "none"}}),
        "413 in a frame": ("POST", "/embed/register", {"data": {"name": "x" * 70_000}}),
        "422 in a frame": ("POST", "/embed/register", {"data": {"name": "Ada"}}),
        "redirect in a frame": ("GET", "/embed", {}),
        "almost in a frame": ("GET", "/embedded", {}),
        "404 beside the Embed page": ("GET", "/coordinator/embedded", {}),
    }
    for name, (method, path, how) in wrong.items():
        yield name, path, client.open(path, method=method, base_url=base, **how)


def csp_of(answer):
    policy = answer.headers.get("Content-Security-Policy", "")
    return dict(part.strip().split(" ", 1) for part in policy.split(";") if part.strip())


def expected(path):
    """Return the headers about framing and loading, and the policy, of a path."""
    if path == "/embed" or path.startswith("/embed/"):
        return FRAMED, CSP | {"frame-ancestors": LISTED}
    is_cross_origin = path == "/embed.js" or path.startswith("/static/")
    is_preview = path == "/coordinator/embed" or path.startswith("/coordinator/embed/")
    return UNFRAMED | (CROSS_ORIGIN if is_cross_origin else {}), CSP | (
        PREVIEW if is_preview else {}
    )


def check(name, path, answer):
    headers = answer.headers
    framing, policy = expected(path)
    required = ALWAYS | framing
    assert {header: headers.get(header) for header in required} == required, name
    is_file = name.startswith("GET ") and answer.status_code == 200
    if path in FEEDS and is_file:
        assert headers["Access-Control-Allow-Origin"] == "*", name
    if path in (*FEEDS, "/embed.js") and is_file:
        assert (answer.cache_control.public, answer.cache_control.max_age) == (True, 300), name
        assert headers["ETag"], name
    is_console, is_personal = path.startswith("/coordinator"), path.startswith(PERSONAL)
    if answer.mimetype == "text/html":
        assert csp_of(answer) == policy, name
        assert "HX-Request" in answer.vary, name
    if answer.mimetype == "text/html" and answer.data and answer.status_code not in {303, 304, 308}:
        assert answer.cache_control.no_store or headers.get("ETag"), name
    if is_personal:
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", name
    if not is_console:
        assert "Set-Cookie" not in headers, name
        assert "Cookie" not in answer.vary, name


@pytest.mark.slow
@pytest.mark.settings(base_url=HTTPS)
def test_every_response_has_its_headers(app, client):
    answers = list(every_response(app, client, HTTPS))

    for name, path, answer in answers:
        check(name, path, answer)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000", name

    statuses = {answer.status_code for *_, answer in answers}
    assert {200, 303, 400, 403, 404, 405, 413, 422} <= statuses
    assert not [name for name, _, answer in answers if answer.status_code >= 500]


@pytest.mark.slow
def test_every_response_to_a_coordinator_has_its_headers(app, corin):
    answers = list(every_response(app, corin, HOME))

    for name, path, answer in answers:
        check(name, path, answer)
        assert "Strict-Transport-Security" not in answer.headers, name

    assert not [name for name, _, answer in answers if answer.status_code >= 500]


@pytest.mark.parametrize(
    ("cookie", "is_secure"),
    [
        ("cop", False),
        pytest.param("__Host-cop", True, marks=pytest.mark.settings(base_url="https://localhost")),
    ],
)
def test_scripts_and_other_sites_cannot_use_the_console_s_cookie(corin, cookie, is_secure):
    page = corin.get("/coordinator/sign-in", base_url="https://localhost")

    name, *attributes = page.headers["Set-Cookie"].split("; ")
    assert name.startswith(f"{cookie}=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
    assert ("Secure" in attributes) == is_secure
    assert "Domain" not in page.headers["Set-Cookie"]


def test_no_site_can_frame_the_console(corin):
    paths = ["/coordinator/", "/coordinator/sign-in", "/coordinator/export.csv"]

    framed = [
        corin.get(path, headers={"Sec-Fetch-Dest": destination})
        for path in paths
        for destination in ("iframe", "frame", "embed", "object")
    ]

    assert {answer.status_code for answer in framed} == {403}
    assert corin.get(paths[0], headers={"Sec-Fetch-Dest": "document"}).status_code == 200


def test_a_page_with_a_form_or_a_person_is_not_cached(client):
    add_confirmation()
    paths = ["/register", f"/schedule/{DECEMBER}", CONFIRMATION, "/nothing"]

    for path in (*paths, *(f"/embed{path}" for path in paths)):
        answer = client.get(path)

        assert answer.cache_control.no_store, path
        assert "ETag" not in answer.headers, path


def test_any_other_page_is_validated_by_its_etag(client):
    pages = ["/", "/schedule", "/your-data"]
    pages += ["/embed/", "/embed/schedule", "/embed/next", "/embed/your-data"]

    for path in pages:
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})

        check(path, path, first)
        assert first.cache_control.no_cache
        assert not first.cache_control.no_store
        assert (again.status_code, again.data) == (304, b"")
        # The browser has all others, and the ETag covers them, too.
        left = {name: first.headers[name] for name in ("ETag", "Cache-Control", "Vary")}
        assert dict(again.headers) == left


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {}),
        ("GET", HTMX),
        ("POST", SAME_ORIGIN),
        ("POST", {"Sec-Fetch-Site": "cross-site"}),
        ("POST", {"Origin": "http://localhost"}),
    ],
    ids=["GET", "HTMX", "own POST", "foreign POST", "POST with our Origin"],
)
def test_an_untrusted_host_is_refused(client, method, headers):
    hosts = ["evil.example", "localhost.evil.example", "", "a b", "[::2]"]
    paths = ["/", "/register", "/coordinator/", "/nothing"]

    statuses = {
        (host, path): client.open(path, method=method, headers={"Host": host} | headers).status_code
        for host in hosts
        for path in paths
    }

    assert {request for request, status in statuses.items() if status != 400} == set()


def test_without_a_base_address_loopback_names_are_trusted(client):
    names = ["localhost", "127.0.0.1", "[::1]", "localhost:8123", "[::1]:8000"]

    statuses = {name: client.get("/", headers={"Host": name}).status_code for name in names}

    assert statuses == dict.fromkeys(names, 200)


@pytest.mark.settings(base_url=HTTPS)
def test_with_a_base_address_only_its_host_is_trusted(client):
    hosts = ["cop.example.org", "localhost", "cop.example.org.evil.example"]

    statuses = [client.get("/robots.txt", headers={"Host": host}).status_code for host in hosts]

    assert statuses == [200, 400, 400]


def test_signed_in_pages_vary_by_cookie_and_are_not_cached(corin):
    answer = corin.get("/coordinator/")

    assert "Cookie" in answer.vary
    assert answer.cache_control.no_store
