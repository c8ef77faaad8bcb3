"""What a run told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ...config.errors import Problem
from ..facts import Fact, Facts

LOST: Final = -1  # the exit code of a command whose end was not told


@dataclass(frozen=True)
class Report:
    """What a run told: facts and seconds of each step that reached its end, and the exit code.

    `begun` tells whether the host's shell has begun our script. `noise` is what the account's own
    files printed before; `stderr` is all of it. `lost` says, of a run whose connection was lost,
    why its end could not be learnt; `trouble`, of a host that said what no run of ours says, what.
    `host` is the name of the host for messages.
    """

    facts: Mapping[str, Sequence[Fact]]
    exited: int
    seconds: Mapping[str, float] = field(default_factory=dict)
    begun: bool = True
    noise: str = ""
    stderr: str = ""
    lost: str = ""
    trouble: str = ""
    host: str = ""

    def of(self, step: str) -> Facts:
        """The facts of a step; none where it did not reach its end."""
        return Facts(self.facts.get(step, ()), f"the step {step}", self.host)

    def must(self, step: str) -> Facts:
        """The facts of a step that must have reached its end; raise UnreadableFactError if not."""
        if step not in self.facts:
            raise self.of(step).unreadable("its end", "is not told")
        return self.of(step)

    def finished(self, step: str) -> bool:
        return step in self.facts

    @property
    def is_cut_off(self) -> bool:
        """Whether the end of the command was not told: as a rule, the connection was lost."""
        return self.exited == LOST

    @property
    def code(self) -> int | None:
        """None unless the host has told of its end, and its exit code says the same."""
        told = self.of("result").get("code", "")
        return self.exited if told == str(self.exited) and not self.trouble else None

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, and what to do about it: a tab is between the two."""
        told = (value for key, value in self.facts.get("result", ()) if key == "problem")
        return [Problem(*each.split("\t", 1)) for each in told]
