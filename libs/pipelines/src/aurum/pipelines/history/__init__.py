"""Months of observations on their way to history and to the copy for wide scans."""
