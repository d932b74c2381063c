"""Receipts of builds: the question with all that was left open in it decided, and the inputs by which a repetition is checked.

A receipt names the store as it stood (``as_loaded``), so a repetition reads the same quotes. Prices cannot change under it, but
the terms of a product, a shape or a delivery calendar can, and known times can be restated. Whatever differs is named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from aurum.core.errors import Conflict, InvalidParameters
from aurum.services.curves.build_question import MOST_QUOTES, BuildQuestion, check_size

METHOD = 1
"""Version of the arithmetic of builds. It rises when the same inputs give other numbers."""

_SAME = 1e-9
_QUESTION = TypeAdapter(BuildQuestion)


class QuoteInput(BaseModel):
    """A quote that a build used. ``block``: empty for all hours."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    label: str
    first: date = Field(description="First delivery day.")
    end: date = Field(description="Delivery day after the last one.")
    block: str = ""
    price: float

    @property
    def identity(self) -> tuple[date, date, str]:
        """The first day, the end and the block."""
        return self.first, self.end, self.block


class Receipt(BaseModel):
    """A build, as it can be posted back to repeat it.

    ``terms``: of the products that it used the terms as JSON, and digests of the calendar, shape, spot prices and requested
    periods, by name. ``digest``: of all other members; receipts of earlier versions have none.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    method: int = Field(description="Version of the arithmetic.")
    question: dict[str, Any] = Field(description="The question, with trade date and `as_loaded` decided.")
    quotes: list[QuoteInput] = Field(
        max_length=MOST_QUOTES, description="The quotes that the build used, those in delivery included."
    )
    terms: dict[str, str] = Field(
        max_length=100, description="The other inputs by name: terms of products as JSON, digests of the others."
    )
    cells: int = Field(description="Number of cells of the curve.")
    checksum: float = Field(description="Mean of the values of the curve.")
    digest: str | None = Field(
        default=None,
        description="Digest of the other members, by which a receipt that was changed is told from restated inputs.",
    )


class Restated(Conflict):
    """An input of a receipt has changed since, so that the build cannot be repeated. Facts: ``restated``.

    ``restated``: a list of objects with ``input`` (quote, product, the name of another input, or the member of the question
    that cannot be answered any more, with the ``reason``), for a product its ``term``, and for a quote or a term ``was`` and
    ``now``.
    """

    def __init__(self, restated: Sequence[Mapping[str, object]]) -> None:
        first = restated[0]
        term = f"{first['term']} " if "term" in first else ""
        change = f": {term}was {first['was']}, now {first['now']}" if "was" in first else ""
        if "reason" in first:
            change = f": {first['reason']}"
        more = f", and {len(restated) - 1} more" if len(restated) > 1 else ""
        super().__init__(
            f"{first['input']} has been restated since the receipt was made{change}{more}: build anew for the present state",
            restated=[dict(one) for one in restated],
        )


@dataclass(frozen=True, slots=True)
class Inputs:
    """Quotes and other inputs of a build. ``terms``: digests by name."""

    quotes: Sequence[QuoteInput]
    terms: Mapping[str, str] = field(default_factory=dict[str, str])


def digest(document: object) -> str:
    """Return a short digest of JSON-representable values."""
    text = json.dumps(document, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def receipt_of(question: BuildQuestion, inputs: Inputs, *, cells: int, mean: float) -> Receipt:
    """Return the receipt of a build. ``question``: with its trade date and ``as_loaded`` decided."""
    receipt = Receipt(
        method=METHOD,
        question=_dumped(question),
        quotes=list(inputs.quotes),
        terms=dict(inputs.terms),
        cells=cells,
        checksum=mean,
    )
    return receipt.model_copy(update={"digest": _digest_of(receipt)})


def check_whole(receipt: Receipt) -> None:
    """Raise ``InvalidParameters`` for a receipt that was changed since it was made, and for one that no build has made."""
    if receipt.digest is not None and receipt.digest != _digest_of(receipt):
        why = "has been changed since it was made, and cannot be repeated: send it as it came, or build anew"
        raise InvalidParameters(("receipt", why, None))


def _digest_of(receipt: Receipt) -> str:
    # The question is read first: a client may write its numbers and instants in another form of the same value.
    members = receipt.model_dump(mode="json", exclude={"question", "digest"})
    return digest([members, _dumped(question_of(receipt))])


def _dumped(question: BuildQuestion) -> dict[str, Any]:
    return _QUESTION.dump_python(question, mode="json", exclude_defaults=True)


def question_of(receipt: Receipt) -> BuildQuestion:
    """Return the question of a receipt. Raises ``InvalidParameters`` for a document that no build has made."""
    try:
        question = _QUESTION.validate_python(receipt.question)
    except ValidationError as error:
        place = error.errors()[0]["loc"]
        # A trade date is a union, whose branches Pydantic adds to the place.
        named = ".".join(map(str, place[:1] if place[0] == "trade_date" else place))
        raise InvalidParameters((f"receipt.question.{named}", error.errors()[0]["msg"], None)) from error
    check_size(question, "receipt.question.")
    return replace(
        question,
        trade_date=_trade_date(question.trade_date),
        as_of=_utc(question.as_of),
        as_loaded=_utc(question.as_loaded),
    )


def parse_receipt(content: bytes) -> Receipt:
    """Return the receipt in a JSON text. Raises ``InvalidParameters``."""
    try:
        return Receipt.model_validate_json(content)
    except ValidationError as error:
        place = ".".join(map(str, ("receipt", *error.errors()[0]["loc"])))
        raise InvalidParameters((place, error.errors()[0]["msg"], None)) from error


def check_inputs(receipt: Receipt, inputs: Inputs) -> None:
    """Raise ``Restated`` where inputs differ from those of a receipt."""
    restated: list[dict[str, object]] = []
    if receipt.method != METHOD:
        restated.append({"input": "method", "was": receipt.method, "now": METHOD})
    before = {one.identity: one for one in receipt.quotes}
    after = {one.identity: one for one in inputs.quotes}
    for identity in sorted({*before, *after}):
        was, now = before.get(identity), after.get(identity)
        if was is None or now is None or was.price != now.price:
            named = was or now
            assert named is not None
            name = f"quote {named.label}" + (f" {named.block}" if named.block and named.block not in named.label else "")
            restated.append({"input": name, "was": was and was.price, "now": now and now.price})
    names = sorted({*receipt.terms, *inputs.terms})
    for name in names:
        restated.extend({"input": name, **change} for change in _changes(receipt.terms.get(name), inputs.terms.get(name)))
    if restated:
        raise Restated(restated)


def written_terms(terms: Mapping[str, object]) -> str:
    """Return terms as a receipt has them, so that a later change of one is named."""
    return json.dumps(dict(terms), separators=(",", ":"))


def _changes(was: str | None, now: str | None) -> Sequence[Mapping[str, object]]:
    """Return what differs between two states of an input: of ``written_terms`` each term, else one difference without facts."""
    if was == now:
        return ()
    before, after = _read_terms(was), _read_terms(now)
    if after is not None and was == digest(list(after.values())):
        return ()  # a receipt of an earlier version has a digest of the values
    if before is None or after is None:
        return ({},)
    names = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
    return [{"term": name, "was": before.get(name), "now": after.get(name)} for name in names] or ({},)


def _read_terms(text: str | None) -> Mapping[str, object] | None:
    try:
        terms: object = json.loads(text or "")
    except ValueError:
        return None
    return cast("Mapping[str, object]", terms) if isinstance(terms, dict) else None


def check_result(receipt: Receipt, *, cells: int, mean: float) -> None:
    """Raise ``Restated`` where a repetition has other values, for equal inputs."""
    if cells != receipt.cells or abs(mean - receipt.checksum) > _SAME * max(1.0, abs(receipt.checksum)):
        raise Restated([{"input": "curve", "was": receipt.checksum, "now": mean}])


def _trade_date(value: date | str | None) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise InvalidParameters(("receipt.question.trade_date", "must be a date", value)) from error


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)
