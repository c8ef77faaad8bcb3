"""Signals that come at moments which the main thread has no part in."""

import os
import signal
import threading
import time
from queue import SimpleQueue

import pytest


class Orders(SimpleQueue):
    struck = None


@pytest.fixture
def strike():
    """Tell it how many seconds from now: it looks at nothing that the main thread does."""
    orders, done = Orders(), SimpleQueue()

    def strikes():
        for seconds in iter(orders.get, None):
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                pass
            os.kill(os.getpid(), signal.SIGINT)
            done.put("struck")

    thread = threading.Thread(target=strikes)
    thread.start()
    orders.struck = done.get
    yield orders
    orders.put(None)
    thread.join()
