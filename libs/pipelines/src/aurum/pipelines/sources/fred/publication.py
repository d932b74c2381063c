"""Usual publication times of FRED's series, which are those of the agencies that FRED copies.

FRED shows a release minutes to hours after its agency. A series that is not listed has no rule: it is known when it was taken
in, or from the day its vintage begins.
"""

from __future__ import annotations

from datetime import time

from aurum.core.calendars import BusinessDays
from aurum.core.publication import Evidence, Moment, OnDay, OnMonth, PublicationRule

_CLOCK = "America/New_York"
_MONDAY, _WEDNESDAY, _THURSDAY = 1, 3, 4
_NEXT_BUSINESS_DAY = OnDay(days=1, at=time(16, 15), zone=_CLOCK, business_days=BusinessDays.US_FEDERAL)


def _next(weekday: int, at: time, *, days: int = 0, business_days: BusinessDays | None = None) -> OnDay:
    return OnDay(days=days, at=at, zone=_CLOCK, weekday=weekday, business_days=business_days)


def _next_month(day: int, at: time) -> OnMonth:
    return OnMonth(months=1, day=day, at=at, zone=_CLOCK, business_days=BusinessDays.US_FEDERAL)


def _documented(moment: Moment, source: str, *ids: str) -> PublicationRule:
    return PublicationRule(moment, source, Evidence.DOCUMENTED, locations=ids)


def _assumed(moment: Moment, source: str, *ids: str) -> PublicationRule:
    return PublicationRule(moment, source, Evidence.ASSUMED, locations=ids)


RULES = (
    _documented(
        _NEXT_BUSINESS_DAY,
        "Federal Reserve, H.15 Selected Interest Rates: posted Monday to Friday at 4:15 p.m. with the rates of the day before",
        *("DFF", "DGS1", "DGS2", "DGS5", "DGS10", "DGS30", "FF", "WGS1YR", "WGS2YR", "WGS5YR", "WGS10YR", "WGS30YR"),
    ),
    _documented(
        OnDay(days=1, at=time(8), zone=_CLOCK, business_days=BusinessDays.US_TREASURY),
        "Federal Reserve Bank of New York, Secured Overnight Financing Rate Data: published on the next business day at "
        "approximately 8:00 a.m. ET",
        "SOFR",
    ),
    _documented(
        _next(_MONDAY, time(16, 15), business_days=BusinessDays.US_FEDERAL),
        "Federal Reserve, H.10 Foreign Exchange Rates: released on Mondays at 4:15 p.m. with the rates of the week before",
        *("DEXUSEU", "DEXUSUK", "DEXCAUS"),
    ),
    _documented(
        _next(_THURSDAY, time(16, 30), business_days=BusinessDays.US_FEDERAL),
        "Federal Reserve, H.4.1 Factors Affecting Reserve Balances: released on Thursdays at 4:30 p.m.",
        *("WALCL", "WSHOTSL", "WSHOMCB", "TREAST", "WLCFLPCL", "WRESBAL", "WTREGEN", "WCURCIR"),
    ),
    _documented(
        _next(_THURSDAY, time(8, 30)),
        "US Department of Labor, Unemployment Insurance Weekly Claims: released on Thursdays at 8:30 a.m.",
        *("ICSA", "ICNSA"),
    ),
    _documented(
        _next(_THURSDAY, time(8, 30), days=7),
        "US Department of Labor, Unemployment Insurance Weekly Claims: continued claims are a week behind the initial ones",
        *("CCSA", "CCNSA"),
    ),
    _documented(
        _next(_WEDNESDAY, time(8, 30)),
        "Federal Reserve Bank of Chicago, National Financial Conditions Index: released on Wednesdays at 8:30 a.m. ET",
        *("NFCI", "ANFCI"),
    ),
    _documented(
        OnDay(days=0, at=time(12), zone=_CLOCK),
        "Freddie Mac, Primary Mortgage Market Survey: released on Thursdays at noon ET, the day by which it is dated",
        *("MORTGAGE30US", "MORTGAGE15US", "MORTGAGE5US"),
    ),
    _assumed(
        _next(_WEDNESDAY, time(18)),
        "EIA releases spot prices on Wednesdays. The hour at which FRED has them is a guess",
        *("DHHNGSP", "DCOILWTICO", "DCOILBRENTEU", "DPROPANEMBTX", "WHHNGSP", "WCOILWTICO", "WCOILBRENTEU", "WPROPANEMBTX"),
        *("WJFUELUSGULF", "WDFUELUSGULF", "WDFUELNYH", "WDFUELLA", "WHOILNYH", "WGASUSGULF", "WGASNYH"),
    ),
    _assumed(
        OnDay(days=1, at=time(12), zone=_CLOCK),
        "EIA publishes Monday's retail prices on the evening of the day or on the next morning. The hour is a guess",
        *("GASREGW", "GASREGCOVW", "GASMIDW", "GASPRMW", "GASALLW", "GASDESW"),
    ),
    _assumed(
        _next(_THURSDAY, time(11, 30)),
        "Federal Reserve Bank of Dallas, Weekly Economic Index: released on Thursdays. The hour is a guess",
        "WEI",
    ),
    _assumed(
        _next_month(12, time(8, 30)),
        "US Bureau of Labor Statistics, Consumer Price Index: released at 8:30 a.m. about the 12th. The day is a guess",
        *("CPIAUCSL", "CPIAUCNS"),
    ),
    _assumed(
        _next_month(15, time(8, 30)),
        "US Bureau of Labor Statistics, Producer Price Index: released at 8:30 a.m. about the 15th. The day is a guess",
        "PPIACO",
    ),
    _assumed(
        _next_month(7, time(8, 30)),
        "US Bureau of Labor Statistics, Employment Situation: released at 8:30 a.m., on the first Friday. The day is a guess",
        "UNRATE",
    ),
    _assumed(
        _next_month(16, time(9, 15)),
        "Federal Reserve, G.17 Industrial Production: released at 9:15 a.m. about the 16th. The day is a guess",
        *("INDPRO", "IPG2211A2N"),
    ),
    _assumed(
        _next_month(1, time(16, 15)),
        "Federal Reserve, H.15: the mean of a month comes with its last day. The day is a guess",
        "FEDFUNDS",
    ),
    _assumed(
        _next_month(28, time(8, 30)),
        "US Bureau of Economic Analysis, Gross Domestic Product, advance estimate: released at 8:30 a.m. The day is a guess",
        *("GDP", "GDPC1"),
    ),
    _assumed(
        _next_month(10, time(18)),
        "EIA's spot prices of a month are complete in the second week of the next one. The day is a guess",
        *("MHHNGSP", "MCOILWTICO", "MCOILBRENTEU"),
    ),
    _assumed(
        _next_month(20, time(18)),
        "IMF, Primary Commodity Prices: published monthly. The day is a guess",
        *("PNGASEUUSDM", "PNGASJPUSDM", "PCOALAUUSDM"),
    ),
)
"""By series id; the first rule that names a series holds."""
