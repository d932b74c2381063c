"""Feature flags: rules held in memory behind the OpenFeature API."""

from aurum.common.flags.document import Condition, FlagDocument, Prerequisite, Rule, Schedule
from aurum.common.flags.evaluate import CircularPrerequisite, Evaluation, Outcome, evaluate, refuse_circles
from aurum.common.flags.provider import FlagProvider

__all__ = [
    "CircularPrerequisite",
    "Condition",
    "Evaluation",
    "FlagDocument",
    "FlagProvider",
    "Outcome",
    "Prerequisite",
    "Rule",
    "Schedule",
    "evaluate",
    "refuse_circles",
]
