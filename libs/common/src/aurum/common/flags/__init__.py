"""Feature flags: rules in memory, evaluated through the OpenFeature API."""

from aurum.common.flags.document import Condition, FlagDocument, FlagName, Prerequisite, Rule, Schedule, parse_documents
from aurum.common.flags.evaluate import Evaluation, FlagReason, InvalidPrerequisite, check_prerequisites, evaluate
from aurum.common.flags.provider import FlagProvider
from aurum.common.flags.reach import reaches_others

__all__ = [
    "Condition",
    "Evaluation",
    "FlagDocument",
    "FlagName",
    "FlagProvider",
    "FlagReason",
    "InvalidPrerequisite",
    "Prerequisite",
    "Rule",
    "Schedule",
    "check_prerequisites",
    "evaluate",
    "parse_documents",
    "reaches_others",
]
