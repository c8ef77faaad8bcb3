"""What GitHub's runner makes of a step: its commands, its files, and what its log shows.

After actions/runner: ActionCommand.cs, ActionCommandManager.cs and FileCommandManager.cs.
"""

import re
from dataclasses import dataclass, field

KNOWN = {
    *("add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group"),
    *(
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    ),
}


@dataclass(frozen=True)
class Command:
    name: str
    data: str
    properties: dict = field(default_factory=dict)


@dataclass
class Runner:
    """Reads the lines of one stream after the other: of two at once it promises no order."""

    obeyed: list = field(default_factory=list)
    log: list = field(default_factory=list)
    known: set = field(default_factory=lambda: set(KNOWN))
    resume: str = ""

    def reads(self, *streams):
        for stream in filter(None, streams):
            for line in re.split(r"\r\n|\r|\n", stream.removesuffix("\n")):
                self._line(line)
        return self

    def _line(self, line):
        command = parsed(line, self.known)
        if command is None or (self.resume and command.name != self.resume):
            self.log.append(line)
        elif self.resume:
            self.known.discard(self.resume)
            self.resume = ""
        elif command.name == "stop-commands":
            assert command.data
            assert command.data not in self.known
            self.resume = command.data
            self.known.add(self.resume)
            self.obeyed.append(command)
        else:
            self.obeyed.append(command)

    def told(self, name):
        return [command for command in self.obeyed if command.name == name]

    @property
    def masks(self):
        return [command.data for command in self.told("add-mask")]


def parsed(line, known=KNOWN):
    """`::name key=value,…::data` at the beginning of a line, or `##[name …]data` anywhere in it."""
    plain = re.match(r"::(.*?)::(.*)", line.lstrip(), re.DOTALL)
    old = re.search(r"##\[(.*?)\](.*)", line, re.DOTALL)
    for found, separator, decode in ((plain, ",", decoded_property), (old, ";", decoded_old)):
        if found:
            name, _, properties = found[1].partition(" ")
            if name.lower() in known:
                pairs = (each.split("=", 1) for each in properties.strip().split(separator) if each)
                data = decoded(found[2]) if found is plain else decoded_old(found[2])
                return Command(name, data, {pair[0]: decode(pair[1]) for pair in pairs})
    return None


def decoded(text):
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def decoded_property(text):
    text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",")
    return text.replace("%25", "%")


def decoded_old(text):
    text = text.replace("%3B", ";").replace("%0D", "\r").replace("%0A", "\n").replace("%5D", "]")
    return text.replace("%25", "%")


def outputs(file):
    """The pairs of a GITHUB_OUTPUT: `name=value`, or `name<<END` with lines up to END."""
    lines = iter(file.read_text(encoding="utf-8").split("\n"))
    pairs = {}
    for line in lines:
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            pairs[line[:equals]] = line[equals + 1 :]
        elif heredoc >= 0:
            pairs[line[:heredoc]] = "\n".join(iter(lambda: next(lines), line[heredoc + 2 :]))
        else:
            assert line == ""
    return pairs
