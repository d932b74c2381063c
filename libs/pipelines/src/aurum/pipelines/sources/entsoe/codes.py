"""Codes of the Transparency Platform for fuels and areas, with the names used here and the clocks of the areas.

Source: "Transparency Platform RESTful API user guide", appendix A (codes), as repeated by entsoe-py ``mappings.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FUELS: Mapping[str, str] = {
    "B01": "biomass",
    "B02": "lignite",
    "B03": "coal_gas",
    "B04": "natural_gas",
    "B05": "hard_coal",
    "B06": "oil",
    "B07": "oil_shale",
    "B08": "peat",
    "B09": "geothermal",
    "B10": "hydro_pumped_storage",
    "B11": "hydro_run_of_river",
    "B12": "hydro_reservoir",
    "B13": "marine",
    "B14": "nuclear",
    "B15": "other_renewable",
    "B16": "solar",
    "B17": "waste",
    "B18": "wind_offshore",
    "B19": "wind_onshore",
    "B20": "other",
    "B25": "energy_storage",
}
"""Word in the measure by ``psrType``."""

TRADING_DAY = "Europe/Brussels"
"""Time zone of the trading day of the coupled day-ahead auction: 00:00 to 24:00 Central European time in every zone.

Great Britain and the SEM count it from 23:00 to 23:00 local time, which are the same instants. Source: SDAC, "Single Day-Ahead
Coupling: market coupling day"; Nord Pool, "Day-ahead market".
"""


@dataclass(frozen=True, slots=True)
class Area:
    """An area. ``civil``: IANA name of its clock. ``trading``: time zone of the trading day of its day-ahead auction."""

    name: str
    civil: str
    trading: str = TRADING_DAY


AREAS: Mapping[str, Area] = {
    "10Y1001A1001A39I": Area("Estonia", "Europe/Tallinn"),
    "10Y1001A1001A44P": Area("Sweden SE1", "Europe/Stockholm"),
    "10Y1001A1001A45N": Area("Sweden SE2", "Europe/Stockholm"),
    "10Y1001A1001A46L": Area("Sweden SE3", "Europe/Stockholm"),
    "10Y1001A1001A47J": Area("Sweden SE4", "Europe/Stockholm"),
    "10YSE-1--------K": Area("Sweden", "Europe/Stockholm"),
    "10Y1001A1001A48H": Area("Norway NO5", "Europe/Oslo"),
    "10YNO-0--------C": Area("Norway", "Europe/Oslo"),
    "10YNO-1--------2": Area("Norway NO1", "Europe/Oslo"),
    "10YNO-2--------T": Area("Norway NO2", "Europe/Oslo"),
    "10YNO-3--------J": Area("Norway NO3", "Europe/Oslo"),
    "10YNO-4--------9": Area("Norway NO4", "Europe/Oslo"),
    "50Y0JVU59B4JWQCU": Area("Norway NO2 NSL", "Europe/Oslo"),
    "10Y1001A1001A59C": Area("Ireland (SEM)", "Europe/Dublin"),
    "10YIE-1001A00010": Area("Ireland", "Europe/Dublin"),
    "10Y1001A1001A016": Area("Northern Ireland", "Europe/London"),
    "10Y1001A1001A63L": Area("Germany-Austria-Luxembourg (to 2018)", "Europe/Berlin"),
    "10Y1001A1001A82H": Area("Germany-Luxembourg", "Europe/Berlin"),
    "10Y1001A1001A83F": Area("Germany", "Europe/Berlin"),
    "10Y1001C--00002H": Area("Germany Amprion with Luxembourg", "Europe/Berlin"),
    "10YDE-ENBW-----N": Area("Germany TransnetBW", "Europe/Berlin"),
    "10YDE-EON------1": Area("Germany TenneT", "Europe/Berlin"),
    "10YDE-RWENET---I": Area("Germany Amprion", "Europe/Berlin"),
    "10YDE-VE-------2": Area("Germany 50Hertz", "Europe/Berlin"),
    "10YLU-CEGEDEL-NQ": Area("Luxembourg", "Europe/Luxembourg"),
    "10YDOM-REGION-1V": Area("Central Western Europe", "Europe/Brussels"),
    "10YDOM-CZ-DE-SKK": Area("Czechia-Germany-Slovakia", "Europe/Prague"),
    "10Y1001A1001A70O": Area("Italy Centre-North", "Europe/Rome"),
    "10Y1001A1001A71M": Area("Italy Centre-South", "Europe/Rome"),
    "10Y1001A1001A73I": Area("Italy North", "Europe/Rome"),
    "10Y1001A1001A74G": Area("Italy Sardinia", "Europe/Rome"),
    "10Y1001A1001A75E": Area("Italy Sicily", "Europe/Rome"),
    "10Y1001A1001A788": Area("Italy South", "Europe/Rome"),
    "10Y1001C--00096J": Area("Italy Calabria", "Europe/Rome"),
    "10YIT-GRTN-----B": Area("Italy", "Europe/Rome"),
    "10Y1001A1001A66F": Area("Italy Greece", "Europe/Rome"),
    "10Y1001A1001A67D": Area("Italy North Slovenia", "Europe/Rome"),
    "10Y1001A1001A68B": Area("Italy North Switzerland", "Europe/Rome"),
    "10Y1001A1001A699": Area("Italy Brindisi", "Europe/Rome"),
    "10Y1001A1001A72K": Area("Italy Foggia", "Europe/Rome"),
    "10Y1001A1001A76C": Area("Italy Priolo", "Europe/Rome"),
    "10Y1001A1001A77A": Area("Italy Rossano", "Europe/Rome"),
    "10Y1001A1001A80L": Area("Italy North Austria", "Europe/Rome"),
    "10Y1001A1001A81J": Area("Italy North France", "Europe/Rome"),
    "10Y1001A1001A84D": Area("Italy macro-zone North", "Europe/Rome"),
    "10Y1001A1001A85B": Area("Italy macro-zone South", "Europe/Rome"),
    "10Y1001A1001A877": Area("Italy Malta", "Europe/Rome"),
    "10Y1001A1001A885": Area("Italy SACO AC", "Europe/Rome"),
    "10Y1001A1001A893": Area("Italy SACO DC", "Europe/Rome"),
    "10Y1001A1001A92E": Area("United Kingdom", "Europe/London"),
    "10YGB----------A": Area("Great Britain", "Europe/London"),
    "10Y1001C--00098F": Area("Great Britain IFA", "Europe/London"),
    "17Y0000009369493": Area("Great Britain IFA2", "Europe/London"),
    "11Y0-0000-0265-K": Area("Great Britain ElecLink", "Europe/London"),
    "10YAT-APG------L": Area("Austria", "Europe/Vienna"),
    "10YBE----------2": Area("Belgium", "Europe/Brussels"),
    "10YCA-BULGARIA-R": Area("Bulgaria", "Europe/Sofia"),
    "10YCH-SWISSGRIDZ": Area("Switzerland", "Europe/Zurich"),
    "10YCZ-CEPS-----N": Area("Czechia", "Europe/Prague"),
    "10Y1001A1001A65H": Area("Denmark", "Europe/Copenhagen"),
    "10Y1001A1001A796": Area("Denmark, control area", "Europe/Copenhagen"),
    "10YDK-1--------W": Area("Denmark DK1", "Europe/Copenhagen"),
    "10YDK-2--------M": Area("Denmark DK2", "Europe/Copenhagen"),
    "10YES-REE------0": Area("Spain", "Europe/Madrid"),
    "10YFI-1--------U": Area("Finland", "Europe/Helsinki"),
    "10YFR-RTE------C": Area("France", "Europe/Paris"),
    "10YGR-HTSO-----Y": Area("Greece", "Europe/Athens"),
    "10YHR-HEP------M": Area("Croatia", "Europe/Zagreb"),
    "10YHU-MAVIR----U": Area("Hungary", "Europe/Budapest"),
    "10YLT-1001A0008Q": Area("Lithuania", "Europe/Vilnius"),
    "10YLV-1001A00074": Area("Latvia", "Europe/Riga"),
    "10Y1001A1001A93C": Area("Malta", "Europe/Malta"),
    "10YNL----------L": Area("Netherlands", "Europe/Amsterdam"),
    "10YPL-AREA-----S": Area("Poland", "Europe/Warsaw"),
    "10YDOM-1001A082L": Area("Poland-Czechia", "Europe/Warsaw"),
    "10YPT-REN------W": Area("Portugal", "Europe/Lisbon"),
    "10YRO-TEL------P": Area("Romania", "Europe/Bucharest"),
    "10YSI-ELES-----O": Area("Slovenia", "Europe/Ljubljana"),
    "10YSK-SEPS-----K": Area("Slovakia", "Europe/Bratislava"),
    # Areas outside the coupling, whose exchanges trade days of local time.
    "10YAL-KESH-----5": Area("Albania", "Europe/Tirane", "Europe/Tirane"),
    "10YBA-JPCC-----D": Area("Bosnia and Herzegovina", "Europe/Sarajevo", "Europe/Sarajevo"),
    "10YCS-CG-TSO---S": Area("Montenegro", "Europe/Podgorica", "Europe/Podgorica"),
    "10YCS-SERBIATSOV": Area("Serbia", "Europe/Belgrade", "Europe/Belgrade"),
    "10Y1001C--00100H": Area("Kosovo", "Europe/Belgrade", "Europe/Belgrade"),
    "10YMK-MEPSO----8": Area("North Macedonia", "Europe/Skopje", "Europe/Skopje"),
    "10YCY-1001A0003J": Area("Cyprus", "Asia/Nicosia", "Asia/Nicosia"),
    "10YTR-TEIAS----W": Area("Turkey", "Europe/Istanbul", "Europe/Istanbul"),
    "10Y1001C--00003F": Area("Ukraine", "Europe/Kyiv", "Europe/Kyiv"),
    "10Y1001C--000182": Area("Ukraine IPS", "Europe/Kyiv", "Europe/Kyiv"),
    "10YUA-WEPS-----0": Area("Ukraine BEI", "Europe/Kyiv", "Europe/Kyiv"),
    "10Y1001A1001A869": Area("Ukraine DobTPP", "Europe/Kyiv", "Europe/Kyiv"),
    "10Y1001A1001A990": Area("Moldova", "Europe/Chisinau", "Europe/Chisinau"),
    "10Y1001A1001B012": Area("Georgia", "Asia/Tbilisi", "Asia/Tbilisi"),
}
"""Area by EIC code. Load, generation, flows and forecasts go by the civil day, prices by the trading day.

An area that is not listed has no name, its days are those of UTC, and its series say so with the label ``zone: undeclared``.
The migration of ENTSO-E's zones repeats this table for stored series.
"""
