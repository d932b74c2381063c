"""Private series on PostgreSQL: connections of a role that row-level security binds to one tenant."""
