"""The refusal of a file with quotes of a product that its owner does not have."""

from __future__ import annotations

from collections.abc import Iterable

from aurum.core.search.near_keys import nearest_keys
from aurum.storage.ports.curves import UnknownProduct


def unknown_product(key: str, stored: Iterable[str], *, tenant: str | None, is_of_others: bool) -> UnknownProduct:
    """Return the error of a file that quotes a product which is missing.

    ``stored``: keys of the owner's products. ``tenant``: the owner; None: shared products. ``is_of_others``: whether tenants
    have a product of their own with the key, or, for a tenant, whether it is that of a shared one.
    """
    nearest = nearest_keys(key, list(stored))
    if is_of_others and tenant is None:
        why = "which is not a shared product but a tenant's own: `aurum curves load --tenant` loads its quotes"
    elif is_of_others:
        why = (
            f"which is not a product of {tenant} but a shared one: `aurum ingest` loads its quotes, and `--venue` gives the "
            "tenant a product with its terms"
        )
    else:
        why = "which is not a product" + (f"; nearest: {', '.join(nearest)}" if nearest else "")
    return UnknownProduct(f"the file quotes {key}, {why}", key=key, nearest=list(nearest))
