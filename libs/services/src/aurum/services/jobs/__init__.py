"""Jobs: their definitions, and what users do with them: submit, watch, cancel, retry, drop."""
