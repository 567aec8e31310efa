"""One web process: waitress in a loop with deadlines and a graceful stop.

waitress reads requests in one thread, and hands each to a thread of a fixed pool when its body is
complete. So a client that stalls occupies a connection, but no thread.
"""

import logging
import resource
import time
from collections.abc import Iterable, Mapping
from socket import socket
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ThreadedTaskDispatcher

from cop.operations.processes import StopRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 4  # of each pool
MAX_CONNECTIONS = 500
OTHER_FILES = 200  # open besides connections: the database, logs, templates
IDLE_SECONDS = 10  # a connection without traffic is closed after this
RECEIVE_SECONDS = 10  # for the first 64 KiB of a request; each further 64 KiB gets one more
MAX_BODY = 3 * 1024 * 1024  # bytes; the app has lower limits, and refuses with a page
MAX_HEADERS = 64 * 1024  # bytes
POLL_SECONDS = 0.5  # at most, between two checks for stalled connections and for a stop
LINGER_SECONDS = 1  # how long, after a stop, open connections may send one more request
FINISH_SECONDS = 4  # how long, after a stop, requests in progress may take

Sockets = dict[int, wasyncore.dispatcher]


class Connection(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection that the loop does not watch while a thread is sending on it.

    Otherwise the loop would not pause, since the socket is ready to write, and would compete with
    that thread for the interpreter's lock. Measured with 16 clients: 110 responses per second
    instead of more than 2,000.
    """

    def writable(self) -> bool:
        if self.requests:
            if not self.outbuf_lock.acquire(blocking=False):
                return False  # a thread is sending, and will ask the loop to send the rest
            self.outbuf_lock.release()
        return bool(super().writable())


class Pools:
    """Two thread pools: for public reads, and for requests that may wait for a lock.

    While the database is locked, each request that writes holds its thread for up to ten seconds,
    and requests that only read must not wait for that. The console's pages always write, since
    viewings are recorded.
    """

    def __init__(self, reading: ThreadedTaskDispatcher) -> None:
        self.is_stopping = False
        self._reading, self._writing = reading, ThreadedTaskDispatcher()
        self._writing.set_thread_count(THREADS)

    def add_task(self, channel: HTTPChannel) -> None:
        """Hand the first request of a connection to a pool. Called by waitress."""
        request = channel.requests[0]
        if self.is_stopping:
            request.headers["CONNECTION"] = "close"
        pool = self._reading if _only_reads(request) else self._writing
        pool.add_task(channel)


def _only_reads(request: HTTPRequestParser) -> bool:
    if request.error:
        return True
    return request.command in {"GET", "HEAD"} and not request.path.startswith("/coordinator")


def serve(app: "WSGIApplication", listening: list[socket]) -> None:
    """Serve until this process is asked to stop; then finish requests in progress."""
    stop = StopRequest()
    # Do not log a warning for each request that waits for a thread, as waitress does.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    sockets: Sockets = {}
    create_server(
        app,
        map=sockets,
        sockets=listening,
        threads=THREADS,
        ident=None,
        clear_untrusted_proxy_headers=False,  # Werkzeug's ProxyFix decides, by our setting
        connection_limit=_connection_limit(),
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=2,
        max_request_header_size=MAX_HEADERS,
        max_request_body_size=MAX_BODY,
    )
    servers = [each for each in sockets.values() if isinstance(each, BaseWSGIServer)]
    pools = Pools(servers[0].task_dispatcher)
    for server in servers:
        server.task_dispatcher, server.channel_class = pools, Connection
    begun_at: WeakKeyDictionary[HTTPRequestParser, float] = WeakKeyDictionary()
    while not stop.is_set:
        _poll_once(sockets)
        _close_stalled(_channels(sockets), begun_at, now=time.monotonic())
    pools.is_stopping = True
    for server in servers:
        server.del_channel()  # accept no more: new connections wait in the socket's backlog
    _finish(sockets)


def _connection_limit() -> int:
    """Raise the limit of open files; return how many connections it allows.

    Each may need two, since waitress opens a file for a body over 512 KiB. By default, macOS allows
    only 256.
    """
    needed = 2 * MAX_CONNECTIONS + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return min(MAX_CONNECTIONS, max(1, (soft - OTHER_FILES) // 2))


def _poll_once(sockets: Sockets, seconds: float = POLL_SECONDS) -> None:
    wasyncore.loop(timeout=seconds, use_poll=True, map=sockets, count=1)


def _channels(sockets: Mapping[int, wasyncore.dispatcher]) -> list[HTTPChannel]:
    return [each for each in sockets.values() if isinstance(each, HTTPChannel)]


def _close_stalled(
    channels: Iterable[HTTPChannel],
    begun_at: "WeakKeyDictionary[HTTPRequestParser, float]",
    *,
    now: float,
) -> None:
    """Close connections that send their request too slowly."""
    for channel in channels:
        request = channel.request
        if request is not None:
            size = request.header_bytes_received + request.body_bytes_received
            allowed_seconds = RECEIVE_SECONDS + max(0, size / 65_536 - 1)
            if now - begun_at.setdefault(request, now) > allowed_seconds:
                channel.will_close = True


def _finish(sockets: Sockets) -> None:
    """Answer requests in progress, and one more of each open connection."""
    stopped_at = time.monotonic()
    while channels := _channels(sockets):
        waited = time.monotonic() - stopped_at
        is_busy = any(each.request or each.requests or each.total_outbufs_len for each in channels)
        if waited > FINISH_SECONDS or (waited > LINGER_SECONDS and not is_busy):
            return
        _poll_once(sockets, 0.05)
