"""The OpenFeature provider over flags in memory: evaluations do no I/O."""

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
from aurum.common.flags.evaluate import FlagReason, InvalidPrerequisite, evaluate

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
    """An OpenFeature provider.

    ``flags``: by name, replaced as a whole when they change. ``usage``: evaluations by (flag, variant) since the last
    ``take_usage``.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.flags: Mapping[str, FlagDocument] = {}
        self.usage: Counter[tuple[str, str]] = Counter()
        self._now = now

    def get_metadata(self) -> Metadata:
        return Metadata(name="aurum")

    def take_usage(self) -> Mapping[tuple[str, str], int]:
        """Return the evaluations since the last call, and begin to count anew."""
        usage, self.usage = self.usage, Counter[tuple[str, str]]()
        return usage

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
            return FlagResolutionDetails(default, ErrorCode.FLAG_NOT_FOUND, f"no flag is named {name!r}", Reason.ERROR)
        attributes = dict(context.attributes) if context is not None else {}
        key = (context.targeting_key if context is not None else None) or ""
        try:
            evaluation = evaluate(name, self.flags, attributes, key=key, now=self._now())
        except InvalidPrerequisite as error:
            return FlagResolutionDetails(default, ErrorCode.GENERAL, str(error), Reason.ERROR)
        self.usage[name, evaluation.variant] += 1
        value = float(evaluation.value) if kind is float and type(evaluation.value) is int else evaluation.value
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            return FlagResolutionDetails(default, ErrorCode.TYPE_MISMATCH, f"{name!r} has another type", Reason.ERROR)
        reason = _REASONS[evaluation.outcome]
        return FlagResolutionDetails(value, reason=reason, variant=evaluation.variant)  # type: ignore[arg-type] - checked above
