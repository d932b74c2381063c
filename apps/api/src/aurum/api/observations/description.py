"""Facts about an answer in the metadata of Arrow and Parquet schemas, so that a file alone says what its numbers are.

Everything here follows from the request and from the versions of its series, like the entity tag: two equal answers have
equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC

import orjson

from aurum.api.encoding.table import Description
from aurum.core.series.model import Series
from aurum.services.observations import ReadPlan, unit_of


def described(series: Sequence[Series], plan: ReadPlan, *, by_column: bool) -> Description:
    """Return the description of observations.

    ``series`` is a JSON list of objects with ``key``, ``unit``, ``currency``, ``market``, ``zone``, ``step``, ``version``. A
    single series has these as texts of their own as well. ``tz`` is that of the times; ``as_of``, ``as_loaded``, ``freq`` and
    ``agg`` are there when the request has them. ``by_column``: each series has a column of its own, with its facts.
    """
    table: dict[str, str] = {"tz": plan.zone}
    for name, instant in (("as_of", plan.as_of), ("as_loaded", plan.as_loaded)):
        if instant is not None:
            table[name] = instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if plan.freq is not None:
        table |= {"freq": str(plan.freq), "agg": str(plan.agg)}
    facts = [_facts(one, plan) for one in series]
    table["series"] = orjson.dumps(facts).decode()
    if len(facts) == 1:
        table |= _texts(facts[0])
    return Description(table, {str(one["key"]): _texts(one) for one in facts} if by_column else {})


def _facts(series: Series, plan: ReadPlan) -> dict[str, str | int | None]:
    spec = series.spec
    unit, currency = unit_of(series, plan)
    facts: dict[str, str | int | None] = {
        "key": str(spec.key),
        "unit": unit,
        "currency": currency,
        "market": spec.market,
        "zone": plan.zone_of(series),
        "step": str(plan.frequency_of(series)),
    }
    if plan.issues is not None:
        issue = plan.issues.get(series.series_id)
        facts["issue"] = issue.known_at.astimezone(UTC).isoformat() if issue is not None else None
    # Later loads raise the version, and an answer as loaded never changes.
    return facts if plan.as_loaded is not None else facts | {"version": series.version}


def _texts(facts: Mapping[str, str | int | None]) -> dict[str, str]:
    return {name: str(value) for name, value in facts.items() if value is not None}
