"""Settings of limits and resilience: defaults, networks, and refusals of values that make no sense."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from aurum.common.settings.limits import LimitsSettings
from aurum.common.settings.resilience import ResilienceSettings


def test_the_defaults_decide_nothing_by_address() -> None:
    assert not LimitsSettings().has_address_lists


def test_networks_are_cidr_or_single_addresses_of_both_families() -> None:
    limits = LimitsSettings.model_validate({"deny": ["203.0.113.0/24", "2001:db8::1"], "allow": ["10.0.0.0/8"]})
    assert limits.deny == (ip_network("203.0.113.0/24"), ip_network("2001:db8::1/128"))
    assert limits.has_address_lists


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "300.1.1.1", "example.com"])
def test_a_text_that_is_not_a_network_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError, match="deny"):
        LimitsSettings.model_validate({"deny": [wrong]})


def test_resilience_has_defaults_that_fit_together() -> None:
    settings = ResilienceSettings.model_validate(
        {name: field.default for name, field in ResilienceSettings.model_fields.items()}
    )
    assert settings.retry_first_wait_s <= settings.retry_most_wait_s < settings.retry_within_s
