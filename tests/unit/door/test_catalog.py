"""The catalog as the host prints it, and the archive that `--file` means."""

from collections.abc import Iterable
from datetime import datetime, timezone
from types import MappingProxyType

import pytest
from fabric_predeploy.config.errors import RefusedError
from fabric_predeploy.remote.catalog import GRADES, Archive, Catalog, find, parse
from hypothesis import given
from hypothesis import strategies as st

Lines = list[tuple[str, str]]

NAME = "pricehawk-pre-deploy-v1.0.0-20250314-123456.dump"
MANIFEST = MappingProxyType(
    {
        "format": "1",
        "project": "pricehawk",
        "label": "pre-deploy",
        "version": "v1.0.0",
        "database": "shop",
        "db_host": "localhost",
        "created": "2025-03-14T12:34:56Z",
        "server_version": "15.18",
        "bytes": "20",
        "sha256": "ab" * 32,
        "proof": "read",
    }
)
NEEDED = sorted(set(MANIFEST) - {"db_host", "server_version"} | {"present_bytes"})


def printed(name: str = NAME, without: str = "", **changes: str) -> Lines:
    manifest = {**MANIFEST, "present_bytes": "20", **changes}
    return [("archive", name), *((key, manifest[key]) for key in manifest if key != without)]


def version(number: str, created: str, **changes: str) -> Lines:
    name = f"pricehawk-pre-deploy-{number}-{created.translate({45: '', 58: ''})}.dump"
    return printed(name, version=number, created=f"{created}T12:00:00Z", **changes)


def only(lines: Iterable[tuple[str, str]]) -> Archive:
    [archive] = parse(lines).archives
    return archive


def refusal(catalog: Catalog, wanted: str) -> str:
    with pytest.raises(RefusedError) as caught:
        find(catalog, wanted)
    assert caught.value.code == 14
    return caught.value.what


def test_an_archive_is_what_its_manifest_says() -> None:
    assert only(printed()) == Archive(
        name=NAME,
        project="pricehawk",
        label="pre-deploy",
        version="v1.0.0",
        database="shop",
        created=datetime(2025, 3, 14, 12, 34, 56, tzinfo=timezone.utc),
        bytes=20,
        present_bytes=20,
        sha256="ab" * 32,
        proof="read",
        pinned=False,
        facts={"db_host": "localhost", "server_version": "15.18"},
    )


def test_a_key_that_a_later_version_adds_is_kept_as_printed() -> None:
    assert only(printed(drill="a=b = c")).facts["drill"] == "a=b = c"


def test_warnings_and_missing_things_are_kept_in_order() -> None:
    archive = only([*printed(warning="a"), ("warning", "b"), ("missing", "c")])
    assert archive.warnings == ("a", "b")
    assert archive.missing == ("c",)
    assert {"warning", "missing", "proof"}.isdisjoint(archive.facts)


def test_a_record_that_says_a_thing_twice_is_not_readable() -> None:
    twice = [*printed(proof="written"), ("proof", "read")]
    assert parse(twice).archives == ()
    assert len(parse(twice).unreadable) == 1


@pytest.mark.parametrize("number", ["", "abc", "1.5", "9" * 30])
def test_a_record_whose_number_is_none_is_not_readable(
    number: str,
) -> None:
    assert len(parse(printed(dump_seconds=number)).unreadable) == 1


def test_lines_before_the_first_archive_belong_to_no_archive() -> None:
    catalog = parse([("now", "2025-03-14T12:34:56Z"), *printed(proof="written")])
    assert [archive.facts.get("now") for archive in catalog.archives] == [None]
    assert parse([("proof", "read")]) == Catalog(())


def test_archives_are_ordered_by_the_time_they_were_taken_and_not_by_version_or_name() -> None:
    older = version("v1.9", "2025-03-01")
    newer = version("v1.10", "2025-03-02")
    for lines in (older + newer, newer + older):
        assert [each.version for each in parse(lines).archives] == ["v1.9", "v1.10"]


def test_archives_of_the_same_second_are_ordered_by_name() -> None:
    lines = printed("b.dump") + printed("a.dump") + printed("c.dump")
    assert [each.name for each in parse(lines).archives] == ["a.dump", "b.dump", "c.dump"]


@pytest.mark.parametrize("key", NEEDED)
def test_an_archive_that_lacks_a_needed_key_is_left_out_and_named(key: str) -> None:
    catalog = parse(printed(without=key) + printed("good.dump"))
    assert [archive.name for archive in catalog.archives] == ["good.dump"]
    assert catalog.unreadable == (NAME,)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((key, "") for key in NEEDED),
        ("format", "2"),
        ("bytes", "-1"),
        ("bytes", "1_000"),
        ("bytes", " 20"),
        ("bytes", "9" * 5000 + "x"),
        ("present_bytes", "٢٠"),
        ("created", "2025-03-14 12:34:56"),
        ("created", "2025-03-14T12:34:56+01:00"),
        ("created", "2025-02-30T12:34:56Z"),
        ("created", "٢٠٢٥-03-14T12:34:56Z"),
        ("created", "0000-01-01T00:00:00Z"),
        ("sha256", "ab" * 31),
        ("sha256", "AB" * 32),
        ("pinned", "perhaps"),
        ("shrunk", "perhaps"),
    ],
)
def test_an_archive_with_a_value_that_cannot_be_read_is_left_out_and_named(
    key: str, value: str
) -> None:
    assert parse(printed(**{key: value})) == Catalog((), (NAME,))


@pytest.mark.parametrize(
    "name",
    ["", ".dump", "-x.dump", "../x.dump", "a/b.dump", "a b.dump", "a;b.dump", "a.dump.sha256", "a"],
)
def test_a_file_name_that_we_would_not_have_given_is_left_out_and_named(name: str) -> None:
    assert parse(printed(name)) == Catalog((), (name,))


def test_a_name_with_a_line_end_is_not_ours() -> None:
    assert parse(printed("a.dump\n")).archives == ()


def test_a_name_that_occurs_twice_is_left_out_and_named_once() -> None:
    catalog = parse(printed("a.dump") + printed("b.dump") + printed("a.dump", proof="written"))
    assert [archive.name for archive in catalog.archives] == ["b.dump"]
    assert catalog.unreadable == ("a.dump",)


def test_a_pin_is_read() -> None:
    assert only(printed(pinned="yes")).pinned
    assert not only(printed(pinned="no")).pinned


def test_one_that_has_shrunk_says_so() -> None:
    assert only(printed(shrunk="yes")).shrunk
    assert not only(printed(shrunk="no")).shrunk
    assert not only(printed(shrink_accepted="ci@runner")).shrunk


def test_an_archive_of_another_size_than_it_was_written_with_is_not_proven() -> None:
    assert only(printed()).intact
    for size in ("19", "21"):
        damaged = only(printed(present_bytes=size))
        assert not damaged.intact
        assert not damaged.at_least("written")


def test_a_grade_includes_those_below_it() -> None:
    for rank, grade in enumerate(GRADES):
        archive = only(printed(proof=grade))
        assert [archive.at_least(each) for each in GRADES] == [
            each <= rank for each in range(len(GRADES))
        ]


def test_a_grade_that_we_do_not_know_proves_nothing() -> None:
    assert not only(printed(proof="sworn")).at_least(GRADES[0])


def test_a_demand_for_a_grade_that_we_do_not_know_is_a_bug() -> None:
    with pytest.raises(ValueError, match="not in"):
        only(printed()).at_least("sworn")


def test_archives_of_another_project_label_or_database_are_another_group() -> None:
    changes: list[dict[str, str]] = [{}, {"project": "x"}, {"label": "x"}, {"database": "x"}]
    assert len({only(printed(**change)).group for change in changes}) == 4
    assert only(printed(version="x")).group == only(printed()).group


def test_an_archive_can_be_a_member_of_a_set() -> None:
    assert len({only(printed()), only(printed())}) == 1


values = st.sampled_from([*MANIFEST.values(), "", "=", "yes", "99999-01-01T00:00:00Z", "٣"])
keys = st.sampled_from(["archive", "present_bytes", "pinned", "warning", *MANIFEST])
noise = st.lists(st.tuples(keys, st.one_of(values, st.text(), st.just(NAME))))


@given(noise, noise)
def test_whatever_is_printed_each_name_is_either_an_archive_or_unreadable(
    before: Lines, after: Lines
) -> None:
    lines = [*before, *printed(), *after]
    catalog = parse(lines)
    names = [archive.name for archive in catalog.archives] + list(catalog.unreadable)
    assert sorted(names) == sorted({value for key, value in lines if key == "archive"})


RELEASES = parse(
    version("v1.9", "2025-03-01")
    + version("v1.10", "2025-03-03")
    + version("v1.1", "2025-03-02")
    + version("v2.0", "2025-03-04")
    + version("v2.0", "2025-03-05")
)


def test_latest_is_the_newest_one_taken() -> None:
    assert find(RELEASES, "latest").created.day == 5
    assert find(Catalog(RELEASES.archives[::-1]), "latest").created.day == 5


def test_an_archive_is_found_by_its_file_name_with_or_without_the_ending() -> None:
    catalog = parse(printed("a-20250314-123456.dump") + printed("a-20250314-123456-2.dump"))
    for wanted in ("a-20250314-123456.dump", "a-20250314-123456"):
        assert find(catalog, wanted).name == "a-20250314-123456.dump"


def test_an_archive_is_found_by_a_part_of_its_name_that_no_other_has() -> None:
    assert find(RELEASES, "20250301").version == "v1.9"
    assert find(RELEASES, "v1.9-").version == "v1.9"


def test_a_whole_version_beats_a_part_of_a_name() -> None:
    assert find(RELEASES, "v1.1").version == "v1.1"


def test_a_part_of_several_names_is_refused_with_the_candidates_newest_first() -> None:
    message = refusal(RELEASES, "v1.")
    assert message.startswith("3 archives match 'v1.'")
    assert message.index("v1.10-20250303") < message.index("v1.1-20250302")
    assert message.index("v1.1-20250302") < message.index("v1.9-20250301")
    assert "v2.0" not in message


def test_a_version_with_several_archives_is_refused_with_just_those() -> None:
    message = refusal(RELEASES, "v2.0")
    assert message.startswith("2 archives match")
    assert "v2.0-20250304.dump" in message
    assert "v2.0-20250305.dump" in message
    assert "v1." not in message


def test_a_name_that_is_not_there_is_refused_with_what_is_there() -> None:
    message = refusal(RELEASES, "v3")
    assert message.startswith("No archive matches 'v3'")
    assert all(archive.name in message for archive in RELEASES.archives)


def test_no_more_than_ten_names_are_listed() -> None:
    many = parse([line for number in range(13) for line in printed(f"a{number:02}.dump")])
    assert "more" not in refusal(Catalog(many.archives[:10]), "v3")
    message = refusal(many, "v3")
    assert message.count(".dump") == 10
    assert "a12.dump, a11.dump" in message
    assert "a03.dump and 3 more" in message


def test_an_empty_name_is_refused_even_if_there_is_only_one_archive() -> None:
    assert NAME in refusal(parse(printed()), "")


def test_an_archive_whose_manifest_is_not_readable_is_refused_and_the_message_says_so() -> None:
    message = refusal(parse(printed(without="sha256")), NAME)
    assert message.endswith(f"There are none. Left out, as their manifest is not readable: {NAME}.")


def test_latest_of_nothing_is_refused() -> None:
    assert refusal(Catalog(()), "latest") == "No archive matches 'latest'. There are none."
