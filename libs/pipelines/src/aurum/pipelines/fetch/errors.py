"""The reasons for which a file cannot be downloaded. No message and no fact of them holds a key or a token."""

from __future__ import annotations

from aurum.core.errors import Forbidden, Invalid, NotFound, Unavailable


class NotPublished(NotFound):
    """The publisher has no file for the days. Facts: ``source``, ``dataset``, ``days``, ``url``."""


class NoPublicFile(NotFound):
    """A dataset whose publisher has no public files. Facts: ``source``, ``dataset``."""


class NotModified(NotFound):
    """The publisher has nothing newer than what was loaded before. Facts: ``source``, ``dataset``, ``url``."""


class MissingCredential(Invalid):
    """The key or token that a publisher asks for is not set, or is not one. Facts: ``setting``."""


class FetchFailed(Unavailable):
    """The publisher does not answer, or does not send a complete file. Facts: ``url``."""


class NotData(FetchFailed):
    """The publisher answered with something else than data, such as a page about maintenance. Facts: ``url``."""


class FetchRefused(Forbidden):
    """The publisher refuses the file, and a retry cannot change that. Facts: ``url``."""


class TooLarge(Invalid):
    """A file larger than the limit. Facts: ``url``."""


class RetryableFailure(Exception):
    """A failure after which the same request may succeed. ``wait_s``: the wait the server requests, in seconds, if any."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
