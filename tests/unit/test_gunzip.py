"""Gzip in pieces: whatever way it is cut, members and padding included."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkgsync.gunzip import gunzip

TEXT = b"line\n" * 100_000
PACKED = gzip.compress(TEXT)


@given(
    texts=st.lists(st.binary(max_size=100), min_size=1, max_size=3), zeros=st.integers(0, 3), size=st.integers(1, 80)
)
def test_however_it_is_cut(texts: list[bytes], zeros: int, size: int) -> None:
    data = b"".join(gzip.compress(text) + bytes(zeros) for text in texts)
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    assert b"".join(gunzip(parts)) == b"".join(texts)


def test_no_piece_is_large() -> None:
    pieces = list(gunzip([gzip.compress(bytes(10_000_000))]))
    assert max(map(len, pieces)) <= 256 * 1024
    assert sum(map(len, pieces)) == 10_000_000


@pytest.mark.parametrize("parts", [[], [b""], [PACKED[:-1]], [PACKED, PACKED[:20]], [PACKED[:5]]])
def test_what_ends_too_early(parts: list[bytes]) -> None:
    with pytest.raises(EOFError):
        list(gunzip(parts))


@pytest.mark.parametrize("parts", [[TEXT], [PACKED + b"more"], [PACKED, b"\0\0more"], [PACKED[:-8], bytes(8)]])
def test_what_is_no_gzip(parts: list[bytes]) -> None:
    with pytest.raises(zlib.error):
        list(gunzip(parts))
