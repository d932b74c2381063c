"""Connections to PostgreSQL, and the parts that all statements use: errors, COPY, packed columns, slow queries."""
