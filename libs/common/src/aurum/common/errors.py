"""Errors at the start of a process. This module imports nothing, so that a command can handle them before settings load."""

from __future__ import annotations


class InvalidSetting(Exception):
    """A setting that cannot be used, or a variable that is not a setting.

    The text is one line with the variable, its value and the accepted values.
    """
