"""Reads the name that OASIS gives an answer: ``<from>_<to>_<query>_<run>[_<item>][_<YYYYMMDD>_<HH>_<MM>_<SS>]_v<n>.csv``.

``from`` and ``to`` are trading days, the second one excluded, or included in answers that end on it. The query tells reports of
one layout apart: ``PRC_SPTIE_LMP``, ``PRC_INTVL_LMP``, ``PRC_RTPD_LMP`` and ``PRC_HASP_LMP`` have the columns of ``PRC_LMP``.
"""

from __future__ import annotations

import re

from aurum.pipelines.named_content import days_in_name
from aurum.pipelines.source import SourceFile
from aurum.pipelines.sources.caiso.datasets import ZONE

_ANSWER = re.compile(r"^\d{8}_\d{8}_(?P<words>[A-Z][A-Z0-9_]*?)(?:_\d{8}_\d\d_\d\d_\d\d)?_v\d+\.(?:csv|xml)$", re.IGNORECASE)
_ITEM = r"(?:_(?:LMP|MCC|MCE|MCL|MGHG))?"

named = days_in_name(r"^(?P<first>\d{8})_(?P<last>\d{8})_[A-Za-z][A-Za-z0-9_]*_v\d+\.(?:csv|xml)$", ZONE)


def words_of_answer(document: SourceFile) -> str:
    """Return query, run and item in the name of an answer, in capitals; empty when OASIS has not given the name."""
    match = _ANSWER.match(document.name)
    return match["words"].upper() if match is not None else ""


def names_query(words: str, query: str, runs: set[str]) -> bool:
    """Return whether the words of a name are those of a query and one of the runs."""
    return re.fullmatch(rf"{query}_(?:{'|'.join(sorted(runs))}){_ITEM}", words) is not None
