"""Public files of the ECB's reference rates: a zip archive of one CSV with every day since 1999, replaced daily.

The file of the last day alone, ``eurofxref.zip``, and the XML of 90 days hold nothing that the history lacks. Source: ECB, Euro
foreign exchange reference rates, Downloads.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aurum.pipelines.public_files import PublicFiles
from aurum.pipelines.sources.ecb.datasets import REFERENCE_RATES

FILES: Mapping[str, PublicFiles] = MappingProxyType(
    {
        REFERENCE_RATES.name: PublicFiles(
            history="https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip",
            manual="ECB, Euro foreign exchange reference rates, "
            "https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html",
        )
    }
)
