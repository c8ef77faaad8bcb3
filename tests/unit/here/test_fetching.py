"""What comes from a host is never more than what it has told, and what was proven."""

import hashlib
import io

import pytest
from fabric_predeploy.config.errors import UnprovenError
from fabric_predeploy.remote._door import shell
from fabric_predeploy.remote.catalog import parse
from fabric_predeploy.remote.here import fetching
from fabric_predeploy.remote.here.fetching import MOST_MANIFEST_BYTES, fetch

FENCE = "f" * 32
DUMP = b"PGDMP of yesterday"
NAME = "pricehawk-pre-deploy-v1-20250314-123456.dump"
RESULT = f"\n{FENCE} begin result\ncode=0\n{FENCE} end result\n".encode()


def raw(announced, data=b""):
    return f"\n{FENCE} raw {announced}\n".encode() + data


class Printing:
    """A host that prints that, and is asked for no more than is taken."""

    run_seconds, begin_seconds, exit_code = None, 30, None

    def __init__(self, *chunks):
        self.chunks = iter(chunk for each in chunks for chunk in pieces(each))
        self.given = 0

    def begin(self, _command):
        return self

    def receive(self, _seconds):
        chunk = next(self.chunks, b"")
        self.given += len(chunk)
        if not chunk:
            self.exit_code = 0
        return chunk, b""

    @property
    def has_ended(self):
        return self.exit_code is not None

    def send(self, data):
        return len(data)

    def end_input(self):
        pass

    def close(self):
        pass

    def ask(self):
        pass

    def is_lost(self):
        return False


def pieces(each):
    return [each] if isinstance(each, bytes) else each


def endless(chunk):
    while True:
        yield chunk


@pytest.fixture(autouse=True)
def _fence(monkeypatch):
    monkeypatch.setattr(shell.secrets, "token_hex", lambda *_: FENCE)


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "check_room", lambda *_: None)

    def fetching_from(*chunks):
        facts = {
            "archive": NAME,
            "format": "1",
            "project": "pricehawk",
            "label": "pre-deploy",
            "version": "v1",
            "database": "shop",
            "created": "2025-03-14T12:34:56Z",
            "bytes": str(len(DUMP)),
            "present_bytes": str(len(DUMP)),
            "sha256": hashlib.sha256(DUMP).hexdigest(),
            "proof": "read",
        }
        (archive,) = parse(facts.items()).archives
        fetching_from.host = Printing(*chunks)
        return fetch(
            fetching_from.host,
            archive,
            tmp_path,
            variables={"task": "verify", "backup_dir": "/backups", "keeps_status": ""},
            patience=0,
            follow=lambda *_: None,
            log=io.StringIO(),
        )

    return fetching_from


def test_what_was_told_arrives(fetched, tmp_path):
    report = fetched(raw(7, b"format="), raw(len(DUMP), DUMP), RESULT)

    assert report.code == 0
    assert (tmp_path / NAME).read_bytes() == DUMP


def test_a_byte_that_arrives_as_another_is_13_and_gets_no_name(fetched, tmp_path):
    with pytest.raises(UnprovenError, match="did not arrive as it was dumped"):
        fetched(raw(7, b"format="), raw(len(DUMP), DUMP.swapcase()), RESULT)

    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize(
    "announced", ["-5", "", "1e9", "+5", " 5", "0x10", "5 5", "9" * 16, "9" * 5000, "\x1b[2J", "٣"]
)
def test_a_number_of_bytes_that_is_none_is_13_and_shown_without_harm(fetched, announced):
    with pytest.raises(UnprovenError, match="where at most 16777216 were asked for") as raised:
        fetched(raw(announced, b"x" * 100), RESULT)

    assert "\x1b" not in raised.value.message
    assert len(raised.value.message) < 400


@pytest.mark.parametrize("announced", [len(DUMP) + 1, 99_999_999_999_999])
def test_a_dump_that_is_larger_than_it_was_told_is_13_and_nothing_beyond_is_kept(
    fetched, tmp_path, announced
):
    with pytest.raises(UnprovenError, match="where at most 18 were asked for"):
        fetched(raw(1, b"x"), raw(announced), endless(b"x" * 10))

    assert (tmp_path / "incoming").stat().st_size <= len(DUMP)
    assert not (tmp_path / NAME).exists()


def test_a_manifest_without_end_is_13_before_it_takes_much_memory(fetched):
    with pytest.raises(UnprovenError, match="where at most 16777216 were asked for"):
        fetched(raw(99_999_999_999_999), endless(b"x" * 65_536))

    assert fetched.host.given < MOST_MANIFEST_BYTES + 100_000, "and no more was read"


@pytest.mark.parametrize("extra", [b"", b"x"])
def test_a_third_file_is_13_unless_it_is_empty(fetched, extra):
    stream = (raw(1, b"x"), raw(len(DUMP), DUMP), raw(len(extra), extra), RESULT)
    if not extra:
        assert fetched(*stream).code == 0
        return
    with pytest.raises(UnprovenError, match="where at most 0 were asked for"):
        fetched(*stream)
