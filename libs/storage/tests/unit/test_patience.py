"""Limits of time that no test states are long; what is written from the fields of the settings states those of the product."""

from __future__ import annotations

import pytest

from aurum.common.settings import DatabaseSettings, Settings, load_settings
from aurum.common.settings.unknown import setting_names
from aurum.storage.testing.patience import PATIENT_VARIABLES


def test_defaults_are_long_and_fields_state_those_of_the_product() -> None:
    made = (DatabaseSettings(), Settings().database, Settings.model_validate({"database": {"pool_size": 2}}).database)
    assert {one.connect_timeout_s for one in made} == {120.0}
    assert DatabaseSettings.model_fields["connect_timeout_s"].default == 5.0
    assert DatabaseSettings(connect_timeout_s=0.2).connect_timeout_s == 0.2


def test_child_processes_get_the_same_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(PATIENT_VARIABLES) <= set(setting_names(Settings))
    for name, value in PATIENT_VARIABLES.items():
        monkeypatch.setenv(name, value)
    assert load_settings() == Settings()
