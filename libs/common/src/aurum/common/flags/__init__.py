"""Feature flags: rules held in memory behind the OpenFeature API."""

from aurum.common.flags.document import Condition, FlagDocument, FlagName, Prerequisite, Rule, Schedule, readable
from aurum.common.flags.evaluate import CircularPrerequisite, Evaluation, FlagReason, evaluate, refuse_circle
from aurum.common.flags.provider import FlagProvider

__all__ = [
    "CircularPrerequisite",
    "Condition",
    "Evaluation",
    "FlagDocument",
    "FlagName",
    "FlagProvider",
    "FlagReason",
    "Prerequisite",
    "Rule",
    "Schedule",
    "evaluate",
    "readable",
    "refuse_circle",
]
