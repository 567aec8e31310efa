"""Stopping: by Ctrl+C in a terminal, by a signal to one process, to their group and to all."""

import os
import pty
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cop.operations.processes import Child, StopRequest, supervise
from tests.processes.server import Server, in_child, wait_until
from tests.smtp_server import Answer, MailServer

pytestmark = pytest.mark.both

LONGEST = 10  # seconds that a stop may take
ROUNDS = [3, pytest.param(50, marks=pytest.mark.full)]


def ctrl_c(server):
    os.write(server.terminal, b"\x03")


def hang_up(server):
    os.close(server.terminal)


def interrupt_group(server):
    os.killpg(server.process.pid, signal.SIGINT)


def terminate_one(server):
    os.kill(server.process.pid, signal.SIGTERM)


def terminate_all(server):
    for pid in server.processes():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


class InTerminal(Server):
    """A server whose terminal is ours, as a person's is theirs."""

    def launch(self):
        self.terminal, inside = pty.openpty()
        super().launch(stdin=inside, preexec_fn=lambda: os.login_tty(inside))
        os.close(inside)

    def stop(self):
        super().stop()
        with suppress(OSError):  # the test has closed it
            os.close(self.terminal)


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("ask", [ctrl_c, hang_up, interrupt_group, terminate_one, terminate_all])
def test_it_stops_when_it_is_asked_to(tmp_path, ask, rounds):
    server = (InTerminal if ask in {ctrl_c, hang_up} else Server)(tmp_path)
    for number in range(rounds):
        server.start()
        processes = server.processes()
        time.sleep(number % 5 / 10)  # while the first emails, the daily round or nothing is done
        ask(server)

        assert server.process.wait(LONGEST) == 0
        assert server.processes() == []
        assert len(processes) == 3
        server.stop()


def test_a_mail_server_that_never_answers_holds_up_no_stop(sqlite_world, tmp_path):
    never = Answer(seconds=120)
    with MailServer(behaviour=lambda _number: never) as mail_server:
        server = Server(tmp_path, COP_DATABASE_URL=sqlite_world.url, COP_SMTP_URL=mail_server.url)
        server.start()
        sqlite_world.queue_email("ada@example.org")
        wait_until(lambda: mail_server.begun)
        processes = {"worker": server.worker, "web": server.web}
        ended = _endings(processes)

        server.process.terminate()
        code = server.process.wait(LONGEST)

    [email] = sqlite_world.emails()
    assert code == 0
    assert ended() == ["worker", "web"]
    assert (email.state, email.unknown_outcomes) == ("retrying", 1)
    assert email.lease is None
    assert "stopped" in email.server_reply


def test_an_email_that_is_taken_in_time_is_noted_before_the_worker_stops(sqlite_world, tmp_path):
    slow = Answer(seconds=1.5)
    with MailServer(behaviour=lambda _number: slow) as mail_server:
        server = Server(tmp_path, COP_DATABASE_URL=sqlite_world.url, COP_SMTP_URL=mail_server.url)
        server.start()
        sqlite_world.queue_email("ada@example.org")
        wait_until(lambda: mail_server.begun)

        server.stop()

    [email] = sqlite_world.emails()
    assert (email.state, email.unknown_outcomes) == ("sent", 0)


def _endings(processes):
    """Watch processes; the function returned gives their names in the order of their ends."""
    order = []

    def watch():
        left = dict(processes)
        while left:
            for name, pid in list(left.items()):
                if not _is_running(pid):
                    order.append(name)
                    del left[name]
            time.sleep(0.01)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()

    def ended():
        thread.join(LONGEST)
        return order

    return ended


def _is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_that_does_not_stop_is_killed():
    def stubborn():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)

    def parent():
        threading.Timer(0.7, os.kill, [os.getpid(), signal.SIGTERM]).start()
        supervise([[Child("stubborn", stubborn)], [Child("meek", StopRequest().wait)]], seconds=0.5)

    began = time.monotonic()

    assert in_child(parent) == 0
    assert time.monotonic() - began < LONGEST


def test_a_parent_that_ignores_sigchld_still_stops_its_children():
    def parent():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as some service managers have it
        threading.Timer(0.7, os.kill, [os.getpid(), signal.SIGTERM]).start()
        supervise(
            [[Child("one", StopRequest().wait)], [Child("two", StopRequest().wait)]], seconds=5
        )

    assert in_child(parent) == 0


def test_a_child_that_ends_is_started_again_until_the_stop(tmp_path):
    starts = tmp_path / "starts"

    def brief():
        with starts.open("a") as file:
            file.write("started\n")

    def parent():
        threading.Timer(1.7, os.kill, [os.getpid(), signal.SIGTERM]).start()
        supervise([[Child("brief", brief)]], seconds=2)

    assert in_child(parent) == 0
    assert 2 <= len(starts.read_text().splitlines()) <= 5


def test_a_signal_while_a_lock_is_held_stops_nothing_but_the_wait():
    def parent():
        stop = StopRequest()
        for _ in range(2_000):  # in the middle of set() and wait(), too
            os.kill(os.getpid(), signal.SIGTERM)
            stop.set()
            assert stop.wait(1)

    assert in_child(parent) == 0


def test_a_process_is_woken_by_another_thread_too():
    def parent():
        stop = StopRequest()
        threading.Timer(0.1, stop.set).start()
        assert stop.wait(30)

    began = time.monotonic()

    assert in_child(parent) == 0
    assert time.monotonic() - began < LONGEST
