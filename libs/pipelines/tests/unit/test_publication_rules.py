"""One point of each dataset, and when it is usually published by its rule, read from a clock."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from aurum.core.frames import UTC_US
from aurum.core.frequency import Frequency
from aurum.core.publication import Evidence, OnDay, PublicationRule
from aurum.core.series.weeks import Week
from aurum.pipelines.registry import own_registry
from aurum.pipelines.source import Dataset

DATASETS = {f"{dataset.source}:{dataset.name}": dataset for source in own_registry().sources for dataset in source.datasets}

FORECASTS = {
    "nyiso:isolf",
    *(f"caiso:sld_fcst_{run}" for run in ("7da", "2da", "dam", "rtpd", "rtd")),
    *(f"caiso:sld_ren_fcst_{run}" for run in ("dam", "hasp", "rtpd", "rtd")),
    *("entsoe:load_forecast", "entsoe:wind_solar_forecast"),
    *("entsoe:wind_solar_forecast_intraday", "entsoe:wind_solar_forecast_current"),
}

# One point by dataset, or by series where rules differ within one: start of the interval and usual publication, both as read
# from a clock with an offset. A series is "dataset location measure"; a weekly one ends with the meaning of its weeks.
POINTS = {
    "pjm:da_hrl_lmps": ("2025-03-09T03:00-04:00", "2025-03-08T13:30-05:00"),
    "pjm:rt_hrl_lmps": ("2025-11-26T09:00-05:00", "2025-11-28T18:00-05:00"),  # after Thanksgiving
    "pjm:rt_fivemin_hrl_lmps": ("2025-07-04T09:00-04:00", "2025-07-07T18:00-04:00"),  # a weekend follows
    "pjm:hrl_load_metered": ("2025-11-02T01:00-05:00", "2025-11-03T07:30-05:00"),
    "pjm:inst_load": ("2025-11-02T01:55-05:00", "2025-11-02T01:56-05:00"),
    "pjm:wind_gen": ("2025-03-09T12:00-04:00", "2025-03-10T07:30-04:00"),
    "pjm:solar_gen": ("2025-03-08T12:00-05:00", "2025-03-09T07:30-04:00"),
    "isone:da_lmp": ("2026-06-04T00:00-04:00", "2026-06-03T13:30-04:00"),
    "isone:rt_lmp_prelim": ("2025-11-01T23:00-04:00", "2025-11-02T00:30-04:00"),
    "isone:rt_lmp_final": ("2026-06-02T23:00-04:00", "2026-06-03T13:00-04:00"),
    "isone:hourlylmp": ("2025-11-02T01:00-05:00", "2025-11-03T13:00-05:00"),
    "isone:smd_hourly": ("2025-02-28T23:00-05:00", "2025-03-15T12:00-04:00"),
    "nyiso:damlbmp_zone": ("2025-11-02T01:00-05:00", "2025-11-01T11:00-04:00"),
    "nyiso:damlbmp_gen": ("2025-03-10T00:00-04:00", "2025-03-09T11:00-04:00"),
    "nyiso:realtime_zone": ("2022-07-18T00:00-04:00", "2022-07-18T00:10-04:00"),
    "nyiso:realtime_zone_extra": ("2022-07-18T16:19:52-04:00", "2022-07-18T16:24:52-04:00"),
    "nyiso:realtime_gen": ("2025-11-02T01:55-04:00", "2025-11-02T01:05-05:00"),
    "nyiso:realtime_gen_extra": ("2025-11-02T01:58-04:00", "2025-11-02T01:03-05:00"),
    "nyiso:rtc_zone": ("2024-06-01T00:00-04:00", "2024-05-31T23:30-04:00"),
    "nyiso:pal": ("2017-11-22T00:05-05:00", "2017-11-22T00:11-05:00"),
    "nyiso:pal_extra": ("2017-11-22T00:07:30-05:00", "2017-11-22T00:13:30-05:00"),
    "nyiso:pal_integrated": ("2025-03-09T01:00-05:00", "2025-03-09T03:15-04:00"),
    "nyiso:isolf": ("2017-11-22T00:00-05:00", "2017-11-21T08:00-05:00"),
    "nyiso:rtfuelmix": ("2025-02-01T00:00-05:00", "2025-02-01T00:11-05:00"),  # the stamp is the end, 00:05
    "nyiso:rtfuelmix_extra": ("2025-02-01T00:02-05:00", "2025-02-01T00:08-05:00"),
    "nyiso:external_limits_flows": ("2017-11-22T00:00-05:00", "2017-11-22T00:06-05:00"),
    "nyiso:external_limits_flows_extra": ("2017-11-22T00:01-05:00", "2017-11-22T00:07-05:00"),
    "caiso:prc_lmp_dam": ("2019-11-03T01:00-08:00", "2019-11-02T13:00-07:00"),
    "caiso:ene_slrs_dam": ("2019-10-10T00:00-07:00", "2019-10-09T13:00-07:00"),
    "caiso:ene_slrs_ruc": ("2025-03-09T03:00-07:00", "2025-03-08T15:00-08:00"),
    "caiso:ene_slrs_hasp": ("2025-11-02T01:00-08:00", "2025-11-02T01:15-07:00"),
    "caiso:ene_slrs_rtm": ("2025-11-02T01:00-08:00", "2025-11-02T01:55-07:00"),
    "caiso:sld_fcst_7da": ("2025-02-26T23:00-08:00", "2025-02-19T09:10-08:00"),
    "caiso:sld_fcst_2da": ("2025-03-10T00:00-07:00", "2025-03-08T09:10-08:00"),
    "caiso:sld_fcst_dam": ("2025-11-03T00:00-08:00", "2025-11-02T09:10-08:00"),
    "caiso:sld_fcst_rtpd": ("2014-05-08T12:15-07:00", "2014-05-08T11:53-07:00"),
    "caiso:sld_fcst_rtd": ("2014-05-08T11:55-07:00", "2014-05-08T11:50-07:00"),
    "caiso:sld_fcst_actual": ("2025-03-09T01:00-08:00", "2025-03-09T03:15-07:00"),
    "caiso:sld_ren_fcst_dam": ("2013-09-19T00:00-07:00", "2013-09-18T07:00-07:00"),
    "caiso:sld_ren_fcst_hasp": ("2025-07-01T10:00-07:00", "2025-07-01T09:15-07:00"),
    "caiso:sld_ren_fcst_rtpd": ("2025-07-01T10:15-07:00", "2025-07-01T09:53-07:00"),
    "caiso:sld_ren_fcst_rtd": ("2025-07-01T10:05-07:00", "2025-07-01T10:00-07:00"),
    "caiso:sld_ren_fcst_actual": ("2025-11-01T23:00-07:00", "2025-11-02T06:00-08:00"),
    "caiso:daily_renewables_watch": ("2017-03-11T23:00-08:00", "2017-03-12T01:00-08:00"),
    "ercot:dam_spp": ("2025-03-09T03:00-05:00", "2025-03-08T13:30-06:00"),
    "ercot:rtm_spp": ("2025-11-02T01:00-06:00", "2025-11-02T01:17-06:00"),
    "miso:da_expost_lmp": ("2025-03-09T23:00-05:00", "2025-03-08T13:30-05:00"),
    "spp:da_lmp_sl": ("2025-11-02T01:00-06:00", "2025-11-01T13:00-05:00"),
    "spp:rtbm_lmp_sl": ("2025-11-02T01:05-06:00", "2025-11-02T01:05-06:00"),
    "aeso:current_supply_demand": ("2017-07-13T19:26-06:00", "2017-07-13T19:26-06:00"),
    "ieso:gen_output_by_fuel_hourly": ("2016-05-12T23:00-05:00", "2016-05-13T07:00-05:00"),
    "entsoe:day_ahead_prices": ("2025-03-30T23:00+02:00", "2025-03-29T13:00+01:00"),
    "entsoe:intraday_auction_prices * price_15min": ("2025-10-26T00:00+02:00", "2025-10-25T15:20+02:00"),
    "entsoe:intraday_auction_prices * price_60min_seq2": ("2025-10-27T00:00+01:00", "2025-10-26T22:20+01:00"),
    "entsoe:intraday_auction_prices * price_15min_seq3": ("2025-10-26T12:00+01:00", "2025-10-26T10:20+01:00"),
    "entsoe:load": ("2017-10-29T22:00+01:00", "2017-10-30T00:00+01:00"),
    "entsoe:load_forecast": ("2025-03-31T00:00+02:00", "2025-03-30T10:00+02:00"),
    "entsoe:generation": ("2025-10-26T02:00+01:00", "2025-10-26T04:00+01:00"),
    "entsoe:wind_solar_forecast": ("2024-02-10T00:00+01:00", "2024-02-09T18:00+01:00"),
    "entsoe:wind_solar_forecast_intraday": ("2025-03-30T12:00+02:00", "2025-03-30T08:00+02:00"),
    "entsoe:wind_solar_forecast_current": ("2025-03-30T12:00+02:00", "2025-03-29T18:00+01:00"),
    "eia:api_daily RNGWHHD value": ("2026-08-18T00:00-04:00", "2026-08-19T13:00-04:00"),
    "eia:api_daily US48-D value": ("2025-10-31T00:00-04:00", "2025-11-03T18:00-05:00"),
    "eia:api_weekly WCESTUS1 value level": ("2025-10-31T00:00-04:00", "2025-11-05T10:30-05:00"),
    "eia:api_weekly WCRFPUS2 value flow": ("2025-10-25T00:00-04:00", "2025-11-05T10:30-05:00"),
    "eia:api_weekly NW2_EPG0_SWO_R48_BCF value level": ("2025-10-31T00:00-04:00", "2025-11-06T10:30-05:00"),
    "eia:api_monthly": ("2025-01-01T00:00-05:00", "2025-03-31T18:00-04:00"),
    "eia:api_quarterly": ("2025-04-01T00:00-04:00", "2025-09-30T18:00-04:00"),
    "eia:api_annual": ("2024-01-01T00:00-05:00", "2025-10-31T18:00-04:00"),
    "eia:rto_region * load": ("2025-03-09T06:00+00:00", "2025-03-09T08:30+00:00"),
    "eia:rto_region * load_forecast": ("2025-03-09T06:00+00:00", "2025-03-09T10:00-04:00"),
    "eia:rto_subregion": ("2025-03-09T06:00+00:00", "2025-03-09T08:30+00:00"),
    "eia:rto_fuel": ("2025-11-01T23:00+00:00", "2025-11-02T10:00-05:00"),
    "eia:rto_interchange": ("2025-10-31T23:00+00:00", "2025-11-02T10:00-05:00"),
    "eia:navigator_daily": ("2026-08-12T00:00-04:00", "2026-08-19T13:00-04:00"),  # a Wednesday waits for the next
    "eia:navigator_weekly RNGWHHD price flow": ("2024-06-29T00:00-04:00", "2024-07-10T13:00-04:00"),
    "eia:navigator_monthly": ("2025-09-01T00:00-04:00", "2025-11-28T18:00-05:00"),  # 30 November 2025 is a Sunday
    "eia:navigator_annual": ("2020-01-01T00:00-05:00", "2021-10-29T18:00-04:00"),
    "eia:gas_storage_weekly * storage level": ("2021-11-05T00:00-04:00", "2021-11-11T10:30-05:00"),
    "eia:gas_storage_weekly * storage_change flow": ("2021-10-30T00:00-04:00", "2021-11-11T10:30-05:00"),
    "eia:wholesale_hubs": ("2025-10-24T00:00-04:00", "2025-11-07T18:00-05:00"),
    "fred:observations CPIAUCSL value": ("2025-02-01T00:00+00:00", "2025-03-12T08:30-04:00"),
    "fred:observations DHHNGSP value": ("2025-03-05T00:00+00:00", "2025-03-12T18:00-04:00"),
    "fred:observations WALCL value level": ("2025-11-05T00:00+00:00", "2025-11-06T16:30-05:00"),
    "fred:observations ICSA value flow": ("2025-03-02T00:00+00:00", "2025-03-13T08:30-04:00"),
    "fred:observations DGS10 value": ("2025-10-10T00:00+00:00", "2025-10-14T16:15-04:00"),  # the 13th is Columbus Day
    "ecb:reference_rates": ("2025-03-31T00:00+02:00", "2025-03-31T16:00+02:00"),
    "datahub:natural_gas_daily": ("2025-02-03T00:00-05:00", "2025-03-12T18:00-04:00"),  # Wednesday after 5 March, a Wednesday
    "datahub:oil_daily": ("2025-02-04T00:00-05:00", "2025-03-12T18:00-04:00"),
    "datahub:natural_gas_monthly": ("2025-01-01T00:00-05:00", "2025-03-15T12:00-04:00"),
    "datahub:cpi_us": ("2025-09-01T00:00-04:00", "2025-11-15T12:00-05:00"),
    "datahub:exchange_rates_monthly": ("2025-12-01T00:00-05:00", "2026-02-15T12:00-05:00"),
    "drought_monitor:area_percent_cumulative": ("2025-03-04T00:00-05:00", "2025-03-06T08:30-05:00"),
    "drought_monitor:area_percent_categorical": ("2025-03-11T00:00-04:00", "2025-03-13T08:30-04:00"),
    "drought_monitor:dsci": ("2025-11-04T00:00-05:00", "2025-11-06T08:30-05:00"),
    "noaa:ghcn_daily": ("2025-03-08T00:00+00:00", "2025-03-10T12:00+00:00"),
    "noaa:past_weather": ("2025-12-30T00:00+00:00", "2026-01-02T12:00+00:00"),
    "eex:power_futures": ("2025-03-28T00:00+01:00", "2025-03-28T18:30+01:00"),
    "eex:day_ahead_auction": ("2025-03-30T23:00+02:00", "2025-03-29T12:57+01:00"),
    "nymex:futures": ("2025-03-10T00:00-04:00", "2025-03-10T18:00-04:00"),
    "ice:futures": ("2025-03-31T00:00+01:00", "2025-03-31T21:00+01:00"),
    "eod_workbook:eugp": ("2025-03-31T00:00+01:00", "2025-03-31T18:00+01:00"),
    "eod_workbook:rp": ("2025-11-03T00:00+00:00", "2025-11-03T18:00+00:00"),
    "eod_workbook:pw": ("2025-03-10T00:00-04:00", "2025-03-10T18:00-04:00"),
}
OWN_FREQUENCY = {"fred:observations CPIAUCSL value": Frequency.MONTH, "fred:observations DGS10 value": Frequency.DAY}


def rule_of(dataset: Dataset, location: str, measure: str) -> PublicationRule | None:
    """Return the first rule that names a series."""
    return next(
        (
            rule
            for rule in dataset.rules
            if (not rule.locations or location in rule.locations) and (not rule.measures or measure in rule.measures)
        ),
        None,
    )


def test_the_forecasts_are_marked_and_nothing_else() -> None:
    assert {name for name, dataset in DATASETS.items() if dataset.is_forecast} == FORECASTS


def test_only_a_file_of_several_days_is_one_issue() -> None:
    assert {name for name, dataset in DATASETS.items() if any(rule.per_issue for rule in dataset.rules)} == {"nyiso:isolf"}


def test_a_rule_that_names_no_document_is_assumed() -> None:
    guesses = {rule.source for dataset in DATASETS.values() for rule in dataset.rules if "guess" in rule.source.lower()}
    founded = {rule.source for dataset in DATASETS.values() for rule in dataset.rules if rule.evidence is not Evidence.ASSUMED}
    assert not guesses & founded


def test_every_dataset_with_a_rule_has_a_point() -> None:
    assert {series.split()[0] for series in POINTS} == {name for name, dataset in DATASETS.items() if dataset.rules}


@pytest.mark.parametrize("series", POINTS)
def test_a_point_is_usually_published_when_the_source_says(series: str) -> None:
    name, location, measure, week = (*series.split(), "", "", "")[:4]
    dataset, (start, published) = DATASETS[name], POINTS[series]
    rule = rule_of(dataset, location, measure or next((one.name for one in dataset.measures), ""))
    assert rule is not None
    times = rule.times(
        pl.Series([datetime.fromisoformat(start)], dtype=UTC_US),
        zone=dataset.zone,
        frequency=OWN_FREQUENCY.get(series, dataset.frequency),
        later=timedelta(days=Week(week).days_before_stamp if week else 0),
    )
    assert times.to_list() == [datetime.fromisoformat(published).astimezone(UTC)]


def test_an_issue_of_six_days_has_one_publication() -> None:
    (rule,) = DATASETS["nyiso:isolf"].rules
    assert isinstance(rule.moment, OnDay)
    assert rule.of_issue(datetime(2025, 3, 9).date()) == datetime(2025, 3, 8, 13, tzinfo=UTC)


def test_a_series_that_no_rule_names_has_no_usual_time() -> None:
    assert rule_of(DATASETS["fred:observations"], "STLFSI4", "value") is None
    assert rule_of(DATASETS["entsoe:intraday_auction_prices"], "10YBE----------2", "price_15min_seq4") is None
