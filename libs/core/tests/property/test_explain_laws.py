"""Laws of explanations: components sum to the total exactly, whatever the prices and however they were made."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurum.core.curves.explain import COMPONENTS, METHODS, Path, decimals_of, explain
from aurum.core.curves.strips import StripMethod

PRICES = st.one_of(
    st.decimals(-3_000, 3_000, places=2).map(float),
    st.floats(-1e6, 1e6),
    st.sampled_from([0.0, 1e-9, 0.1, 0.2, 98.310250115794]),
)
MISSING = st.one_of(st.none(), PRICES)


@given(data=st.data(), price=MISSING, rolls=st.integers(0, 4))
def test_components_sum_exactly_to_the_total(data: st.DataObject, price: float | None, rolls: int) -> None:
    before = {method: data.draw(MISSING) for method in METHODS}
    paths = {
        method: Path(
            price if data.draw(st.booleans()) else data.draw(MISSING),
            data.draw(MISSING),
            [(data.draw(PRICES), data.draw(PRICES)) for _ in range(rolls)],
        )
        for method in METHODS
    }
    explained = explain(before, paths)
    if explained.components is None:
        assert explained.reason
        return
    assert explained.start.price is not None
    assert explained.end.price is not None
    numbers = explained.components.numbers()
    # As they are written: a reader of JSON may take the numbers for decimals.
    written = {name: Decimal(repr(value)) for name, value in numbers.items()}
    assert sum(written[name] for name in COMPONENTS) == written["total"]
    assert written["total"] == Decimal(repr(explained.end.price)) - Decimal(repr(explained.start.price))
    volume = data.draw(st.sampled_from([21_590.0, -3_600.0, 0.1, 1e6]))
    value = explained.components.times(volume)
    value = value.rounded(
        decimals_of([sum(map(abs, (value.quote_move, value.roll_down, value.correction, value.methodology)))])
    )
    written = {name: Decimal(repr(number)) for name, number in value.numbers().items()}
    assert sum(written[name] for name in COMPONENTS) == written["total"]
    assert float(written["total"]) == pytest.approx(numbers["total"] * volume, rel=1e-6, abs=1e-3)


@given(prices=st.lists(PRICES, min_size=4, max_size=4))
def test_another_method_explains_what_prices_do_not(prices: list[float]) -> None:
    quoted, finer_a, finer_b, then = prices
    before: dict[StripMethod, float | None] = {StripMethod.QUOTED: then}
    paths = {StripMethod.QUOTED: Path(quoted, None), StripMethod.FROM_FINER: Path(finer_a, finer_b)}
    parts = explain(before, paths).components
    assert parts is not None
    assert float(parts.methodology) == pytest.approx(finer_a - quoted, abs=1e-6)
    assert float(parts.quote_move) == pytest.approx(finer_b - finer_a, abs=1e-6)
    assert float(parts.correction) == pytest.approx(quoted - then, abs=1e-6)
    assert parts.roll_down == 0
