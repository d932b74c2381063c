"""Curve sets: curves that a desk marks together, from draft to official.

persons      the rule of two persons          sets         sets and their overrides
reading      the marks of a set               steps        submit, approve, reject, close, reopen
comparison   beside other prices               pairs        what each curve is compared with
independence of other prices                   conversions  in another unit or currency
rows         as answers show them              chart        what a picture of marks shows
files        as CSV, Parquet or Arrow
"""

from aurum.services.curves.marks.chart import marks_chart
from aurum.services.curves.marks.comparison import (
    Comparison,
    ComparisonQuestion,
    NotIndependent,
    Tolerance,
    compare_set,
)
from aurum.services.curves.marks.conversions import conversions_of_marks, converted_marks
from aurum.services.curves.marks.files import MARK_PRICES, check_suffix, write_marks
from aurum.services.curves.marks.pairs import NotCompared
from aurum.services.curves.marks.persons import PersonUnknown, SamePerson, SubmitterUnknown
from aurum.services.curves.marks.reading import Delivery, SetMarks, SetPlan, delivery_periods, plan_set, read_set
from aurum.services.curves.marks.rows import delivery_rows, mark_rows, override_row, period_document
from aurum.services.curves.marks.sets import (
    MOST_REASON,
    NewCurveSet,
    NewOverride,
    create_set,
    delete_override,
    put_override,
)
from aurum.services.curves.marks.steps import (
    MissingQuotes,
    NoPrices,
    approve_set,
    close_set,
    reject_set,
    reopen_set,
    submit_set,
)

__all__ = [
    "MARK_PRICES",
    "MOST_REASON",
    "Comparison",
    "ComparisonQuestion",
    "Delivery",
    "MissingQuotes",
    "NewCurveSet",
    "NewOverride",
    "NoPrices",
    "NotCompared",
    "NotIndependent",
    "PersonUnknown",
    "SamePerson",
    "SetMarks",
    "SetPlan",
    "SubmitterUnknown",
    "Tolerance",
    "approve_set",
    "check_suffix",
    "close_set",
    "compare_set",
    "conversions_of_marks",
    "converted_marks",
    "create_set",
    "delete_override",
    "delivery_periods",
    "delivery_rows",
    "mark_rows",
    "marks_chart",
    "override_row",
    "period_document",
    "plan_set",
    "put_override",
    "read_set",
    "reject_set",
    "reopen_set",
    "submit_set",
    "write_marks",
]
