"""The ``aurum`` command: thin, calls the libraries."""
