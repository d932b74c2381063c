"""Queries of ENTSO-E's web service: one for each area and local day of the area, answered with a market document.

Source: ENTSO-E, "Transparency Platform RESTful API user guide" (https://transparency.entsoe.eu/content/static_content/Static%20
content/web%20api/Guide.html): the address, ``securityToken``, ``documentType``, ``processType``, the domains of each data item
(4.1 to 4.4), ``periodStart`` and ``periodEnd`` as ``yyyyMMddHHmm`` in UTC; the acknowledgement with code 999 where no data
match. Rate: "API Rate Limit", Transparency Platform knowledge base.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from aurum.core.markettime import day_bounds
from aurum.pipelines.paging import with_parameters
from aurum.pipelines.public_files import Content, Credential, Politeness, Problem, PublicFiles, Query, Request, Wanted
from aurum.pipelines.sources.entsoe.codes import AREAS, TRADING_DAY, Area

HOST = "web-api.tp.entsoe.eu"
MANUAL = (
    "ENTSO-E, Transparency Platform RESTful API user guide, "
    "https://transparency.entsoe.eu/content/static_content/Static%20content/web%20api/Guide.html"
)

TOKEN = Credential(
    name="entsoe",
    setting="AURUM_FETCH__ENTSOE_TOKEN",
    where="https://transparency.entsoe.eu (My Account Settings, Web API Security Token, after ENTSO-E grants access)",
    parameter="securityToken",
)

POLITENESS = (
    Politeness(
        HOST, 60 / 400, "ENTSO-E, Transparency Platform knowledge base, API Rate Limit: 400 requests a minute for each token"
    ),
)

ZONES = (
    "10YAT-APG------L",
    "10YBE----------2",
    "10YCA-BULGARIA-R",
    "10YCH-SWISSGRIDZ",
    "10YCZ-CEPS-----N",
    "10Y1001A1001A82H",
    "10YDK-1--------W",
    "10YDK-2--------M",
    "10Y1001A1001A39I",
    "10YES-REE------0",
    "10YFI-1--------U",
    "10YFR-RTE------C",
    "10YGR-HTSO-----Y",
    "10YHR-HEP------M",
    "10YHU-MAVIR----U",
    "10Y1001A1001A59C",
    "10Y1001A1001A73I",
    "10Y1001A1001A70O",
    "10Y1001A1001A71M",
    "10Y1001A1001A788",
    "10Y1001C--00096J",
    "10Y1001A1001A75E",
    "10Y1001A1001A74G",
    "10YLT-1001A0008Q",
    "10YLV-1001A00074",
    "10YNL----------L",
    "10YNO-1--------2",
    "10YNO-2--------T",
    "10YNO-3--------J",
    "10YNO-4--------9",
    "10Y1001A1001A48H",
    "10YPL-AREA-----S",
    "10YPT-REN------W",
    "10YRO-TEL------P",
    "10YCS-SERBIATSOV",
    "10Y1001A1001A44P",
    "10Y1001A1001A45N",
    "10Y1001A1001A46L",
    "10Y1001A1001A47J",
    "10YSI-ELES-----O",
    "10YSK-SEPS-----K",
    "10YMK-MEPSO----8",
    "10YCS-CG-TSO---S",
)
"""The bidding zones of today that are fetched; ``AURUM_FETCH__PARTS`` names others, by their code."""

_NO_DATA = "999"
_ROOT = re.compile(rb"<(?:\w+:)?Acknowledgement_MarketDocument[\s>]")
_CODE = re.compile(rb"<(?:\w+:)?code>\s*([^<]*?)\s*</")
_TEXT = re.compile(rb"<(?:\w+:)?text>\s*([^<]*?)\s*</")


def problem(content: bytes) -> Problem | None:
    """Return the reason of an acknowledgement, which the platform sends in place of a document; None for other content.

    Code 999 stands for "No matching data found", and for other reasons too, which the text tells.
    """
    if not _ROOT.search(content):
        return None
    code, text = _CODE.search(content), _TEXT.search(content)
    reason = text[1].decode("utf-8", "replace") if text else "no reason"
    is_absent = code is not None and code[1].decode() == _NO_DATA and "no matching data" in reason.lower()
    return Problem(reason, is_absent=is_absent)


def _document(*, by_trading_day: bool = False, **parameters: str) -> Callable[[Wanted], Sequence[Request]]:
    """Return the function from an area and its local day to a request; ``AREA`` in a value stands for the area."""

    def requests(wanted: Wanted) -> list[Request]:
        area = AREAS.get(wanted.part, Area("", "UTC", TRADING_DAY))
        start, end = _period(wanted.first, wanted.last, area.trading if by_trading_day else area.civil)
        chosen = {name.replace("__", "."): value.replace("AREA", wanted.part) for name, value in parameters.items()}
        url = with_parameters(f"https://{HOST}/api", **chosen, periodStart=start, periodEnd=end)
        return [Request(url, name=f"{wanted.part}.xml")]

    return requests


def _period(first: date, last: date, zone: str) -> tuple[str, str]:
    begin, end = day_bounds(first, zone)[0], day_bounds(last, zone)[1]
    return f"{begin:%Y%m%d%H%M}", f"{end:%Y%m%d%H%M}"


def _files(requests: Callable[[Wanted], Sequence[Request]]) -> PublicFiles:
    query = Query(requests, parts=ZONES, longest_days=1)
    return PublicFiles(query=query, manual=MANUAL, needs=TOKEN, content=Content.XML, problem=problem)


def _prices(contract: str) -> PublicFiles:
    return _files(
        _document(
            by_trading_day=True,
            documentType="A44",
            contract_MarketAgreement__type=contract,
            in_Domain="AREA",
            out_Domain="AREA",
        )
    )


def _forecast(process: str) -> PublicFiles:
    return _files(_document(documentType="A69", processType=process, in_Domain="AREA"))


FILES: Mapping[str, PublicFiles] = {
    "day_ahead_prices": _prices("A01"),
    "intraday_auction_prices": _prices("A07"),
    "load": _files(_document(documentType="A65", processType="A16", outBiddingZone_Domain="AREA")),
    "load_forecast": _files(_document(documentType="A65", processType="A01", outBiddingZone_Domain="AREA")),
    "generation": _files(_document(documentType="A75", processType="A16", in_Domain="AREA")),
    "wind_solar_forecast": _forecast("A01"),
    "wind_solar_forecast_intraday": _forecast("A40"),
    "wind_solar_forecast_current": _forecast("A18"),
}
