"""Tables of columns to bytes: a module a format, none with a loop over rows."""
