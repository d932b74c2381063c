"""Runs work on foreign bytes in child processes with limits: a child that crashes or overruns costs one file, nothing else.

A fork server imports the parsers once and forks a child for each piece of work (``server``); the other side starts it, sends
work and holds the wall clock (``children``). What the work is, a factory says that the server imports by its path.
"""

from aurum.pipelines.isolation.causes import ChildFailed
from aurum.pipelines.isolation.children import Children
from aurum.pipelines.isolation.limits import Limits
from aurum.pipelines.isolation.messages import Message

__all__ = ["ChildFailed", "Children", "Limits", "Message"]
