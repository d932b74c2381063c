"""The quality gate: what a parsed file must pass before it is stored."""
