"""Validations: the checks of files and marts, expectation by expectation."""
