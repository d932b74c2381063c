"""Spooled answers: files from which HEAD and Range of bulk reads are served, so that all parts belong to one state."""
