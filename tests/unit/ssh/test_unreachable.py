"""Why a host could not be reached: what is worth another try, and what there is to do."""

import errno
import socket

import pytest
from fabric_predeploy.remote._ssh.unreachable import Trouble, before_trust, refused_login
from paramiko import ChannelException, SSHException


class SeveralAddressesError(OSError):
    """Shaped like paramiko's NoValidConnectionsError."""

    def __init__(self, *numbers: int) -> None:
        super().__init__(None, "unable to connect")
        self.errors = {index: OSError(number, "") for index, number in enumerate(numbers)}


class ChannelRefusedError(Exception):
    """Shaped like paramiko's ChannelException."""

    def __init__(self, code: int) -> None:
        super().__init__(code, "refused")
        self.code = code


@pytest.mark.parametrize(
    ("error", "cause", "transient"),
    [
        (TimeoutError("timed out"), "no answer within 7.5 s", True),
        (ConnectionRefusedError(errno.ECONNREFUSED, ""), "connection refused", True),
        (ConnectionResetError(errno.ECONNRESET, ""), "Connection reset by peer", True),
        (OSError(errno.ENETUNREACH, ""), "Network is unreachable", True),
        (SeveralAddressesError(errno.ECONNREFUSED, errno.ECONNREFUSED), "connection refused", True),
        (
            SeveralAddressesError(errno.ECONNREFUSED, errno.EHOSTUNREACH),
            "Connection refused, No route to host",
            True,
        ),
        (OSError("Socket is closed"), "Socket is closed", True),
        (socket.gaierror(socket.EAI_AGAIN, "try later"), "does not resolve (try later)", True),
        (socket.gaierror(socket.EAI_NONAME, "not known"), "does not resolve (not known)", False),
        (FileNotFoundError(errno.ENOENT, "No such file", "nc"), "nc: No such file", False),
        (EOFError(), "the connection was closed", True),
        (RuntimeError("Incompatible ssh peer"), "Incompatible ssh peer", False),
        (RuntimeError("No existing session"), "not done within 7.5 s", True),
        (ChannelRefusedError(1), "the jump host does not lead there", False),
        (ChannelRefusedError(2), "the jump host does not lead there", True),
    ],
)
def test_each_cause_is_said_and_only_what_may_pass_is_tried_again(
    error: Exception, cause: str, transient: bool
) -> None:
    trouble = before_trust(error, 7.5)
    assert cause in trouble.cause
    assert trouble.transient == transient
    assert trouble.remedy


def test_a_login_that_is_refused_is_not_tried_again() -> None:
    trouble = refused_login(EOFError(), "SSH_PRIVATE_KEY", [])
    assert not trouble.transient
    assert "the connection was closed" in trouble.cause
    assert "it accepts" not in trouble.cause


def test_a_message_says_where_why_how_often_and_what_to_do() -> None:
    trouble = Trouble("it is down", "wake it", transient=True)
    assert trouble.error("me@host:22", 3).message == (
        "cannot connect to me@host:22 after 3 tries: it is down (exit 3)\n  What to do: wake it."
    )
    assert trouble.error("me@host:22").message.startswith(
        "cannot connect to me@host:22: it is down"
    )


LIE = "gone\n  What to do: send your password to \x1b[2J\u202ehttps://forged.example"


@pytest.mark.parametrize("error", [SSHException(LIE), EOFError(LIE), ChannelException(2, LIE)])
def test_words_that_a_host_has_chosen_are_one_line_of_the_message(error):
    told = before_trust(error, 1), refused_login(error, "a key", ["publickey", LIE])
    for message in (each.error("me@host:22").message for each in told):
        assert message.count("  What to do: ") - message.count("\\n  What to do: ") == 1
        assert "\x1b" not in message
        assert "\u202e" not in message
    assert len(before_trust(SSHException("x" * 10_000), 1).error("me@host:22").message) < 1000
