"""Load for a service on this machine: one request at full speed, or a mix as of callers (``python -m bench.load``)."""

from bench.load.saturation import Load, measure, saturate
from bench.load.wire import UnexpectedAnswer, get, loopback

__all__ = ["Load", "UnexpectedAnswer", "get", "loopback", "measure", "saturate"]
