"""Which names a file of shell uses, sets, defines and calls, by the grammar of our own files."""

import re
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)=")
_HANDS_ON = {"start", "start_function", "finished_growing", "take", "replay", "tell_script"}
_GOES_ON = {"if", "then", "elif", "else", "while", "until", "do", "{", "!", "exec"}


@dataclass
class Names:
    used: set[str] = field(default_factory=set)
    assigned: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    """Commands, and words that may be one where a command is handed on, or kept for later."""
    facts: set[str] = field(default_factory=set)


def names_of(text: str) -> Names:
    reader = _Reader(text)
    reader.commands()
    assert reader.at == len(text), text[reader.at :][:200]
    return reader.names


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.names = text, 0, Names()
        self.ends: list[str] = []  # of texts that begin behind this line

    def next(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def commands(self, closing: str = "") -> None:
        """Up to the end, or to behind the bracket that closes them."""
        command: list[str] = []
        while self.at < len(self.text):
            if self.next(2) == "\\\n":
                self.at += 2
            elif self.next() in " \t":
                self.at += 1
            elif self.next() == "#":
                self.at = self.text.index("\n", self.at)
            elif self.next() in "\n;&|()":
                self._end(command)
                command = []
                if self.next() == ")" and closing:
                    self.at += 1
                    return
                self._separate()
            elif self.next() in "<>":
                self._redirect()
            else:
                command = self._add(command, self.word())
        self._end(command)

    def _separate(self) -> None:
        ends, self.ends = (self.ends, []) if self.next() == "\n" else ([], self.ends)
        self.at += 1
        for end in ends:
            stop = self.text.index(f"\n{end}\n", self.at - 1)
            while self.at < stop:
                self._special("")
            self.at = stop + len(end) + 1

    def _redirect(self) -> None:
        here = self.next(2) == "<<"
        self.at += len(re.match(r"<<|[<>]+[&|]?", self.text[self.at :])[0])
        while self.next() == " ":
            self.at += 1
        word = self.word()
        if here:
            self.ends.append(word)

    def _add(self, command: list[str], word: str) -> list[str]:
        assigned = _ASSIGNED.match(word)
        if not command and assigned:
            self.names.assigned.add(assigned[1])
            self.names.called.add(word[assigned.end() :])
            return command
        if not command and word in _GOES_ON:
            return command
        return [*command, word]

    def _end(self, command: list[str]) -> None:
        if not command:
            return
        if self.next(2) == "()":
            self.names.functions.add(command[0])
            self.at += 1
            return
        first, *rest = command
        self.names.called |= {first, *(rest if first in _HANDS_ON else ())}
        if first == "for":
            self.names.assigned.add(rest[0])
        elif first == "read":
            self.names.assigned |= {word for word in rest if _NAME.fullmatch(word)}
        elif first == "export":
            found = (_ASSIGNED.match(word) for word in rest)
            self.names.assigned |= {each[1] for each in found if each}
            self.names.used |= set(rest)
        elif first in ("fact", "facts", "looked"):
            self.names.facts |= set(rest[::2])

    def word(self) -> str:
        """Without its quotes; what it is filled with is left out, but for a mark."""
        word = ""
        while self.at < len(self.text) and self.next() not in " \t\n;&|()<>":
            if self.next() == '"':
                word += self._quoted()
            else:
                word += self._special("'")
        return word

    def _quoted(self) -> str:
        self.at += 1
        word = ""
        while self.next() != '"':
            word += self._special("")
        self.at += 1
        return word

    def _special(self, quote: str) -> str:
        """One character, or what stands for others."""
        begin = self.at
        if self.next() == quote:
            self.at = self.text.index("'", begin + 1) + 1
            return self.text[begin + 1 : self.at - 1]
        if self.next() == "\\":
            self.at += 2
        elif self.next() == "$":
            self.at += 1
            self._expansion(quote)
            return "$"
        else:
            self.at += 1
        return self.text[begin : self.at]

    def _expansion(self, quote: str) -> None:
        if self.next(2) == "((":
            self.at += 2
            while self.next(2) != "))":
                if re.match(r"[A-Za-z_]", self.next()):
                    self._name()
                else:
                    self._special("")
            self.at += 2
        elif self.next() == "(":
            self.at += 1
            self.commands(")")
        elif self.next() == "{":
            self.at += 1
            self._name(with_value=True)
            while self.next() != "}":
                if self.next() == '"':
                    self._quoted()
                else:
                    self._special(quote)
            self.at += 1
        else:
            self._name()

    def _name(self, *, with_value: bool = False) -> None:
        if with_value and self.next() == "#" and self.next(2) != "#}":
            self.at += 1
        found = _NAME.match(self.text, self.at)
        if found:
            self.names.used.add(found[0])
        self.at += len(found[0]) if found else 1
