"""What comes over a connection that ends has no gap."""

import os
from types import SimpleNamespace

from fabric_predeploy.remote._door.report import LOST
from fabric_predeploy.remote._ssh.channel import SshChannel


class Breaking:
    """Paramiko's channel, when the connection ends while it acknowledges what it has read."""

    closed, eof_received, out = False, False, [b"first", b"lost with it", b"behind the gap"]

    def __init__(self, fileno):
        self.fileno = lambda: fileno

    def exec_command(self, _command):
        pass

    def settimeout(self, _seconds):
        pass

    def recv_ready(self):
        return bool(self.out)

    def recv_stderr_ready(self):
        return False

    def recv(self, _bytes):
        piece, *self.out = self.out
        if piece == b"lost with it":
            raise EOFError
        return piece

    def close(self):
        pass


def test_nothing_is_read_behind_a_piece_that_was_lost():
    read, write = os.pipe()
    transport = SimpleNamespace(open_session=lambda: Breaking(read))
    channel = SshChannel(SimpleNamespace(transport=transport), "command")
    heard = [channel.receive(0) for _ in range(4)]
    assert heard == [(b"first", b""), (b"", b""), (b"", b""), (b"", b"")]
    assert channel.has_ended
    assert channel.exit_code == LOST
    channel.close()
    os.close(read)
    os.close(write)
