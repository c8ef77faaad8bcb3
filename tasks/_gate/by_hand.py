"""The script of predeploy that `fab install` puts on the host."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...remote import recipes

if TYPE_CHECKING:
    from ...config.settings import Settings


def text(settings: Settings) -> str:
    from ...remote.by_hand.standalone import standalone

    proven = replace(settings, proof=settings.least_proof)  # no test restore is made there
    return standalone(recipes.gate(proven, rehearsal="warn"), settings)


def current(settings: Settings) -> str:
    """What the fact `installed` would be, had these settings been installed by this version."""
    from ...config.version import package
    from ...remote.by_hand.standalone import stamp

    return stamp(text(settings), package()).split(" ", 1)[1]
