"""What stops a process before it begins. Loads nothing else, so that a command can name it without its settings."""

from __future__ import annotations


class InvalidSetting(Exception):
    """A setting that cannot be used, or is none. The text is one line: the variable, what it got, what it takes."""
