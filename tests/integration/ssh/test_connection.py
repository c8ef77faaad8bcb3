"""The shared connection against real SSH servers."""

import io
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import fabric
import invoke
import pytest
from cryptography.hazmat.primitives import serialization as formats
from cryptography.hazmat.primitives.asymmetric import ed25519
from fabric_predeploy.config.errors import ConfigurationError, HostError, InterruptedRunError
from fabric_predeploy.config.settings import Settings
from fabric_predeploy.remote._door import exchange
from fabric_predeploy.remote._door.hearing import Hearing
from fabric_predeploy.remote._door.stdin import Stdin
from fabric_predeploy.remote._ssh import channel, connection
from fabric_predeploy.remote.signals import signals_raise

from sandbox import sshd
from sandbox.keys import private_text, public_line
from sandbox.sshd import SshServer
from tests.integration.cutting import way_to

ROUNDS = 40
# Prints until it is told to stop.
ENDLESS = (
    r"printf '\nfence door\nfence raw 99999999999999\n'; cat /dev/zero &"
    " read empty; read stop; kill $!"
)

pytestmark = pytest.mark.skipif(not sshd.available(), reason="OpenSSH's sshd is not installed")


@pytest.fixture(scope="module")
def server(ground: Path) -> Iterator[SshServer]:
    with sshd.openssh(ground) as running:
        yield running


@pytest.fixture(autouse=True)
def nobodys_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No agent, no keys and no ssh_config of whoever runs the tests; short waits between tries."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr(connection, "RETRY_WAITS_SECONDS", (0.05, 0.05))
    yield
    connection.close_all()


def settings(server: SshServer, **changes: Any) -> Settings:
    given = {
        "profile": "test",
        "ssh_host": server.host,
        "ssh_port": server.port,
        "ssh_user": server.user,
        "ssh_private_key": server.private_key,
        "ssh_known_hosts": server.known_hosts_line,
        "db_name": "shop",
        "db_user": "shop",
    }
    return Settings(**{**given, **changes})


def caller(ssh_config: Path | None = None, **overrides: Any) -> invoke.Context:
    """What fab hands to a task: `ssh_config` is its -S."""
    config = fabric.Config(
        overrides=overrides,
        runtime_ssh_path=str(ssh_config) if ssh_config else None,
        system_ssh_path="/nonexistent",
    )
    return invoke.Context(config)


def says(connected: fabric.Connection, command: str) -> str:
    return str(connected.run(command, hide=True, in_stream=False).stdout).strip()


def refusal(given: Settings, called_by: invoke.Context | None = None) -> str:
    with pytest.raises(HostError) as refused:
        connection.connect(given, called_by or caller())
    assert refused.value.code == 3
    return str(refused.value)


def logins(server: SshServer) -> int:
    log = server.home.parents[1] / "sshd.log"
    return log.read_text(errors="replace").count("Accepted publickey")


def is_true_soon(question: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not question() and time.monotonic() < deadline:
        time.sleep(0.02)
    return question()


def a_key() -> str:
    return private_text(ed25519.Ed25519PrivateKey.generate())


def host_key_line(server: SshServer, kind: str) -> str:
    file = server.home.parents[1] / f"host_{kind}"
    key = formats.load_ssh_private_key(file.read_bytes(), None)
    return f"[{server.host}]:{server.port} {public_line(key)}"


# Reaching the host


def test_a_key_in_the_environment_lets_one_in(server: SshServer) -> None:
    assert says(connection.connect(settings(server), caller()), "echo $HOME") == str(server.home)


def test_a_key_file_lets_one_in(server: SshServer, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(server.private_key)
    given = settings(server, ssh_private_key=None, ssh_key_file=file)
    assert channel.is_alive(connection.connect(given, caller()))


@pytest.mark.skipif(not shutil.which("ssh-agent"), reason="needs OpenSSH's client")
def test_without_a_key_the_agent_is_asked(
    server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    agent = subprocess.Popen(
        ["ssh-agent", "-D", "-a", tmp_path / "agent"], stdout=subprocess.DEVNULL
    )
    try:
        assert is_true_soon((tmp_path / "agent").exists)
        add = ["ssh-add", "-q", "-"]
        subprocess.run(add, input=server.private_key, encoding="utf-8", check=True)
        given = settings(server, ssh_private_key=None)
        assert channel.is_alive(connection.connect(given, caller()))
        connection.close_all()
    finally:
        agent.terminate()
        agent.wait()


def test_a_key_on_fabs_command_line_wins(server: SshServer, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(server.private_key)
    file.chmod(0o600)
    given = settings(server, ssh_private_key=a_key())
    with_option_i = caller(connect_kwargs={"key_filename": [str(file)]})
    assert channel.is_alive(connection.connect(given, with_option_i))


def test_an_encrypted_key_on_fabs_command_line_is_opened_with_the_passphrase(
    server: SshServer, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(server.private_key)
    file.chmod(0o600)
    encrypt = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "a passphrase", "-f", file]
    subprocess.run(encrypt, check=True, capture_output=True)
    with_option_i = caller(connect_kwargs={"key_filename": [str(file)]})
    given = settings(server, ssh_private_key=None, ssh_key_passphrase="a passphrase")
    assert channel.is_alive(connection.connect(given, with_option_i))
    connection.close_all()
    with_option_i = caller(connect_kwargs={"key_filename": [str(file)]})
    message = refusal(settings(server, ssh_private_key=None), with_option_i)
    assert "encrypted" in message
    assert "SSH_KEY_PASSPHRASE" in message


def test_a_missing_key_on_fabs_command_line_is_named(server: SshServer) -> None:
    with pytest.raises(ConfigurationError, match="key file not found: nope"):
        connection.connect(settings(server), caller(connect_kwargs={"key_filename": ["nope"]}))


def an_alias(server: SshServer, tmp_path: Path, *lines: str) -> Path:
    head = [f"Host shop\n  HostName {server.host}\n  Port {server.port}\n  User {server.user}"]
    file = tmp_path / "ssh_config"
    file.write_text("\n".join([*head, *(f"  {line}" for line in lines)]) + "\n")
    return file


def test_an_alias_of_ssh_config_is_enough(server: SshServer, tmp_path: Path) -> None:
    config = an_alias(server, tmp_path, "IdentityFile ~/.ssh/not_there")
    given = settings(server, ssh_host="shop", ssh_port=None, ssh_user=None)
    assert says(connection.connect(given, caller(config)), "id -un") == server.user


def test_invokes_own_context_reads_ssh_config_too(server: SshServer, tmp_path: Path) -> None:
    config = an_alias(server, tmp_path)
    (tmp_path / ".ssh").mkdir()
    config.rename(tmp_path / ".ssh/config")
    given = settings(server, ssh_host="shop", ssh_port=None, ssh_user=None)
    assert channel.is_alive(connection.connect(given, invoke.Context()))


def test_a_user_that_is_said_twice_is_a_configuration_error(server: SshServer) -> None:
    with pytest.raises(ConfigurationError, match="SSH_USER"):
        connection.connect(settings(server, ssh_host="me@example.org"), caller())


def test_a_server_with_one_session_at_a_time_will_do(ground: Path) -> None:
    with sshd.openssh(ground, extra_config="MaxSessions 1") as server:
        connected = connection.connect(settings(server), caller())
        connected.transport.open_session().exec_command("sleep 0.2")
        assert [says(connected, f"echo {number}") for number in range(3)] == ["0", "1", "2"]


def test_what_is_written_is_sent_at_once(server: SshServer) -> None:
    sock = connection.connect(settings(server), caller()).transport.sock
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    if sys.platform == "linux":
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000


# Sharing it


def test_whoever_asks_gets_the_same_connection(server: SshServer) -> None:
    first = connection.connect(settings(server), caller())
    its_own = fabric.Connection(server.host, user=server.user, port=server.port)
    for called_by in (caller(), invoke.Context(), its_own):
        assert connection.connect(settings(server), called_by) is first


def test_other_keys_get_another_connection(server: SshServer) -> None:
    connection.connect(settings(server), caller())
    assert "does not let us in" in refusal(settings(server, ssh_private_key=a_key()))


def test_a_link_that_has_fallen_silent_before_a_request_is_lost_and_no_bug(
    server: SshServer,
) -> None:
    with way_to(server) as way:
        line = server.known_hosts_line.replace(str(server.port), str(way.port))
        silent = connection.connect(
            settings(server, ssh_port=way.port, ssh_known_hosts=line), caller()
        )
        silent.transport.channel_timeout = 0.5
        way.fall_silent()
        with pytest.raises(ConnectionResetError, match="Timeout"):
            says(silent, "echo here")
        assert not channel.is_alive(silent)


def test_a_connection_that_was_lost_is_replaced(server: SshServer) -> None:
    lost = connection.connect(settings(server), caller())
    with suppress(EOFError, ConnectionError):  # which may come before the answer
        lost.run("kill -9 $PPID", hide=True, in_stream=False, warn=True)  # its sshd
    assert is_true_soon(lambda: not channel.is_alive(lost))
    assert says(connection.connect(settings(server), caller()), "echo back") == "back"


FABFILE = """
    import os
    from fabric import task
    from fabric_predeploy.config.settings import Settings
    from fabric_predeploy.remote._ssh.connection import connect

    def shared(c):
        key, line = os.environ["TEST_KEY"], os.environ["TEST_LINE"]
        host, port = line.split()[0].removeprefix("[").split("]:")
        settings = Settings(
            profile="test", ssh_host=host, ssh_port=int(port), ssh_user=os.environ["TEST_USER"],
            ssh_private_key=key, ssh_known_hosts=line, db_name="shop", db_user="shop",
        )
        return connect(settings, c)

    @task
    def first(c):
        print("first", shared(c).run("echo on $HOME", hide=True, in_stream=False).stdout)

    @task(pre=[first])
    def second(c):
        first(c)
        print("second", shared(c).run("echo on $HOME", hide=True, in_stream=False).stdout)
"""


def fab(server: SshServer, directory: Path, *arguments: str, start: str = "") -> tuple[str, str]:
    """Run fab, or what `start` makes of it, as a process of its own."""
    (directory / "fabfile.py").write_text(textwrap.dedent(FABFILE))
    code = f"import sys\n{start}\nfrom fabric.main import program\nprogram.run(sys.argv)"
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, *arguments],
        cwd=directory,
        env={
            "HOME": str(directory),
            "PATH": "/usr/bin:/bin",
            "TEST_KEY": server.private_key,
            "TEST_LINE": server.known_hosts_line,
            "TEST_USER": server.user,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_a_run_of_fab_logs_in_once_and_ends_silently(server: SshServer, tmp_path: Path) -> None:
    before = logins(server)
    output, errors = fab(server, tmp_path, "-H", server.host, "first", "second")
    assert output.count(f"on {server.home}") >= 3
    assert logins(server) == before + 1
    assert errors == ""


def test_the_key_is_never_written_to_a_file(server: SshServer, tmp_path: Path) -> None:
    tell = """
    def tell(event, values):
        if event == "open" and values[2] & 3 and values[0] != "/dev/null":
            print("WRITES", values[0], file=sys.stderr)
    sys.addaudithook(tell)
    open("probe", "w").close()
    """
    output, errors = fab(server, tmp_path, "first", start=textwrap.dedent(tell))
    assert f"on {server.home}" in output
    assert errors == "WRITES probe\n", "the hook sees the probe, and nothing else"


# Trusting it


def test_an_unknown_host_key_is_refused_until_the_line_shown_is_added(server: SshServer) -> None:
    message = refusal(settings(server, ssh_known_hosts=f"x{server.known_hosts_line}"))
    assert "is not known" in message
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in message
    key = server.home.parents[1] / "host_ed25519"
    printed = subprocess.run(["ssh-keygen", "-lf", key], check=True, capture_output=True)
    assert printed.stdout.decode().split()[1] in message
    line = message.splitlines()[-1]
    assert line == server.known_hosts_line
    assert channel.is_alive(connection.connect(settings(server, ssh_known_hosts=line), caller()))


def test_without_any_setting_the_line_goes_to_the_file_of_ssh(
    server: SshServer, tmp_path: Path
) -> None:
    given = settings(server, ssh_known_hosts=None)
    message = refusal(given)
    assert f"add this line to {tmp_path}/.ssh/known_hosts" in message
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/known_hosts").write_text(message.splitlines()[-1] + "\n")
    assert channel.is_alive(connection.connect(given, caller()))


def test_a_changed_host_key_is_refused(server: SshServer) -> None:
    name = server.known_hosts_line.split()[0]
    other = public_line(ed25519.Ed25519PrivateKey.generate())
    message = refusal(settings(server, ssh_known_hosts=f"{name} {other}"))
    assert "has CHANGED" in message
    assert message.count("SHA256:") == 2
    assert "SSH_KNOWN_HOSTS line 1" in message


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_the_host_is_asked_for_the_one_key_that_is_known(server: SshServer, kind: str) -> None:
    given = settings(server, ssh_known_hosts=host_key_line(server, kind))
    assert channel.is_alive(connection.connect(given, caller()))


def test_a_key_type_that_the_host_gave_up_does_not_matter(ground: Path, server: SshServer) -> None:
    stale = host_key_line(server, "ecdsa")
    with sshd.openssh(ground, extra_config="HostKeyAlgorithms rsa-sha2-256,ssh-ed25519") as other:
        name = other.known_hosts_line.split()[0]
        lines = [f"{name} {stale.split(' ', 1)[1]}", host_key_line(other, "rsa")]
        given = settings(other, ssh_known_hosts="\n".join(lines))
        assert channel.is_alive(connection.connect(given, caller()))


def test_a_revoked_host_key_is_refused(server: SshServer) -> None:
    revoked = f"@revoked * {server.known_hosts_line.split(' ', 1)[1]}"
    both = f"{server.known_hosts_line}\n{revoked}"
    assert "revoked" in refusal(settings(server, ssh_known_hosts=both))


def test_malformed_known_hosts_are_found_before_any_contact(server: SshServer) -> None:
    with pytest.raises(ConfigurationError, match="SSH_KNOWN_HOSTS line 1"):
        connection.connect(settings(server, ssh_port=1, ssh_known_hosts="rubbish"), caller())


# On the way


def through_a_jump_host(server: SshServer, tmp_path: Path) -> Path:
    return an_alias(server, tmp_path, f"ProxyJump {server.user}@localhost:{server.port}")


def test_a_jump_host_gets_the_same_key(server: SshServer, tmp_path: Path) -> None:
    key = server.known_hosts_line.split(" ", 1)[1]
    lines = f"{server.known_hosts_line}\n[localhost]:{server.port} {key}"
    given = settings(server, ssh_host="shop", ssh_known_hosts=lines)
    before = logins(server)
    connected = connection.connect(given, caller(through_a_jump_host(server, tmp_path)))
    assert says(connected, "echo through") == "through"
    assert logins(server) == before + 2


def test_an_unknown_jump_host_is_refused(server: SshServer, tmp_path: Path) -> None:
    given = settings(server, ssh_host="shop")
    message = refusal(given, caller(through_a_jump_host(server, tmp_path)))
    assert f"host key of [localhost]:{server.port} is not known" in message


def test_a_jump_host_that_does_not_lead_there_is_named(server: SshServer, tmp_path: Path) -> None:
    key = server.known_hosts_line.split(" ", 1)[1]
    given = settings(
        server,
        ssh_host="shop",
        ssh_port=1,
        ssh_known_hosts=f"[localhost]:{server.port} {key}",
    )
    message = refusal(given, caller(through_a_jump_host(server, tmp_path)))
    assert "the jump host does not lead there" in message


def test_a_proxy_command_is_used(server: SshServer, tmp_path: Path) -> None:
    relay = tmp_path / "relay.py"
    relay.write_text(
        textwrap.dedent("""
            import os, socket, sys, threading
            link = socket.create_connection((sys.argv[1], int(sys.argv[2])))
            def upwards():
                while data := os.read(0, 65536): link.sendall(data)
            threading.Thread(target=upwards, daemon=True).start()
            while data := link.recv(65536): os.write(1, data)
        """)
    )
    config = an_alias(server, tmp_path, f"ProxyCommand {sys.executable} {relay} %h %p")
    connected = connection.connect(settings(server, ssh_host="shop"), caller(config))
    assert says(connected, "echo relayed") == "relayed"


def test_a_proxy_command_that_is_not_there_is_named(server: SshServer, tmp_path: Path) -> None:
    config = an_alias(server, tmp_path, "ProxyCommand /not/there %h")
    message = refusal(settings(server, ssh_host="shop"), caller(config))
    assert re.search("the ProxyCommand for it failed: .*/not/there", message)


# Not reaching it


def test_a_wrong_key_is_named_with_what_the_host_accepts(server: SshServer) -> None:
    key = a_key()
    before = time.monotonic()
    message = refusal(settings(server, ssh_private_key=key))
    assert f"cannot connect to {server.user}@{server.host}:{server.port}: it does not" in message
    assert "SSH_PRIVATE_KEY, ed25519 SHA256:" in message
    assert "accepts: publickey" in message
    assert "authorized_keys" in message
    assert key.splitlines()[2] not in message
    assert time.monotonic() - before < 5


def test_no_key_at_all_names_the_settings_for_it(server: SshServer) -> None:
    message = refusal(settings(server, ssh_private_key=None))
    assert "SSH_PRIVATE_KEY or SSH_KEY_FILE" in message
    assert "ssh agent" in message


@contextmanager
def a_port() -> Iterator[tuple[socket.socket, int]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener, listener.getsockname()[1]


def test_a_closed_port_is_tried_three_times(server: SshServer) -> None:
    with a_port() as (_unheard, port):
        message = refusal(settings(server, ssh_port=port))
    assert f"{server.host}:{port} after 3 tries: connection refused" in message
    assert "18765" in message


def test_a_host_that_never_answers_is_given_up(server: SshServer) -> None:
    with a_port() as (listener, port):
        listener.listen()
        before = time.monotonic()
        message = refusal(settings(server, ssh_port=port), caller(timeouts={"connect": 1}))
    assert "not done within 1 s" in message
    assert time.monotonic() - before < 6


def test_what_is_no_ssh_server_is_recognised(
    server: SshServer, capfd: pytest.CaptureFixture[str]
) -> None:
    with a_port() as (listener, port):
        listener.listen()
        threading.Thread(target=answering, args=(listener, b"HTTP/1.0 400 Bad\r\n\r\n")).start()
        message = refusal(settings(server, ssh_port=port), caller(timeouts={"connect": 2}))
    assert "the SSH handshake fails" in message
    assert capfd.readouterr().err == "", "no traceback from paramiko's log"


def answering(listener: socket.socket, data: bytes, times: int = 3) -> None:
    for _ in range(times):
        with suppress(OSError):
            link, _address = listener.accept()
            link.sendall(data)
            link.close()


def test_a_name_that_does_not_resolve_is_not_tried_again(server: SshServer) -> None:
    message = refusal(settings(server, ssh_host="host.invalid"))
    assert "its name does not resolve" in message


def test_a_host_that_hangs_up_twice_is_reached_at_the_third_try(server: SshServer) -> None:
    with a_port() as (listener, port):
        listener.listen()
        threading.Thread(target=hanging_up_twice, args=(listener, server.port)).start()
        line = server.known_hosts_line.replace(str(server.port), str(port), 1)
        given = settings(server, ssh_port=port, ssh_known_hosts=line)
        assert says(connection.connect(given, caller()), "echo third") == "third"
        connection.close_all()


def hanging_up_twice(listener: socket.socket, port: int) -> None:
    answering(listener, b"", times=2)
    near, _address = listener.accept()
    far = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=carrying, args=(near, far), daemon=True).start()
    carrying(far, near)


def carrying(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


# The sandbox's other server


def test_the_asyncssh_server_runs_commands_like_sshd(ground: Path) -> None:
    with sshd.asyncssh_server(ground) as server:
        connected = connection.connect(settings(server), caller())
        assert says(connected, "pwd; echo $HOME; id -u").split() == [
            str(server.home),
            str(server.home),
            str(server.uid),
        ]
        assert connected.run("exit 7", warn=True, hide=True, in_stream=False).exited == 7
        for _ in range(5):
            assert says(connected, "head -c 300000 /dev/zero | tr '\\0' x").count("x") == 300_000
        channel = connected.transport.open_session()
        channel.exec_command("cat; touch ~/the-client-is-gone")
        connection.close_all()
        assert is_true_soon((server.home / "the-client-is-gone").exists)
    assert not server.home.exists()


def test_a_server_leaves_no_process_and_no_file_behind(ground: Path) -> None:
    with sshd.openssh(ground) as server:
        connected = connection.connect(settings(server), caller())
        pid = int(says(connected, "setsid sleep 600 >/dev/null 2>&1 </dev/null & echo $!"))
        assert Path(f"/proc/{pid}").exists()
        connection.close_all()
    assert not Path(f"/proc/{pid}").exists()
    assert not server.home.exists()


def test_a_signal_at_any_moment_of_a_long_answer_leaves_nobody_waiting(server, strike):
    """Locks of paramiko's are taken by the thread that signals strike: it would wait for itself."""
    chance = random.Random(7)  # noqa: S311

    def too_long(*_):
        raise AssertionError("it still waits")

    def listen():
        strike.put(chance.random() / 20)
        stdin = Stdin({})
        hearing = Hearing("fence", ask=stdin.hear, take=lambda *_: None, files={1: 10**15})
        begin = partial(channel.SshChannel, connected, ENDLESS)
        limits = exchange.Limits(begin_seconds=20)
        exchange.awaited_politely(exchange.Exchange(begin, stdin, [hearing], io.StringIO(), limits))
        if stdin.stopping:
            raise InterruptedRunError("as it was told")
        while True:
            time.sleep(0.001)

    before = signal.signal(signal.SIGALRM, too_long)
    try:
        for _ in range(ROUNDS):
            signal.alarm(20)
            connected = connection.connect(settings(server), caller())
            with pytest.raises(InterruptedRunError), signals_raise(signal.SIGINT):
                listen()
            strike.struck()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
