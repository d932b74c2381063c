"""The policy of a route: the permission it needs, whether its responses differ by tenant, and how they are cached."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from aurum.api.http.data_class import DataClass
from aurum.core.access import Permission


class Credential(Enum):
    """The need of a route that serves every caller with a valid credential, whatever its scopes."""

    ANY = "any"


Need = Permission | Credential


@dataclass(frozen=True, slots=True)
class CacheRule:
    """How soon a response is likely to change, and the tags of the changes that make it wrong (``cache.caching``)."""

    data_class: DataClass
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may use a route, and how its responses are cached.

    ``needs``: the permission a caller must have, or any valid credential; None: the route is public and takes no credential.
    ``is_shared``: the
    response is the same for every tenant, so that a missing resource is cached as well and the response has an entity tag.
    ``cached``: the rule of every response; None: the handler decides for each response, or responses are not cached.
    """

    needs: Need | None
    is_shared: bool = False
    cached: CacheRule | None = None


PUBLIC = Policy(None)
