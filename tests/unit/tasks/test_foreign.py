"""Files that people bring to `restore --file=`, and what they are told of each."""

import bz2
import gzip
import io
import lzma
import tarfile

import pytest
from fabric_predeploy.tasks._restore.foreign import explained

SQL = b"--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n"


def tar_of(**files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("__", "."))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


FILES = {
    "x.sql": (SQL, "is SQL as text", "psql --single-transaction"),
    "bom.sql": (b"\xef\xbb\xbfCREATE TABLE x ();\n", "is SQL as text", "--file="),
    "lower.sql": (b"\n\nbegin;\ncreate table x ();", "is SQL as text", "createdb"),
    "all.sql": (b"\\restrict x\nSET x = 1;", "is SQL as text", "createdb"),
    "x.sql.gz": (gzip.compress(SQL), "is SQL as text, packed with gzip", "gunzip"),
    "large.sql.gz": (
        gzip.compress(SQL + bytes(range(48, 90)) * 90_000),
        "is SQL as text",
        "gunzip",
    ),
    "x.dump.gz": (gzip.compress(b"PGDMP\1\x0f"), "packed with gzip once more", "gunzip"),
    "odd.gz": (b"\x1f\x8bnothing", "is packed with gzip", "gunzip"),
    "x.sql.bz2": (bz2.compress(SQL), "is packed with bzip2", "bunzip2"),
    "x.sql.xz": (lzma.compress(SQL), "is packed with xz", "unxz"),
    "x.sql.zst": (b"\x28\xb5\x2f\xfdxxxx", "is packed with zstd", "zstd"),
    "x.tar": (tar_of(toc__dat=b"PGDMP", restore__sql=SQL), "--format=tar", "pg_restore"),
    "base.tar": (tar_of(PG_VERSION=b"15\n"), "backup of a whole server", "pg_dump"),
    "other.tar": (tar_of(readme=b"x"), "no archive of pg_dump is", "unpack it"),
    "x.zip": (b"PK\x03\x04xxxx", "is a ZIP file", "unpack it"),
    "x.age": (b"age-encryption.org/v1\n", "encrypted with age", "decrypt it first"),
    "x.db": (b"SQLite format 3\0", "of SQLite, not of PostgreSQL", "choose another"),
    "empty": (b"", "is empty", "choose one"),
    "noise": (bytes(range(256)) * 9, "is no archive of pg_dump", "choose one from history"),
    "binary.sql": (b"-- \0\0", "is no archive of pg_dump", "choose one from history"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_kind_is_named_with_what_to_do(tmp_path, name):
    content, what, remedy = FILES[name]
    (tmp_path / name).write_bytes(content)
    told = explained(tmp_path / name)
    assert what in told[0]
    assert remedy in told[1]


def test_a_directory_archive_is_told_from_a_directory(tmp_path):
    assert explained(tmp_path)[0] == "is a directory"
    (tmp_path / "toc.dat").write_bytes(b"PGDMP")
    what, remedy = explained(tmp_path)
    assert what == "is an archive of pg_dump --format=directory"
    assert "pg_restore" in remedy
