import pytest

from aurum.core.calendars import default_calendars
from aurum.core.errors import UnknownName
from aurum.core.markettime import MARKETS, parse_market, parse_zone
from aurum.core.units import known_currencies


def test_markets_are_found_in_any_case() -> None:
    assert parse_market("nyiso") is MARKETS["NYISO"]


def test_unknown_market_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        parse_market("NYISSO")
    assert caught.value.nearest[0] == "NYISO"


def test_miso_and_ieso_count_in_eastern_standard_time_all_year() -> None:
    assert {MARKETS["MISO"].zone, MARKETS["IESO"].zone} == {"Etc/GMT+5"}


@pytest.mark.parametrize("code", MARKETS)
def test_every_market_has_a_zone_a_calendar_and_a_currency(code: str) -> None:
    market = MARKETS[code]
    assert market.code == code
    assert parse_zone(market.zone) == market.zone
    assert market.calendar in {calendar.name for calendar in default_calendars()}
    assert market.currency in {currency.major for currency in known_currencies()}


@pytest.mark.parametrize("name", ["", "Eastern", "America", "America/NewYork", "+05:00", "localtime", "../etc/passwd"])
def test_a_name_that_is_not_a_time_zone_is_refused(name: str) -> None:
    with pytest.raises(UnknownName) as caught:
        parse_zone(name)
    assert caught.value.name == name
    assert name not in caught.value.nearest


def test_misspelt_time_zone_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        parse_zone("America/NewYork")
    assert "America/New_York" in caught.value.nearest
