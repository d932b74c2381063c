"""The exact addresses of datasets on days at which a wrong clock, month or year shows. None has been requested here."""

from __future__ import annotations

import doctest
import importlib
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from aurum.pipelines.public_files import PublicFiles, Request, publications
from aurum.pipelines.registry import own_registry

SOURCES = own_registry().sources
KEYS = [f"{source.name}:{dataset.name}" for source in SOURCES for dataset in source.datasets]

FALL_BACK = date(2025, 11, 2)
SPRING_FORWARD = date(2025, 3, 9)
LEAP_DAY = date(2024, 2, 29)
LAST_OF_YEAR = date(2024, 12, 31)

_NYISO = "https://mis.nyiso.com/public/csv"
_ISONE = "https://www.iso-ne.com/static-transform/csv/histRpts"
_MISO = "https://docs.misoenergy.org/marketreports"
_SPP = "https://portal.spp.org/file-browser-api/download"
_OASIS = "https://oasis.caiso.com/oasisapi/SingleZip?resultformat=6"
_EIA = "https://www.eia.gov"
_DATAHUB = "https://raw.githubusercontent.com/datasets"
_DROUGHT = "https://usdmdataservices.unl.edu/api/USStatistics"
_NCEI = "https://www.ncei.noaa.gov"
_ERCOT = "https://www.ercot.com/misapp/servlets/IceDocListJsonWS?reportTypeId"

# The address at which a day is requested on that day: days at which a wrong clock, month or year shows.
ADDRESSES = [
    ("nyiso:damlbmp_zone", FALL_BACK, f"{_NYISO}/damlbmp/20251102damlbmp_zone.csv"),
    ("nyiso:damlbmp_zone", LEAP_DAY, f"{_NYISO}/damlbmp/20240229damlbmp_zone.csv"),
    ("nyiso:damlbmp_gen", LAST_OF_YEAR, f"{_NYISO}/damlbmp/20241231damlbmp_gen.csv"),
    ("nyiso:realtime_zone", SPRING_FORWARD, f"{_NYISO}/realtime/20250309realtime_zone.csv"),
    ("nyiso:realtime_gen", FALL_BACK, f"{_NYISO}/realtime/20251102realtime_gen.csv"),
    ("nyiso:pal", FALL_BACK, f"{_NYISO}/pal/20251102pal.csv"),
    ("nyiso:pal_integrated", FALL_BACK, f"{_NYISO}/palIntegrated/20251102palIntegrated.csv"),
    ("nyiso:isolf", LEAP_DAY, f"{_NYISO}/isolf/20240229isolf.csv"),
    ("nyiso:rtfuelmix", FALL_BACK, f"{_NYISO}/rtfuelmix/20251102rtfuelmix.csv"),
    ("nyiso:external_limits_flows", FALL_BACK, f"{_NYISO}/ExternalLimitsFlows/20251102ExternalLimitsFlows.csv"),
    ("isone:da_lmp", FALL_BACK, f"{_ISONE}/da-lmp/WW_DALMP_ISO_20251102.csv"),
    ("isone:rt_lmp_prelim", LEAP_DAY, f"{_ISONE}/rt-lmp/lmp_rt_prelim_20240229.csv"),
    ("isone:rt_lmp_final", LAST_OF_YEAR, f"{_ISONE}/rt-lmp/lmp_rt_final_20241231.csv"),
    ("miso:da_expost_lmp", FALL_BACK, f"{_MISO}/20251102_da_expost_lmp.csv"),
    ("miso:da_expost_lmp", LEAP_DAY, f"{_MISO}/20240229_da_expost_lmp.csv"),
    (
        "spp:da_lmp_sl",
        FALL_BACK,
        f"{_SPP}/da-lmp-by-settlement-location?path=/2025/11/By_Day/DA-LMP-SL-202511020100.csv",
    ),
    ("spp:rtbm_lmp_sl", LAST_OF_YEAR, f"{_SPP}/rtbm-lmp-by-location?path=/RTBM-LMP-SL-latestInterval.csv"),
    (
        "caiso:prc_lmp_dam",
        FALL_BACK,  # 25 hours
        f"{_OASIS}&queryname=PRC_LMP&startdatetime=20251102T07:00-0000&enddatetime=20251103T08:00-0000"
        "&version=12&market_run_id=DAM&grp_type=ALL",
    ),
    (
        "caiso:ene_slrs_rtm",
        SPRING_FORWARD,  # 23 hours
        f"{_OASIS}&queryname=ENE_SLRS&startdatetime=20250309T08:00-0000&enddatetime=20250310T07:00-0000"
        "&version=1&market_run_id=RTM&tac_zone_name=ALL&schedule=ALL",
    ),
    (
        "caiso:sld_fcst_rtpd",
        LEAP_DAY,
        f"{_OASIS}&queryname=SLD_FCST&startdatetime=20240229T08:00-0000&enddatetime=20240301T08:00-0000"
        "&version=1&market_run_id=RTM&execution_type=RTPD",
    ),
    (
        "caiso:sld_ren_fcst_dam",
        LAST_OF_YEAR,
        f"{_OASIS}&queryname=SLD_REN_FCST&startdatetime=20241231T08:00-0000&enddatetime=20250101T08:00-0000"
        "&version=1&market_run_id=DAM",
    ),
    ("caiso:daily_renewables_watch", LEAP_DAY, "http://content.caiso.com/green/renewrpt/20240229_DailyRenewablesWatch.txt"),
    ("ercot:dam_spp", FALL_BACK, f"{_ERCOT}=12331"),
    ("ercot:rtm_spp", FALL_BACK, f"{_ERCOT}=12301"),
    ("aeso:current_supply_demand", FALL_BACK, "http://ets.aeso.ca/ets_web/ip/Market/Reports/CSDReportServlet?contentType=csv"),
    (
        "ieso:gen_output_by_fuel_hourly",
        LAST_OF_YEAR,
        "https://reports-public.ieso.ca/public/GenOutputbyFuelHourly/PUB_GenOutputbyFuelHourly_2024.xml",
    ),
    ("eia:navigator_daily", FALL_BACK, f"{_EIA}/dnav/ng/hist_xls/RNGWHHDd.xls"),
    ("eia:navigator_weekly", FALL_BACK, f"{_EIA}/dnav/ng/hist_xls/RNGWHHDw.xls"),
    ("eia:navigator_monthly", FALL_BACK, f"{_EIA}/dnav/ng/hist_xls/RNGWHHDm.xls"),
    ("eia:navigator_annual", FALL_BACK, f"{_EIA}/dnav/ng/hist_xls/RNGWHHDa.xls"),
    ("eia:gas_storage_weekly", FALL_BACK, "https://ir.eia.gov/ngs/ngshistory.xls"),
    ("eia:wholesale_hubs", LAST_OF_YEAR, f"{_EIA}/electricity/wholesale/xls/ice_electric-2024.xlsx"),
    (
        "fred:observations",
        LEAP_DAY,
        "https://fred.stlouisfed.org/graph/fredgraph.csv?id=DHHNGSP,DCOILWTICO,DCOILBRENTEU&cosd=2024-02-29&coed=2024-02-29",
    ),
    ("ecb:reference_rates", FALL_BACK, "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"),
    ("datahub:natural_gas_daily", FALL_BACK, f"{_DATAHUB}/natural-gas/main/data/daily.csv"),
    ("datahub:natural_gas_monthly", FALL_BACK, f"{_DATAHUB}/natural-gas/main/data/monthly.csv"),
    ("datahub:oil_daily", FALL_BACK, f"{_DATAHUB}/oil-prices/main/data/wti-daily.csv"),
    ("datahub:cpi_us", FALL_BACK, f"{_DATAHUB}/cpi-us/main/data/cpiai.csv"),
    ("datahub:exchange_rates_monthly", FALL_BACK, f"{_DATAHUB}/exchange-rates/main/data/monthly.csv"),
    (
        "drought_monitor:area_percent_cumulative",
        LEAP_DAY,  # a Thursday: the map of the Tuesday before
        f"{_DROUGHT}/GetDroughtSeverityStatisticsByAreaPercent?aoi=conus&startdate=2/27/2024&enddate=2/27/2024&statisticsType=1",
    ),
    (
        "drought_monitor:area_percent_categorical",
        date(2025, 1, 1),  # the Tuesday before is in another year
        f"{_DROUGHT}/GetDroughtSeverityStatisticsByAreaPercent?aoi=conus&startdate=12/31/2024&enddate=12/31/2024"
        "&statisticsType=2",
    ),
    (
        "drought_monitor:dsci",
        LAST_OF_YEAR,  # a Tuesday
        f"{_DROUGHT}/GetDSCI?aoi=conus&startdate=12/31/2024&enddate=12/31/2024&statisticsType=1",
    ),
    ("noaa:ghcn_daily", LEAP_DAY, f"{_NCEI}/data/global-historical-climatology-network-daily/access/USW00094728.csv"),
    ("noaa:past_weather", LEAP_DAY, f"{_NCEI}/access/past-weather/USW00094728/data.csv"),
]


def files_of(key: str) -> PublicFiles | None:
    """Return the public files of a dataset that need no key, where it has such."""
    source, _, dataset = key.partition(":")
    files = own_registry().source(source).public_files(dataset)
    return files.keyless or files if files is not None else None


def requests_of(key: str, wanted: Sequence[date], today: date) -> list[Request]:
    files = files_of(key)
    assert files is not None
    return [request for one in publications(files, wanted, today=today) for request in one.requests]


def addresses_of(key: str, wanted: Sequence[date], today: date) -> list[str]:
    return [request.url for request in requests_of(key, wanted, today)]


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


@pytest.mark.parametrize(("key", "day", "expected"), ADDRESSES, ids=[f"{key} {day}" for key, day, _ in ADDRESSES])
def test_the_address_of_a_local_day(key: str, day: date, expected: str) -> None:
    assert addresses_of(key, [day], today=day)[0] == expected


def test_each_dataset_without_a_credential_has_an_expected_address() -> None:
    shown = {key for key, _, _ in ADDRESSES}
    missing = [key for key in KEYS if (files := files_of(key)) is not None and files.needs is None and key not in shown]
    assert {key.partition(":")[0] for key in missing} <= {"caiso"}  # its datasets differ in the run that the query names


@pytest.mark.parametrize(
    ("dataset", "archive"),
    [
        ("damlbmp_zone", "damlbmp/20240201damlbmp_zone_csv.zip"),
        ("damlbmp_gen", "damlbmp/20240201damlbmp_gen_csv.zip"),
        ("realtime_zone", "realtime/20240201realtime_zone_csv.zip"),
        ("realtime_gen", "realtime/20240201realtime_gen_csv.zip"),
        ("pal", "pal/20240201pal_csv.zip"),
        ("pal_integrated", "palIntegrated/20240201palIntegrated_csv.zip"),
        ("isolf", "isolf/20240201isolf_csv.zip"),
        ("rtfuelmix", "rtfuelmix/20240201rtfuelmix_csv.zip"),
        ("external_limits_flows", "ExternalLimitsFlows/20240201ExternalLimitsFlows_csv.zip"),
    ],
)
def test_nyiso_serves_a_month_in_one_archive(dataset: str, archive: str) -> None:
    assert addresses_of(f"nyiso:{dataset}", days(date(2024, 2, 1), 29), today=date(2024, 6, 1)) == [f"{_NYISO}/{archive}"]


def test_nyiso_has_days_older_than_a_week_in_the_archive_of_their_month_only() -> None:
    wanted = [date(2025, 10, 31), *days(date(2025, 11, 1), 10)]
    assert [url.rpartition("/")[2] for url in addresses_of("nyiso:pal", wanted, today=date(2025, 11, 10))] == [
        "20251001pal_csv.zip",
        "20251101pal_csv.zip",
        *(f"202511{day:02}pal.csv" for day in range(3, 11)),
    ]


def test_oasis_answers_a_month_at_once_with_the_hour_of_the_clock_change() -> None:
    (url,) = addresses_of("caiso:sld_fcst_actual", days(date(2025, 3, 1), 31), today=date(2025, 6, 1))
    assert "startdatetime=20250301T08:00-0000&enddatetime=20250401T07:00-0000" in url
    assert len(addresses_of("caiso:sld_fcst_actual", days(date(2025, 3, 1), 32), today=date(2025, 6, 1))) == 2


def test_oasis_answers_the_prices_of_all_nodes_for_one_day() -> None:
    assert len(addresses_of("caiso:prc_lmp_dam", days(date(2025, 3, 1), 3), today=date(2025, 6, 1))) == 3


def test_eia_moves_the_wholesale_workbook_of_a_year_that_is_over() -> None:
    wanted = days(date(2012, 5, 1), 365 * 14)
    named = [url.partition("/xls/")[2] for url in addresses_of("eia:wholesale_hubs", wanted, today=date(2026, 4, 25))]
    assert named[:2] == ["archive/ice_electric-historical.zip", "archive/ice_electric-2014final.xls"]
    assert named[-2:] == ["archive/ice_electric-2025final.xlsx", "ice_electric-2026.xlsx"]
    assert len(named) == 14


def test_eia_may_not_have_moved_the_workbook_in_the_first_months() -> None:
    wanted = days(date(2025, 12, 30), 5)
    assert [url.partition("/xls/")[2] for url in addresses_of("eia:wholesale_hubs", wanted, today=date(2026, 1, 9))] == [
        "ice_electric-2025.xlsx",
        "archive/ice_electric-2025final.xlsx",
        "ice_electric-2026.xlsx",
    ]


def test_a_report_of_the_present_is_requested_for_today_only() -> None:
    wanted = days(date(2025, 11, 1), 3)
    assert len(addresses_of("aeso:current_supply_demand", wanted, today=date(2025, 11, 2))) == 1
    assert addresses_of("aeso:current_supply_demand", wanted, today=date(2025, 11, 4)) == []


def test_the_drought_monitor_answers_the_weeks_of_a_year_at_once() -> None:
    (url,) = addresses_of("drought_monitor:dsci", days(date(2024, 1, 1), 366), today=date(2025, 6, 1))
    assert "startdate=12/26/2023&enddate=12/31/2024" in url


@pytest.mark.parametrize(
    ("area", "expected"), [("us", "USStatistics/GetDSCI?aoi=us&"), ("48", "StateStatistics/GetDSCI?aoi=48&")]
)
def test_the_drought_monitor_has_services_for_the_nation_and_for_states(area: str, expected: str) -> None:
    files = files_of("drought_monitor:dsci")
    assert files is not None
    (one,) = publications(files, [LEAP_DAY], today=LEAP_DAY, parts=[area])
    assert expected in one.requests[0].url
    assert one.requests[0].name == f"GetDSCI_{area}.csv"


def test_the_drought_monitor_knows_no_such_area() -> None:
    files = files_of("drought_monitor:dsci")
    assert files is not None
    problem = files.problem(b'"-area of interest not recognized.\r\n"')
    assert problem is not None
    assert not problem.is_passing
    assert files.problem(b"Name,MapDate,DSCI\nCONUS,20250708,51\n") is None


def test_both_grades_of_oil_are_requested() -> None:
    urls = addresses_of("datahub:oil_daily", [FALL_BACK], today=FALL_BACK)
    assert [url.rpartition("/")[2] for url in urls] == ["wti-daily.csv", "brent-daily.csv"]


def test_real_time_prices_of_a_day_are_in_one_file_later() -> None:
    assert addresses_of("spp:rtbm_lmp_sl", [LAST_OF_YEAR], today=date(2025, 2, 1)) == [
        f"{_SPP}/rtbm-lmp-by-location?path=/2024/12/By_Day/RTBM-LMP-DAILY-SL-20241231.csv"
    ]


def test_the_parts_of_a_days_real_time_prices_are_requested_until_spp_joins_them() -> None:
    requests = requests_of("spp:rtbm_lmp_sl", [FALL_BACK], today=FALL_BACK + timedelta(days=5))
    assert len(requests) == len({request.name for request in requests}) == 300
    assert requests[0].url == f"{_SPP}/rtbm-lmp-by-location?path=/2025/11/By_Interval/02/RTBM-LMP-SL-202511020005.csv"
    assert requests[-1].url == f"{_SPP}/rtbm-lmp-by-location?path=/2025/11/By_Interval/02/RTBM-LMP-SL-202511030000.csv"
    names = [request.name for request in requests]
    assert names[22:26] == [f"RTBM-LMP-SL-20251102{end}.csv" for end in ("0155", "0100d", "0105d", "0110d")]
    assert names[33:36] == [f"RTBM-LMP-SL-20251102{end}.csv" for end in ("0150d", "0155d", "0200")]
    assert len(requests_of("spp:rtbm_lmp_sl", [SPRING_FORWARD], today=SPRING_FORWARD + timedelta(days=1))) == 276
    assert len(requests_of("spp:rtbm_lmp_sl", [FALL_BACK], today=FALL_BACK + timedelta(days=6))) == 1


def test_the_last_interval_of_a_month_is_in_the_folder_of_the_month() -> None:
    last = requests_of("spp:rtbm_lmp_sl", [LEAP_DAY], today=date(2024, 3, 2))[-1]
    assert last.url.endswith("path=/2024/02/By_Interval/29/RTBM-LMP-SL-202403010000.csv")


@pytest.mark.parametrize("source", [source.name for source in SOURCES])
def test_examples_in_the_docstrings(source: str) -> None:
    try:
        module = importlib.import_module(f"aurum.pipelines.sources.{source}.urls")
    except ModuleNotFoundError:
        assert not own_registry().source(source).files
        return
    assert doctest.testmod(module).failed == 0
