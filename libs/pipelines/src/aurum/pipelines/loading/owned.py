"""Files with quotes of a tenant's own products: broker marks and the desk's own files, which no other tenant may see."""

from __future__ import annotations

from dataclasses import replace

from aurum.pipelines.loading.prepare import Prepared
from aurum.storage.ports.curves import CurveQuotes


def owned(prepared: Prepared, tenant: str) -> Prepared:
    """Return a prepared file whose quotes are of a tenant's own products.

    A file with series, or with a row that was held back, is refused: quarantine is shared, and shows the rows of no tenant.
    """
    load = prepared.load
    if load is None:
        return replace(prepared, validations=())
    parts = tuple(replace(part, tenant=tenant) for part in load.parts if isinstance(part, CurveQuotes))
    if not parts or len(parts) < len(load.parts):
        return _refused(prepared, "it holds series, and only quotes of products can belong to a tenant")
    if not load.quarantine.is_empty():
        first = load.quarantine.row(0, named=True)
        others = f" and {load.quarantine.height - 1} more" if load.quarantine.height > 1 else ""
        return _refused(prepared, f"line {first['line']}, {first['column']}: {first['detail'] or first['reason']}{others}")
    return replace(prepared, load=replace(load, parts=parts, validations=()), validations=())


def _refused(prepared: Prepared, reason: str) -> Prepared:
    return Prepared(None, reason, prepared.source, prepared.dataset, notices=prepared.notices)
