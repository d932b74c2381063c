"""What was worked out before: in this process, in Redis, in the database; forgotten by tag the moment it is no longer so."""

from aurum.common.cache.entry import Entry, Tally
from aurum.common.cache.local import LocalCache
from aurum.common.cache.manager import Cache
from aurum.common.cache.redis import RedisTier
from aurum.common.cache.tier import Stored, Tier, TierAway

__all__ = ["Cache", "Entry", "LocalCache", "RedisTier", "Stored", "Tally", "Tier", "TierAway"]
