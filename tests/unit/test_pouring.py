"""A report with files in it is taken apart alike, in whatever pieces it comes."""

from fabric_predeploy.remote.pouring import Poured
from hypothesis import given
from hypothesis import strategies as st

FENCE = "f" * 8
NOISE = b"motd raw 9\n"
FILES = [b"a\nffffffff raw 5\n", b"", b"\0\xff\n\n"]
PRINTED = NOISE + b"".join(b"\n%s raw %d\n%s" % (FENCE.encode(), len(each), each) for each in FILES)
END = f"{FENCE} end fetch\n"


@given(st.sets(st.integers(1, len(PRINTED) + len(END) - 1)))
def test_files_and_lines_are_told_apart_wherever_it_is_cut(cuts):
    poured, files = Poured(FENCE), [b"", b"", b""]
    whole, before = PRINTED + END.encode(), 0
    for cut in [*sorted(cuts), len(whole)]:
        for number, piece in poured.hear(whole[before:cut]):
            files[number - 1] += piece
        before = cut

    assert files == FILES
    assert poured.text.startswith(NOISE.decode())
    assert poured.text.endswith(END)
    assert poured.left == 0
