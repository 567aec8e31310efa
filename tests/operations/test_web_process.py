"""The loop around waitress: which connections it watches."""

import threading

from cop.operations.web_process import Connection


def connection(*, requests, unsent):
    """A connection as waitress has it, without a socket."""
    made = Connection.__new__(Connection)
    made.requests, made.total_outbufs_len = requests, unsent
    made.outbuf_lock = threading.Condition()
    return made


def seen_while_a_thread_sends(made):
    """Whether the loop would watch it while another thread holds its buffer."""
    held, done = threading.Event(), threading.Event()

    def send():
        with made.outbuf_lock:
            held.set()
            done.wait(10)

    thread = threading.Thread(target=send)
    thread.start()
    held.wait(10)
    seen = made.writable()
    done.set()
    thread.join()
    return seen


def test_a_connection_on_which_a_thread_sends_is_left_to_it():
    made = connection(requests=["one"], unsent=100)

    assert not seen_while_a_thread_sends(made)
    assert made.writable()  # what the thread could not send


def test_a_connection_with_nothing_to_send_is_not_watched():
    assert not connection(requests=["one"], unsent=0).writable()
    assert not connection(requests=[], unsent=0).writable()
    assert connection(requests=[], unsent=1).writable()
