"""The quality gate: the checks a parsed file must pass before it is stored, and the checks of built marts."""
