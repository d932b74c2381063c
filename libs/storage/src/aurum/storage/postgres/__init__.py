"""Every port on plain PostgreSQL, one folder or module for each feature. Only ``aurum.assembly`` names these classes."""
