"""Workbooks are looked into without being parsed, whatever their state."""

from __future__ import annotations

import io
import random
import zipfile

import pytest

from aurum.pipelines.reading.workbook import first_bytes


def workbook(**parts: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def test_the_first_bytes_of_the_parts_it_has_are_returned() -> None:
    assert first_bytes(workbook(a=b"1234567", b=b"89"), ["a", "c", "b"], most=5) == [b"12345", b"89"]


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04", b"a,b\n1,2\n", b"\xd0\xcf\x11\xe0"])
def test_anything_else_has_none(content: bytes) -> None:
    assert first_bytes(content, ["a"], most=5) == []


def test_no_damage_raises() -> None:
    draw, whole = random.Random(1), workbook(a=b"1234567" * 100, b=b"89")
    for _ in range(2_000):
        damaged = bytearray(whole)
        for _ in range(draw.randint(1, 6)):
            damaged[draw.randrange(2, len(damaged))] = draw.randrange(256)
        if draw.random() < 0.3:
            del damaged[draw.randrange(2, len(damaged)) :]
        first_bytes(bytes(damaged), ["a", "b"], most=50)
