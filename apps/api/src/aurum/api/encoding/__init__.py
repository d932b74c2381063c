"""Encoders of tables: one module per format, none with a loop over rows."""
