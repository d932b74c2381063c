import pytest

from aurum.core.curves.explain import Components, Path, decimals_of, explain
from aurum.core.curves.strips import StripMethod

QUOTED, FINER = StripMethod.QUOTED, StripMethod.FROM_FINER


def numbers(before: dict[StripMethod, float | None], paths: dict[StripMethod, Path]) -> list[float]:
    parts = explain(before, paths).components
    assert parts is not None
    return list(parts.numbers().values())


def test_a_held_contract_moves() -> None:
    assert numbers({QUOTED: 96.14}, {QUOTED: Path(96.14, 98.31)}) == [2.17, 0.0, 0.0, 0.0, 2.17]


def test_gaps_at_rolls_are_no_moves() -> None:
    path = Path(80.0, 80.0, [(78.0, 88.5), (91.0, 81.0)])
    assert numbers({QUOTED: 80.0}, {QUOTED: path}) == [-0.5, 0.5, 0.0, 0.0, 0.0]


def test_a_correction_is_the_change_of_the_first_price() -> None:
    assert numbers({QUOTED: 90.0}, {QUOTED: Path(90.25, 88.5)}) == [-1.75, 0.0, 0.25, 0.0, -1.5]


def test_a_price_by_another_method_is_compared_by_the_one_that_has_both() -> None:
    # Averaged at first, quoted at the end, and both on the last day: the difference is taken there.
    at_end = numbers({FINER: 86.7}, {QUOTED: Path(None, 98.31), FINER: Path(86.7, 98.3)})
    assert at_end == [11.6, 0.0, 0.0, 0.01, 11.61]
    # Quoted at first, averaged at the end: it is taken on the first day.
    at_start = numbers({QUOTED: 86.71, FINER: 86.7}, {QUOTED: Path(86.71, None), FINER: Path(86.7, 98.3)})
    assert at_start == [11.6, 0.0, 0.0, -0.01, 11.59]


@pytest.mark.parametrize(
    ("before", "paths", "reason", "total"),
    [
        ({}, {QUOTED: Path(None, 1.0)}, "it has no price on the earlier trade date", None),
        ({QUOTED: 1.0}, {QUOTED: Path(1.0, None)}, "it has no price on the later trade date", None),
        ({QUOTED: 1.0}, {QUOTED: Path(None, 2.0)}, "its price on the earlier trade date was withdrawn later", 1.0),
        ({QUOTED: 1.0}, {QUOTED: Path(1.0, 3.0, [(2.0, None)])}, "a gap is unknown", 2.0),
        ({FINER: 1.0}, {QUOTED: Path(None, 2.0), FINER: Path(1.0, None)}, "neither on both", 1.0),
    ],
)
def test_a_missing_price_leaves_the_components_unknown(
    before: dict[StripMethod, float | None], paths: dict[StripMethod, Path], reason: str, total: float | None
) -> None:
    explained = explain(before, paths)
    assert explained.components is None
    assert reason in str(explained.reason)
    assert explained.total == total


def test_amounts_are_products_in_decimals() -> None:
    parts = explain({QUOTED: 96.14}, {QUOTED: Path(96.14, 98.31)}).components
    assert parts is not None
    assert float(parts.times(21_590.0).total) == 46_850.3
    assert float(parts.times(0.1).times(3.0).total) == 0.651
    assert parts.plus(Components()).total == parts.total


def test_a_component_of_a_sold_volume_that_is_zero_has_no_sign() -> None:
    parts = explain({QUOTED: 96.14}, {QUOTED: Path(96.14, 98.31)}).components
    assert parts is not None
    assert [str(number) for number in parts.times(-10.0).numbers().values()] == ["-21.7", "0.0", "0.0", "0.0", "-21.7"]


@pytest.mark.parametrize(
    ("values", "decimals"), [([], 12), ([0.03], 12), ([98.31, -96.14], 12), ([12_345.6], 10), ([1e9, 5.0], 5), ([1e20], 0)]
)
def test_the_grid_has_fifteen_digits(values: list[float], decimals: int) -> None:
    assert decimals_of(values) == decimals
