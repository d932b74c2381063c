from datetime import date

from aurum.pipelines.sources.nyiso import SOURCE


def test_addresses_name_the_day_and_the_report() -> None:
    day = date(2025, 11, 2)
    assert SOURCE.urls["damlbmp_zone"](day) == "https://mis.nyiso.com/public/csv/damlbmp/20251102damlbmp_zone.csv"
    assert SOURCE.urls["realtime_gen"](day) == "https://mis.nyiso.com/public/csv/realtime/20251102realtime_gen.csv"
    assert SOURCE.urls["external_limits_flows"](day).endswith("/csv/ExternalLimitsFlows/20251102ExternalLimitsFlows.csv")


def test_every_address_is_of_a_declared_dataset() -> None:
    assert set(SOURCE.urls) <= {dataset.name for dataset in SOURCE.datasets}
