"""For all tests: what the machine, or whoever started them, must not change."""

import signal

from hypothesis import settings

# How long an example takes says nothing on a machine that is busy.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")

# Under nohup every program that a test starts would ignore it, and wait for ever to be hung up.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
