"""The header Range: one range of bytes, anything else is ignored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.api.spool.ranges import ByteRange, parse_range

CONTENT = bytes(range(100))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"bytes=0-9", CONTENT[:10]),
        (b"bytes=90-", CONTENT[90:]),
        (b"bytes=-10", CONTENT[-10:]),
        (b"bytes=-262144", CONTENT),
        (b"bytes=50-262144", CONTENT[50:]),
        (b"bytes=99-99", CONTENT[99:]),
        (b"Bytes= 0-0", CONTENT[:1]),
    ],
)
def test_a_range_names_these_bytes(header: bytes, expected: bytes) -> None:
    requested = parse_range(header)
    assert requested is not None
    bounds = requested.within(len(CONTENT))
    assert bounds is not None
    assert CONTENT[slice(*bounds)] == expected


@pytest.mark.parametrize("header", [b"bytes=100-", b"bytes=100-200", b"bytes=-0", b"bytes=9999999999999999999999-"])
def test_a_range_beyond_the_end_names_no_byte(header: bytes) -> None:
    requested = parse_range(header)
    assert requested is not None
    assert requested.within(len(CONTENT)) is None


def test_no_range_names_a_byte_of_an_empty_answer() -> None:
    for requested in (ByteRange(0, None), ByteRange(0, 9), ByteRange(None, 5)):
        assert requested.within(0) is None


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"bytes=",
        b"bytes=-",
        b"bytes=9-0",
        b"bytes=a-b",
        b"bytes=0x1-2",
        b"bytes=1-2x",
        b"rows=0-9",
        b"bytes 0-9",
        b"bytes=0-9, 20-29",
        b"bytes=0-,0-,0-",
        b"bytes=\xb2-9",
        b"bytes=0-" + b"9" * 5_000,
        b"bytes=" + b"0-1," * 20_000,
    ],
)
def test_what_is_malformed_or_several_ranges_is_ignored(header: bytes) -> None:
    assert parse_range(header) is None


@given(st.binary(max_size=40))
def test_any_header_is_read_or_ignored(text: bytes) -> None:
    for header in (text, b"bytes=" + text):
        requested = parse_range(header)
        bounds = requested.within(10) if requested is not None else None
        assert bounds is None or 0 <= bounds[0] < bounds[1] <= 10
