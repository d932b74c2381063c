"""The state of a derived curve in SQL: whether it needs a build, and which curves it waits for."""

NEEDS_BUILD = """
({0}.built_at IS NULL OR {0}.error <> '' OR EXISTS (
    SELECT FROM derived_curve_change AS c WHERE c.derived_id = {0}.derived_id
))
"""
"""Condition on a row of ``derived_curve``, whose alias takes the place of ``{0}``."""

WAITS_FOR = f"""
(WITH RECURSIVE read AS (
    SELECT i.curve_id FROM derived_curve_input AS i WHERE i.derived_id = d.derived_id
    UNION
    SELECT i.curve_id FROM read JOIN derived_curve AS r USING (curve_id) JOIN derived_curve_input AS i USING (derived_id)
 ) SELECT array_agg(r.key ORDER BY r.key) FROM read JOIN derived_curve AS r USING (curve_id) WHERE {NEEDS_BUILD.format("r")})
"""  # noqa: S608 - constants
"""The keys of the curves that need a build and that a row ``d`` reads, also through others; null: none."""

STATE = f"""
(SELECT CASE WHEN d.error <> '' THEN 'failed' WHEN d.built_at IS NULL THEN 'building'
             WHEN {NEEDS_BUILD.format("d")} OR {WAITS_FOR} IS NOT NULL THEN 'stale' ELSE 'fresh' END
 FROM public.derived_curve AS d WHERE d.curve_id = product.curve_id)
"""  # noqa: S608 - constants
"""The state of a row of ``product``: as ``DerivedCurve.state``; null for one that is not derived."""
