"""Runs the dbt project: prepares the tables it reads, runs dbt as a command, and reads its results."""
