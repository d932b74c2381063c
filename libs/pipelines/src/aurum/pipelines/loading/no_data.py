"""Recognises files without data by their names: read-me files, licences, checksums, leftovers of file managers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

_NAMES = re.compile(
    r"""
    \..*                                                # hidden: .DS_Store, ._prices.csv of macOS
    | __MACOSX
    | (?:readme|manifest|license|licence|changelog|notice|copying)(?:[._ -].*)?
    | .*\.(?:md|markdown|rst)
    | thumbs\.db | ehthumbs\.db | desktop\.ini
    | .*\.(?:md5|sha1|sha224|sha256|sha384|sha512|crc|crc32|sfv|sig)
    | (?:md5|sha1|sha224|sha256|sha384|sha512)sums?(?:\.txt)?
    | checksums?(?:\..*)?
    """,
    re.IGNORECASE | re.VERBOSE,
)


class Named(Protocol):
    """A file or member of an archive with its name."""

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not read, because its name says that it holds no data."""

    name: str
    content: bytes = b""


def is_no_data(name: str) -> bool:
    """Return whether the base name of a file, or of a folder, says that it holds no data."""
    return _NAMES.fullmatch(name) is not None


def skip_no_data(file_name: str, members: Iterable[N]) -> Iterator[N | Skipped]:
    """Yield the members of a file, with ``Skipped`` for those that hold no data.

    A file that is not an archive, and the content of a .gz file, have the name that the caller chose: they are not skipped.
    """
    for member in members:
        is_whole_file = member.name in (file_name, file_name.removesuffix(".gz"))
        yield Skipped(member.name) if not is_whole_file and is_no_data(member.name) else member
