"""Pages of long answers: how the next one is requested, and how all of them become one file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit


def with_parameters(url: str, **parameters: object) -> str:
    """Return an address with some parameters of its query set, in place of those of the same name."""
    parts = urlsplit(url)
    others = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in parameters]
    query = urlencode([*others, *((name, str(value)) for name, value in parameters.items())], quote_via=quote, safe="[];:/")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


@dataclass(frozen=True, slots=True)
class CsvPages:
    """CSV with the same header on each page. ``start``: parameter with the 1-based number of the first row."""

    start: str
    count_parameter: str
    size: int

    def address(self, url: str, rows: int) -> str:
        return with_parameters(url, **{self.count_parameter: self.size, self.start: rows + 1})

    def count(self, part: bytes) -> int:
        return max(sum(1 for line in part.split(b"\n") if line.strip()) - 1, 0)

    def total(self, part: bytes) -> int | None:
        del part

    def join(self, parts: Sequence[bytes]) -> bytes:
        header, _, first = parts[0].partition(b"\n")
        bodies = [first]
        for number, part in enumerate(parts[1:], start=2):
            other, _, body = part.partition(b"\n")
            if other.strip() != header.strip():
                raise ValueError(f"page {number} has another header than the first")
            bodies.append(body)
        ended = (body if body.endswith(b"\n") or not body else body + b"\n" for body in bodies)
        return header + b"\n" + b"".join(ended)


@dataclass(frozen=True, slots=True)
class JsonPages:
    """JSON objects with a list of records. ``records``, ``total_at``: the names that lead to the list, and to their number.

    ``offset``: the parameter with the number of records before the page; ``length``: that with the most records of a page.
    """

    records: tuple[str, ...]
    total_at: tuple[str, ...]
    offset: str
    length: str
    size: int

    def address(self, url: str, rows: int) -> str:
        return with_parameters(url, **{self.offset: rows, self.length: self.size})

    def count(self, part: bytes) -> int:
        return len(self._list(json.loads(part)))

    def total(self, part: bytes) -> int | None:
        total = _at(json.loads(part), self.total_at)
        return int(total) if isinstance(total, int) or (isinstance(total, str) and total.isdecimal()) else None

    def join(self, parts: Sequence[bytes]) -> bytes:
        if len(parts) == 1:
            return parts[0]
        whole: object = json.loads(parts[0])
        for part in parts[1:]:
            self._list(whole).extend(self._list(json.loads(part)))
        return json.dumps(whole, ensure_ascii=False).encode()

    def _list(self, document: object) -> list[object]:
        records = _at(document, self.records)
        if not isinstance(records, list):
            raise ValueError(f"no list {'.'.join(self.records)!r}")
        return cast("list[object]", records)


def _at(document: object, names: tuple[str, ...]) -> object:
    for name in names:
        document = cast("dict[str, object]", document).get(name) if isinstance(document, dict) else None
    return document
