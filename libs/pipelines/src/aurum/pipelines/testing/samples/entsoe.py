"""Samples of ENTSO-E."""

from __future__ import annotations

from .sample import Sample

AREA = "10YLU-CEGEDEL-NQ"


def _gl(dataset: str, code: str, process: str, number: str, *, fuel: str = "") -> Sample:
    points = "\n".join(f"<Point><position>{n}</position><quantity>{900 + n}.5</quantity></Point>" for n in range(1, 9))
    kind = f"<MktPSRType><psrType>{fuel}</psrType></MktPSRType>" if fuel else ""
    return Sample(
        (f"entsoe:{dataset}",),
        f"{dataset}.xml",
        '<?xml version="1.0" encoding="UTF-8"?>\n<GL_MarketDocument xmlns="urn:iec62325:generationload">'
        f"<type>{code}</type><process.processType>{process}</process.processType><createdDateTime>2025-07-05T10:25:00Z</createdDateTime>\n"
        f"<TimeSeries><mRID>1</mRID><inBiddingZone_Domain.mRID>{AREA}</inBiddingZone_Domain.mRID>"
        f"<quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>A01</curveType>{kind}<Period><timeInterval>"
        "<start>2025-07-04T10:00Z</start><end>2025-07-04T12:00Z</end></timeInterval><resolution>PT15M</resolution>\n"
        f"{points}\n</Period></TimeSeries>\n</GL_MarketDocument>\n",
        stamps=("%Y-%m-%dT%H:%M",),
        ids=(AREA,),
        numbers=(number,),
    )


def _prices(dataset: str, contract: str) -> Sample:
    points = "\n".join(f"<Point><position>{n}</position><price.amount>{40 + n}.5</price.amount></Point>" for n in range(1, 3))
    return Sample(
        (f"entsoe:{dataset}",),
        f"{dataset}.xml",
        '<?xml version="1.0" encoding="UTF-8"?>\n<Publication_MarketDocument xmlns="urn:iec62325:publication">'
        "<type>A44</type><createdDateTime>2025-07-03T11:05:00Z</createdDateTime>\n<TimeSeries><mRID>1</mRID>"
        f"<in_Domain.mRID>{AREA}</in_Domain.mRID><out_Domain.mRID>{AREA}</out_Domain.mRID>"
        f"<contract_MarketAgreement.type>{contract}</contract_MarketAgreement.type><currency_Unit.name>EUR</currency_Unit.name>"
        "<price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>A01</curveType><Period><timeInterval>"
        "<start>2025-07-04T10:00Z</start><end>2025-07-04T12:00Z</end></timeInterval><resolution>PT60M</resolution>\n"
        f"{points}\n</Period></TimeSeries>\n</Publication_MarketDocument>\n",
        stamps=("%Y-%m-%dT%H:%M",),
        ids=(),
        numbers=("42.5",),
    )


ENTSOE = (
    _prices("day_ahead_prices", "A01"),
    _prices("intraday_auction_prices", "A07"),
    _gl("load", "A65", "A16", "903.5"),
    _gl("load_forecast", "A65", "A01", "903.5"),
    _gl("generation", "A75", "A16", "903.5", fuel="B16"),
    _gl("wind_solar_forecast", "A69", "A01", "903.5", fuel="B16"),
    _gl("wind_solar_forecast_intraday", "A69", "A40", "903.5", fuel="B16"),
    _gl("wind_solar_forecast_current", "A69", "A18", "903.5", fuel="B16"),
)
