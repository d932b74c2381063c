"""Forward curves: their catalog, quotes, history, strips and differences, and the reference data that they are read with.

    reading = CurveReading(store.curves, observations, tenant="desk")
    product = await curve_of(reading, "power:DE:base:EEX")
    plan = await plan_strips(reading, product, StripsQuestion(now, ["Q1-25"], trade_date=date(2024, 10, 14)))
    strips = await read_strips(reading, plan)

A plan is made before any quote is read; its ``versions`` are everything that an answer depends on beside the question.

reading      the ports that every question is answered with    known        as of when, and on which trade date
selection    products by key and pattern                       catalog      the list of curves, and one curve
reference    calendars, seasons and blocks                     periods      delivery periods of quotes
prices       unit and currency                                 quotes       quotes and history
strips       prices of periods                                 diff         moves between two trade dates
spreads      sums of legs of several curves
completeness trade dates beside the sessions of the venue
continuous   a tenor through trade dates, with its rolls       roll_terms   tenors and rules of rolls of a product
explain      changes of tenors between two trade dates         explain_positions  profit and loss of positions
charts       what pictures of answers show; those of explanations, spreads and continuous series: explain_chart, spread_chart,
             continuous_chart; what they share: chart_parts
"""

from aurum.services.curves.catalog import CurveFacts, CurvePlan, CurvesPage, curves_page, plan_curve, read_curve
from aurum.services.curves.completeness import Completeness, KindCompleteness
from aurum.services.curves.diff import DiffAnswer, DiffPlan, DiffQuestion, plan_diff, read_diff
from aurum.services.curves.known import LATEST, PREVIOUS, Known, trade_date_of
from aurum.services.curves.periods import DeliveryPeriod, delivered, delivery_period, requested_period
from aurum.services.curves.quotes import (
    ANSWER_FIELDS,
    QuotesAnswer,
    QuotesPlan,
    QuotesQuestion,
    plan_quotes,
    plan_reference,
    read_quotes,
)
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Reference, Terms, read_reference
from aurum.services.curves.selection import MOST_CURVES, curve_of, curves_of
from aurum.services.curves.strips import PeriodStrip, Side, StripsPlan, StripsQuestion, plan_strips, read_strips

__all__ = [
    "ANSWER_FIELDS",
    "LATEST",
    "MOST_CURVES",
    "PREVIOUS",
    "Completeness",
    "CurveFacts",
    "CurvePlan",
    "CurveReading",
    "CurvesPage",
    "DeliveryPeriod",
    "DiffAnswer",
    "DiffPlan",
    "DiffQuestion",
    "KindCompleteness",
    "Known",
    "PeriodStrip",
    "QuotesAnswer",
    "QuotesPlan",
    "QuotesQuestion",
    "Reference",
    "Side",
    "StripsPlan",
    "StripsQuestion",
    "Terms",
    "curve_of",
    "curves_of",
    "curves_page",
    "delivered",
    "delivery_period",
    "plan_curve",
    "plan_diff",
    "plan_quotes",
    "plan_reference",
    "plan_strips",
    "read_curve",
    "read_diff",
    "read_quotes",
    "read_reference",
    "read_strips",
    "requested_period",
    "trade_date_of",
]
