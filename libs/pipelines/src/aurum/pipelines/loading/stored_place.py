"""Finds the place of a number in stored files, which a child process parses."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms
from aurum.core.lineage import FileToSearch, Place, PlaceState, SoughtQuote
from aurum.pipelines.loading.isolated import IsolatedFiles
from aurum.pipelines.quality.raw_files import RawFileMissing, RawFiles

_AGAIN = "load the file again with --force"


def find_places(
    raw_files: RawFiles, isolated: IsolatedFiles, wanted: Sequence[FileToSearch], terms: ReadingTerms = SHIPPED_TERMS
) -> Sequence[Place]:
    """Return the place of one number in each of some stored files, in their order. Raises ``Unavailable``.

    Once a file has the stored number, the others are not searched. A content that was loaded twice is parsed once.
    ``terms``: what the store says of labels.
    """
    places: list[Place] = []
    by_content: dict[tuple[str, str, str], Place] = {}
    for one in wanted:
        if any(place.verified for place in places):
            places.append(Place(PlaceState.NOT_REQUESTED, "another of its files has the number"))
            continue
        content = (one.digest, one.name, one.archive)
        if content not in by_content:
            by_content[content] = find_place(raw_files, isolated, one, terms)
        places.append(by_content[content])
    return places


def find_place(
    raw_files: RawFiles, isolated: IsolatedFiles, wanted: FileToSearch, terms: ReadingTerms = SHIPPED_TERMS
) -> Place:
    """Return the place of a number in a stored file, which a child process parses. Raises ``Unavailable``.

    ``terms``: what the store says of labels.
    """
    try:
        document = raw_files.get(wanted.digest, name=wanted.name, archive=wanted.archive)
    except RawFileMissing as error:
        if error.facts["is_damaged"]:
            return Place(PlaceState.DAMAGED, f"the stored copy of the file cannot be unpacked: {_AGAIN}")
        why = raw_files.why_missing(loaded_at=wanted.loaded_at, has_quotes=isinstance(wanted.sought, SoughtQuote))
        return Place(PlaceState.NOT_STORED, f"this machine has no copy of the file: {why}")
    if hashlib.sha256(document.content).hexdigest() != wanted.digest:
        return Place(PlaceState.DAMAGED, f"the stored copy has another digest than its file had: {_AGAIN}")
    return isolated.locate(document, wanted, terms)
