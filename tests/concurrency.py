"""Doing things at the same time: threads that start together, each with its own app context."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier


def at_once(app, *actions):
    """Run the actions at the same moment; return what each returned, or raise what one raised."""
    barrier = Barrier(len(actions), timeout=10)

    def act(action):
        with app.app_context():
            barrier.wait()
            return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))
