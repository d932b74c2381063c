"""Files beside data that are plainly none, by their names: read-me files, licences, checksums, leftovers of file managers."""

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
    @property
    def name(self) -> str: ...


D = TypeVar("D", bound=Named)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not tried, because its name says that it holds no data."""

    name: str
    content: bytes = b""


def is_no_data(name: str) -> bool:
    """Return whether the base name of a file, or of a folder, says that it holds no data."""
    return _NAMES.fullmatch(name) is not None


def skip_no_data(archive: str, members: Iterable[D]) -> Iterator[D | Skipped]:
    """Yield the members of a file, with ``Skipped`` for those that hold no data; never for the file that the caller named."""
    for member in members:
        named = member.name in (archive, archive.removesuffix(".gz"))
        yield Skipped(member.name) if not named and is_no_data(member.name) else member
