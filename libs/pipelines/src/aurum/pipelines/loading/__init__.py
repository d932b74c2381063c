"""From files to committed versions."""
