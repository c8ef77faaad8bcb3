"""Everything that can be set: one table, from which all else is made.

That is loading with its messages, the flags of the commands and their help, what is masked, what
the script on the host takes, the shipped profile and docs/settings.md (`make docs` writes both).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from .archiving import Archives, Kept, Proof, Waiting
from .reaching import Database, Way
from .spec import REQUIRED as _REQUIRED
from .spec import Spec

SECTIONS: Final = (Way, Database, Archives, Proof, Kept, Waiting)
"""The parts of the table, in the order of the pages; the docstring of each is its title."""


# The fields of the last base come first.
@dataclass(frozen=True, kw_only=True)
class Settings(Waiting, Kept, Proof, Archives, Database, Way):
    """What one run knows. None means: let ssh_config, the host or the agent decide.

    `backup_dir` and `db_bin_dir` are absolute or begin with `~`, which is the remote home.
    `sources` says for each variable where its value came from.
    """

    git_commit: str | None = None
    version_note: str = field(default="", compare=False)  # that it is another than was given
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def least_proof(self) -> str:
        """The grade that an archive must have in any case."""
        return "read" if self.proof == "auto" else self.proof

    @property
    def drilled(self) -> str:
        """The grade that a test restore, where one is made, must come to."""
        return "restored" if self.proof == "auto" else self.proof

    @property
    def hashes(self) -> bool:
        """Whether a dump takes what the proof `equal` compares."""
        return self.content == "hash" or self.proof == "equal"


SPECS: Final[Mapping[str, Spec]] = {
    item.name: item.metadata["spec"] for item in fields(Settings) if "spec" in item.metadata
}
REQUIRED: Final = tuple(
    SPECS[item.name].variable
    for item in fields(Settings)
    if item.name in SPECS and item.default is _REQUIRED
)
VARIABLES: Final = tuple(spec.variable for spec in SPECS.values())
ON_THE_HOST: Final[Mapping[str, str]] = {
    name: spec.variable for name, spec in SPECS.items() if spec.there
}
SECRET_VARIABLES: Final = frozenset(spec.variable for spec in SPECS.values() if spec.secret)
