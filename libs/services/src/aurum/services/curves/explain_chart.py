"""Charts of explanations: the components of changes by tenor, and of the profit and loss of positions."""

from __future__ import annotations

from collections.abc import Sequence

from aurum.charts import Caption, WaterfallChart
from aurum.core.curves.explain import COMPONENTS, Components
from aurum.core.curves.quotes import PRICE
from aurum.core.errors import InvalidParameters
from aurum.services.curves.chart_parts import MOST_BARS, as_of_text, day_text, left_out
from aurum.services.curves.explain import ExplainAnswer
from aurum.services.curves.explain_positions import PositionsAnswer
from aurum.services.curves.explain_prices import Between
from aurum.services.curves.known import Known

_PARTS = tuple(name.replace("_", " ") for name in COMPONENTS)


def explain_chart(answer: ExplainAnswer) -> WaterfallChart:
    """Return the chart of the changes of an explanation, of many those with the largest totals.

    Raises ``InvalidParameters`` where no change has components, and for curves in several units.
    """
    plan, changes = answer.plan, answer.changes
    span, field = plan.span, plan.question.field
    priced = [(product, one, one.explained.components) for product, one in changes]
    made = [(product, one, components) for product, one, components in priced if components is not None]
    if not made:
        reason = next((one.explained.reason for _, one in changes if one.explained.reason), "the curves have no such dates")
        why = f"no tenor has components from {day_text(span.a)} to {day_text(span.b)}: {reason}"
        raise InvalidParameters(("a", why, None if span.a is None else str(span.a)))
    units = dict.fromkeys(plan.conversions.unit_of(product)[0] for product, _, _ in made)
    if len(units) > 1:
        why = f"the curves are priced in {', '.join(units)}: request one unit for all of them to draw their changes together"
        raise InvalidParameters(("unit", why, plan.question.unit))
    largest = _largest([components for _, _, components in made])
    is_one = len(plan.curves) == 1
    # Tenors of one curve stay in their order.
    shown = [made[place] for place in (sorted(largest) if is_one else largest)]
    named = [(str(one.tenor) if is_one else f"{product.product.key} {one.tenor}", parts) for product, one, parts in shown]
    notes = [f"the {MOST_BARS} largest of {len(made):,} changes"] if len(made) > MOST_BARS else []
    without = len(changes) - len(made)
    notes += [f"{without} tenor{'s' if without > 1 else ''} without components left out"] if without else []
    drawn = {product.curve_id for product, _, _ in made}
    absent = left_out(
        [str(one.product.product.key) for one in answer.curves if one.product.curve_id not in drawn],
        "no tenor has prices on both dates",
    )
    terms = plan.curves[0].product.product if is_one else None
    of = f"{len(plan.curves)} curves" if terms is None else str(terms.key)
    title = "Change by tenor" if terms is None else terms.title
    venues = ", ".join(sorted({product.product.key.venue for product, _, _ in shown}))
    then = {one.then for one in answer.curves}
    return WaterfallChart(
        Caption(
            title,
            " · ".join([of, f"change of {field} by tenor, {_dates(span)}", *notes]),
            next(iter(units)),
            f"{absent}{_known(span, next(iter(then)) if len(then) == 1 else None)} Source: {venues}.",
        ),
        _PARTS,
        _rows(named),
    )


def positions_chart(answer: PositionsAnswer, field: str) -> WaterfallChart:
    """Return the chart of the profit and loss of positions by tenor, and of all of them.

    Raises ``InvalidParameters`` where no tenor has an amount, and for amounts of several currencies.
    """
    currencies = list(dict.fromkeys(one.currency for one in answer.totals))
    if len(currencies) > 1:
        why = f"the amounts are in {', '.join(currencies)}: request one currency to draw them together"
        raise InvalidParameters(("currency", why, None))
    made = [(one.bucket or "", one.amount) for one in answer.buckets if one.amount is not None]
    if not made:
        reason = next((one.explained.reason for one in answer.changes if one.explained.reason), "it has no positions")
        raise InvalidParameters(("positions", f"no tenor has an amount to draw: {reason}", None))
    largest = [made[place] for place in sorted(_largest([amount for _, amount in made]))]
    amount = answer.totals[0].amount
    rows = [*largest, *([("all", amount)] if amount is not None else [])]
    count = len(answer.changes)
    missing = count - answer.totals[0].valued
    notes = [f"{missing} of {count} positions without a price left out, with their tenors"] if missing else []
    notes += [f"the {MOST_BARS} largest of {len(made)} tenors"] if len(made) > MOST_BARS else []
    valued = "settlements, else mids" if field == PRICE else field
    subtitle = " · ".join(
        [f"{count} position{'s' if count > 1 else ''} valued at {valued}, by tenor", _dates(answer.span), *notes]
    )
    states = {one.then for one in answer.curves}
    footnote = _known(answer.span, next(iter(states)) if len(states) == 1 else None)
    return WaterfallChart(Caption("Profit and loss", subtitle, currencies[0], footnote), _PARTS, _rows(rows))


def _largest(changes: Sequence[Components]) -> Sequence[int]:
    """Return the places of the changes with the largest totals, the largest first."""
    return sorted(range(len(changes)), key=lambda place: -abs(changes[place].total))[:MOST_BARS]


def _rows(named: Sequence[tuple[str, Components]]) -> tuple[tuple[str, tuple[float, ...]], ...]:
    return tuple((name, tuple(parts.numbers()[part] for part in COMPONENTS)) for name, parts in named)


def _dates(span: Between) -> str:
    return f"{day_text(span.a)} to {day_text(span.b)}"


def _known(span: Between, then: Known | None) -> str:
    """Return as of when the prices are. ``then``: of the earlier trade date; None: of each curve another."""
    earlier = "as known before the next trade date" if then is None else as_of_text(then, None).rstrip(".")
    return f"{as_of_text(span.known, None)} Prices of {day_text(span.a)}: {earlier[0].lower()}{earlier[1:]}."
