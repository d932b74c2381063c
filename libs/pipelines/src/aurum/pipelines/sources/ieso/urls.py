"""Public files of the IESO (public reports; no login): one report per year, which is rewritten every morning.

Source of the pattern: IESO, Outbound Automated Document, Application Programming Interface (IMO_SPEC_0100), which names public
documents ``PUB_<report>_<period>.xml``; earlier versions of a report have ``_v<number>`` besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from aurum.pipelines.public_files import PublicFiles
from aurum.pipelines.sources.ieso.datasets import GEN_OUTPUT_BY_FUEL_HOURLY

_FOLDER = "https://reports-public.ieso.ca/public/GenOutputbyFuelHourly"


def gen_output_by_fuel_hourly(year: date) -> str:
    """Return the address of the report of a year; a file has several MB.

    >>> gen_output_by_fuel_hourly(date(2016, 1, 7))
    'https://reports-public.ieso.ca/public/GenOutputbyFuelHourly/PUB_GenOutputbyFuelHourly_2016.xml'
    """
    return f"{_FOLDER}/PUB_GenOutputbyFuelHourly_{year:%Y}.xml"


FILES: Mapping[str, PublicFiles] = MappingProxyType(
    {
        GEN_OUTPUT_BY_FUEL_HOURLY.name: PublicFiles(
            year=gen_output_by_fuel_hourly,
            manual=f"IESO, IMO_SPEC_0100, Generator Output by Fuel Type Hourly Report, {_FOLDER}/",
        )
    }
)
