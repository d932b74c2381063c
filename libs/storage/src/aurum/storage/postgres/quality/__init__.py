"""Quality on PostgreSQL: quarantine, completeness, results of checks."""
