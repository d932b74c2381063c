"""``Acknowledgement_MarketDocument``: the platform's message that it has no data. It is always refused, with its reason."""

from __future__ import annotations

from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.entsoe.market_document import root_name
from aurum.pipelines.xmltree import read_xml, text_at

_ROOT = "Acknowledgement_MarketDocument"


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    reasons = [reason for element in read_xml(document).iter("{*}Reason") if (reason := text_at(element, "text"))]
    raise RefusedFile(f"ENTSO-E sent no data: {'; '.join(reasons) or 'no reason given'}")


FORMAT = FileFormat(
    name="ENTSO-E acknowledgement",
    datasets=(),
    recognise=lambda document: root_name(document) == _ROOT,
    parse=_parse,
)
