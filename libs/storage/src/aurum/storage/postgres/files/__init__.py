"""Records of files on PostgreSQL."""
