"""Quotes in delivery: the price of what is left of them once their realised hours are subtracted.

The front month is quoted while it delivers, and so is the running week. Their price is the mean of the hours that are realised
and of those to come: rest = (price * hours - sum of realised price * hours) / (hours - realised hours).
"""

from __future__ import annotations

from aurum.core.errors import Invalid


def price_of_rest(price: float, hours: float, realised_amount: float, realised_hours: float) -> float:
    """Return the price of the hours that are left of a quote. Raises ``Invalid``: none are left.

    January 2021 on 5 January, less four weeks: what the first three days cost.

    >>> weeks = (56.01 + 48.68 + 46.01 + 48.21) * 168
    >>> round(price_of_rest(49.35, 744, weeks, 4 * 168), 6)
    45.826667
    """
    rest = hours - realised_hours
    if rest <= 0:
        raise Invalid(f"{realised_hours:g} realised hours leave none of {hours:g}", hours=hours, realised_hours=realised_hours)
    return (price * hours - realised_amount) / rest
