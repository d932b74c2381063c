"""Calendars: holidays and business days by rule, blocks as data, and the hours of a block."""

from aurum.core.calendars.blocks import Block, Holidays, InvalidBlock, Window
from aurum.core.calendars.business_days import BusinessDays, holidays, is_business_day, stored_business_days
from aurum.core.calendars.defaults import Calendar, default_blocks, default_calendars, parse_block
from aurum.core.calendars.expand import BLOCK_HOURS, block_hours, block_mask, count_hours
from aurum.core.calendars.nerc import is_nerc_holiday, nerc_holidays

__all__ = [
    "BLOCK_HOURS",
    "Block",
    "BusinessDays",
    "Calendar",
    "Holidays",
    "InvalidBlock",
    "Window",
    "block_hours",
    "block_mask",
    "count_hours",
    "default_blocks",
    "default_calendars",
    "holidays",
    "is_business_day",
    "is_nerc_holiday",
    "nerc_holidays",
    "parse_block",
    "stored_business_days",
]
