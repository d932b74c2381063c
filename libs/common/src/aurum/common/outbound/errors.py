"""Failures of requests to addresses that users name. ``detail``: one sentence for the owner of the address."""

from __future__ import annotations


class NotSent(Exception):
    """A request that reached no receiver, or got no answer."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidAddress(NotSent):
    """An address that no request can be sent to."""


class AddressRefused(NotSent):
    """A host name stands for an address that requests must not reach."""


class NoAnswer(NotSent):
    """The receiver does not answer, or not in time."""
