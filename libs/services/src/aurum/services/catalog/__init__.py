"""Catalog queries: calendars, blocks and their hours, and models by name."""

from aurum.services.catalog.blocks import Expansion, blocks, calendars, expand_block
from aurum.services.catalog.models import model_named

__all__ = ["Expansion", "blocks", "calendars", "expand_block", "model_named"]
