"""The dbt project beside the code: what it reads is made ready, it is run as a command, and what came of it is read back."""
