"""The OpenFeature provider over flags held in memory: no evaluation waits for anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from openfeature.evaluation_context import EvaluationContext  # pyright: ignore[reportMissingTypeStubs] - typed, not marked so
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata  # pyright: ignore[reportMissingTypeStubs] - typed, not marked so

from aurum.common.flags.document import FlagDocument
from aurum.common.flags.evaluate import CircularPrerequisite, FlagReason, evaluate

T = TypeVar("T")

_REASONS = {
    FlagReason.KILLED: Reason.DISABLED,
    FlagReason.UNSCHEDULED: Reason.DEFAULT,
    FlagReason.PREREQUISITE: Reason.DEFAULT,
    FlagReason.RULE: Reason.TARGETING_MATCH,
    FlagReason.SPLIT: Reason.SPLIT,
    FlagReason.DEFAULT: Reason.DEFAULT,
}


class FlagProvider(AbstractProvider):
    """``flags``: replaced as a whole when they change. ``used``: evaluations by flag and variant since they were taken."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.flags: Mapping[str, FlagDocument] = {}
        self.used: Counter[tuple[str, str]] = Counter()
        self._now = now

    def get_metadata(self) -> Metadata:
        return Metadata(name="aurum")

    def take_used(self) -> Mapping[tuple[str, str], int]:
        """What was evaluated since the last time."""
        used, self.used = self.used, Counter[tuple[str, str]]()
        return used

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        return self._resolve(flag_key, default_value, evaluation_context, bool)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        return self._resolve(flag_key, default_value, evaluation_context, str)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        return self._resolve(flag_key, default_value, evaluation_context, int)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        return self._resolve(flag_key, default_value, evaluation_context, float)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        return self._resolve(flag_key, default_value, evaluation_context, (list, dict))

    def _resolve(
        self, name: str, default: T, context: EvaluationContext | None, kind: type | tuple[type, ...]
    ) -> FlagResolutionDetails[T]:
        if name not in self.flags:
            return FlagResolutionDetails(default, ErrorCode.FLAG_NOT_FOUND, f"there is no flag {name}", Reason.ERROR)
        attributes = dict(context.attributes) if context is not None else {}
        key = (context.targeting_key if context is not None else None) or ""
        try:
            found = evaluate(name, self.flags, attributes, key=key, now=self._now())
        except CircularPrerequisite as error:
            return FlagResolutionDetails(default, ErrorCode.GENERAL, str(error), Reason.ERROR)
        self.used[name, found.variant] += 1
        value = float(found.value) if kind is float and type(found.value) is int else found.value
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            return FlagResolutionDetails(default, ErrorCode.TYPE_MISMATCH, f"{name} is of another kind", Reason.ERROR)
        return FlagResolutionDetails(value, reason=_REASONS[found.outcome], variant=found.variant)  # type: ignore[arg-type] - checked above
