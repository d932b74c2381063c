"""Every port on plain PostgreSQL, a folder or module a feature. Only ``aurum.assembly`` names these classes."""
