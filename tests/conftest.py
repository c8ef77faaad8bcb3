"""For all tests: how long an example takes says nothing on a machine that is busy."""

from hypothesis import settings

settings.register_profile("busy", deadline=None)
settings.load_profile("busy")
