"""Measurements of Aurum side by side with the limits of the machine and with a stock stack."""
