"""Prices drawn from one day: each from its hour, and the same ones from the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.distribution import PriceDay, decomposed, price_day
from bench.invented import isone_day
from bench.scale import DEFAULT, QUICK

_HOURS = np.arange(24) * 100.0
_RESTS = np.stack([np.arange(24) / 100, np.arange(24) / 100 + 0.5], axis=1)
_DAY = PriceDay(_HOURS, np.array([-2.0, 1.0]), _RESTS)


def test_the_parts_of_a_day_add_up_to_the_prices_of_its_file() -> None:
    file = isone_day(nodes=50)
    day = decomposed(file)

    prices = day.hours[:, np.newaxis] + day.nodes + day.rests
    stated = [float(line.split(",")[6]) for line in file.lines if line.startswith('"D"')]
    assert np.allclose(prices.ravel(), stated)
    assert np.allclose(np.median(prices, axis=1), day.hours)


def test_a_price_is_that_of_its_hour_with_one_node_for_the_series_and_a_rest_of_that_hour() -> None:
    series = [_DAY.draw(72, seed).reshape(3, 24) - _HOURS for seed in range(20)]

    nodes = [np.round(one - _RESTS[:, 0]).min() for one in series]
    rests = np.array([one - node for one, node in zip(series, nodes, strict=True)])
    assert set(nodes) == {-2.0, 1.0}
    assert np.isclose(rests[..., np.newaxis], _RESTS).any(axis=-1).all()
    assert np.isclose(rests, _RESTS[:, 0]).any()
    assert np.isclose(rests, _RESTS[:, 1]).any()


def test_shorter_steps_stay_in_their_hour() -> None:
    flat = PriceDay(_HOURS, np.zeros(1), np.zeros((24, 1)))

    assert np.array_equal(flat.draw(25 * 12, 1, per_hour=12), np.repeat([*_HOURS, _HOURS[0]], 12))


def test_prices_have_two_decimals_and_come_again_from_the_same_seed() -> None:
    day = decomposed(isone_day(nodes=50))
    drawn = day.draw(1_000, seed=3)

    assert np.array_equal(drawn, np.round(drawn, 2))
    assert np.array_equal(drawn, day.draw(1_000, seed=3))
    assert not np.array_equal(drawn, day.draw(1_000, seed=4))


def test_without_real_files_the_day_is_the_invented_one(tmp_path: Path) -> None:
    few = replace(DEFAULT, nodes=50)
    invented = decomposed(isone_day(few.nodes))

    assert np.array_equal(price_day(tmp_path, few).hours, invented.hours)


def test_the_real_day_is_read_where_it_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "isone").mkdir()
    (tmp_path / "isone" / "WW_DALMP_ISO_20260604.csv").write_bytes(isone_day(nodes=7).content)

    assert len(price_day(tmp_path, DEFAULT).nodes) == 7
    assert len(price_day(tmp_path, QUICK).nodes) == QUICK.nodes
