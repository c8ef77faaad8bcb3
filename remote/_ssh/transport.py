"""Paramiko's transport, as we need it: what a host says last, and certificates of hosts."""

import time
from contextlib import suppress
from typing import Any, Final

import paramiko

from .certificates import SUFFIX

SESSION_WAITS_SECONDS: Final = (0.02, 0.1, 0.5)
# ValueError: a key file that is no text, a host name that is none.
FAILURES: Final = (OSError, EOFError, ValueError, paramiko.SSHException)


class Transport(paramiko.Transport):  # type: ignore[misc]  # paramiko has no types
    asks = False
    prefers: tuple[str, ...] = ()  # the types of host keys, the best first
    methods: tuple[str, ...] = ()
    last_words = ""

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """Paramiko asks for certificates after all plain keys, and never for them first."""
        offered = super().preferred_keys
        return tuple(kind for kind in self.prefers if kind in offered) or offered

    def possible_keys(self) -> tuple[str, ...]:
        plain = tuple(kind for kind in super().preferred_keys if not kind.endswith(SUFFIX))
        return tuple(f"{kind}{SUFFIX}" for kind in plain) + plain

    def auth_publickey(self, username: str, *args: Any, **kwargs: Any) -> Any:
        """Before the first key, ask what else there is, if somebody wants to know."""
        if self.asks:
            self.asks = False
            self.methods = self.ways_in(username)
        return super().auth_publickey(username, *args, **kwargs)

    def ways_in(self, user: str) -> tuple[str, ...]:
        """Return the ways to log in that the host names, while it still talks to us."""
        try:
            self.auth_none(user)
        except paramiko.BadAuthenticationType as refusal:
            return tuple(refusal.allowed_types)
        except FAILURES:
            pass
        return ()

    def _parse_disconnect(self, m: Any) -> None:
        """Paramiko only logs what a host says when it hangs up."""
        with suppress(*FAILURES):
            message = paramiko.Message(m.asbytes())
            message.get_int()  # the reason, as a number
            self.last_words = message.get_text()
        super()._parse_disconnect(m)

    def open_session(self, *args: Any, **kwargs: Any) -> paramiko.Channel:
        """Ask again: where MaxSessions is 1, sshd may not have cleared the last session away."""
        for wait in SESSION_WAITS_SECONDS:
            with suppress(paramiko.ChannelException):
                return self._open_session(*args, **kwargs)
            time.sleep(wait)
        return self._open_session(*args, **kwargs)

    def _open_session(self, *args: Any, **kwargs: Any) -> paramiko.Channel:
        """A link that does not answer is as good as none."""
        try:
            return super().open_session(*args, **kwargs)
        except paramiko.ChannelException:
            raise
        except paramiko.SSHException as failure:
            self.close()
            raise ConnectionResetError(str(failure)) from None
