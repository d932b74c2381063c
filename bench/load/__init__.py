"""Load for a service on this machine: one request as fast as it goes, or callers as they are (``python -m bench.load``)."""

from bench.load.saturation import Load, bear, measure
from bench.load.wire import UnexpectedAnswer, get, loopback

__all__ = ["Load", "UnexpectedAnswer", "bear", "get", "loopback", "measure"]
