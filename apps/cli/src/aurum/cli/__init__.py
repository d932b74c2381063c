"""The ``aurum`` command: a thin layer that calls the libraries."""
