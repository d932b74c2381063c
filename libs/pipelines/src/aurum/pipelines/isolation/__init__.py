"""Runs work on foreign bytes in child processes with limits: a child that crashes or exceeds a limit costs its file only.

A fork server imports the parsers once and forks a child for each piece of work (``server``). The parent starts the fork server,
sends the work and enforces the time limit (``children``). The function that does the work comes from a factory, which the fork
server imports by its path. Both sides talk in ``messages``; ``causes`` explains failures.
"""

from aurum.pipelines.isolation.causes import ChildFailed
from aurum.pipelines.isolation.children import Children
from aurum.pipelines.isolation.limits import Limits
from aurum.pipelines.isolation.messages import Message

__all__ = ["ChildFailed", "Children", "Limits", "Message"]
